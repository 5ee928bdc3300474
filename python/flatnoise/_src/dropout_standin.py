"""Dropout and masking of `flatnoise.flatten_add_uniform` and stock ops, until the op has them."""

from typing import Any

from flatnoise._src.arguments import compute_dtype
from flatnoise._src.functions import flatten_add_uniform
from flatnoise._src.tensorflow import tf

__all__ = ["flatten_dropout", "flatten_mask", "mask_affine"]


def flatten_dropout(inputs: Any, seed: Any, rate: float, *, flatten: bool = True) -> Any:
    """0 where u < rate, otherwise the inputs times 1 / (1 - rate)."""
    return mask_affine(inputs, seed, rate, 0.0, 1.0 / (1.0 - rate), 0.0, flatten=flatten)


def flatten_mask(inputs: Any, seed: Any, rate: float, value: float, *, flatten: bool = True) -> Any:
    """`value` where u < rate, otherwise the inputs."""
    return mask_affine(inputs, seed, rate, value, 1.0, 0.0, flatten=flatten)


def mask_affine(
    inputs: Any,
    seed: Any,
    rate: float,
    value: float,
    scale: float,
    shift: float,
    *,
    flatten: bool = True,
) -> Any:
    """`value` where u < rate, otherwise the inputs times `scale` plus `shift`."""
    dtype = compute_dtype(inputs.dtype)
    u = flatten_add_uniform(tf.zeros(tf.shape(inputs), dtype), seed, flatten=flatten)
    x = tf.reshape(tf.cast(inputs, dtype), tf.shape(u))
    masked = tf.where(u >= rate, x * scale + shift, tf.constant(value, dtype))
    return tf.cast(masked, inputs.dtype)
