"""The computations of Keras's noise layers with the fused ops.

Each function returns the tensor that Keras would compute, or None if the caller must fall back to
Keras: for inputs that the ops don't support and for rates that need no noise. A seed is drawn only
if it is used, so the sequence of draws matches Keras's.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from flatnoise._src.arguments import compute_dtype, is_tensor
from flatnoise._src.functions import (
    flatten_add_normal,
    flatten_alpha_dropout,
    flatten_dropout,
    flatten_mask,
    flatten_multiply_normal,
)
from flatnoise._src.noises import ALPHA_DROPOUT
from flatnoise._src.seeds import Draw, draw_next, next_seed
from flatnoise._src.tensorflow import keras, tf

__all__ = ["alpha_dropout", "dropout", "gaussian_dropout", "gaussian_noise"]

_DTYPES = frozenset([tf.float16, tf.bfloat16, tf.float32, tf.float64])


def _tensor(inputs: Any) -> Any:
    """`inputs` as a tensor, or None if the ops don't support it."""
    if not is_tensor(inputs):
        return None
    tensor = tf.convert_to_tensor(inputs)
    return tensor if tensor.dtype in _DTYPES and tensor.shape.rank != 0 else None


def _drops_some(rate: Any) -> bool:
    return isinstance(rate, (float, int)) and 0 < rate < 1


def _is_shape(shape: Any) -> bool:
    return shape is None or (isinstance(shape, (list, tuple)) and len(shape) > 0)


def _is_shape_of(inputs: Any, shape: Sequence[Any] | None) -> bool:
    """Whether `shape` asks for a separate number for each element of `inputs`."""
    if shape is None:
        return True
    if inputs.shape.rank != len(shape):
        return False
    return all(
        size is None or (isinstance(size, int) and size == known)
        for size, known in zip(shape, inputs.shape.as_list(), strict=True)
    )


def _kept(inputs: Any, seed: Any, rate: float, shape: Sequence[Any] | None, dtype: Any) -> Any:
    """The mask of kept elements, of `shape` with None replaced by the sizes of `inputs`."""
    sizes = tf.shape(inputs)
    if shape is not None:
        sizes = [sizes[i] if size is None else size for i, size in enumerate(shape)]
    return flatten_mask(tf.ones(sizes, dtype), seed, float(rate), 0.0, flatten=False) != 0


def dropout(
    inputs: Any, rate: Any, noise_shape: Any, generator: Any, draw: Draw = draw_next
) -> Any:
    """Computes Keras's `random.dropout`."""
    tensor = _tensor(inputs)
    if tensor is None or not _drops_some(rate) or not _is_shape(noise_shape):
        return None
    seed = next_seed(generator, draw)
    if _is_shape_of(tensor, noise_shape):
        return flatten_dropout(tensor, seed, float(rate), flatten=False)
    kept = _kept(tensor, seed, rate, noise_shape, compute_dtype(tensor.dtype))
    return tf.where(kept, tensor * (1.0 / (1.0 - rate)), tf.zeros([], tensor.dtype))


def gaussian_noise(layer: Any, inputs: Any, draw: Draw = draw_next) -> Any:
    """Computes `keras.layers.GaussianNoise` in training."""
    tensor = _tensor(inputs)
    if tensor is None or tensor.dtype != layer.compute_dtype or layer.stddev <= 0:
        return None
    seed = next_seed(layer.seed_generator, draw)
    return flatten_add_normal(tensor, seed, 0.0, layer.stddev, flatten=False)


def gaussian_dropout(layer: Any, inputs: Any, draw: Draw = draw_next) -> Any:
    """Computes `keras.layers.GaussianDropout` in training."""
    tensor = _tensor(inputs)
    if tensor is None or tensor.dtype != layer.compute_dtype or not _drops_some(layer.rate):
        return None
    stddev = math.sqrt(layer.rate / (1.0 - layer.rate))
    seed = next_seed(layer.seed_generator, draw)
    return flatten_multiply_normal(tensor, seed, 1.0, stddev, flatten=False)


def alpha_dropout(layer: Any, inputs: Any, draw: Draw = draw_next) -> Any:
    """Computes `keras.layers.AlphaDropout` in training."""
    tensor = _tensor(inputs)
    rate, noise_shape = layer.rate, layer.noise_shape
    if tensor is None or not _drops_some(rate) or not _is_shape(noise_shape):
        return None
    seed = next_seed(layer.seed_generator, draw)
    # Keras draws in `keras.config.floatx()`, regardless of the dtype of the inputs.
    drawn = tf.float64 if keras.config.floatx() == "float64" else tf.float32
    if _is_shape_of(tensor, noise_shape) and drawn == compute_dtype(tensor.dtype):
        return flatten_alpha_dropout(tensor, seed, float(rate), flatten=False)
    _, dropped, scale, shift = ALPHA_DROPOUT.to_op(np, rate)
    kept = _kept(tensor, seed, rate, noise_shape, drawn)
    return tf.where(kept, tensor * float(scale) + float(shift), tf.cast(dropped, tensor.dtype))
