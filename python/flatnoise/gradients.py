"""Gradients of the compiled ops, of every order.

The op that adds is linear in `input`, `loc` and `scale`, and its gradient op is linear in `grad`:
each is the other's derivative. The gradients of the op that multiplies are made of both. So higher
orders follow from these three.
"""

from typing import Any

from flatnoise import library
from flatnoise._tensorflow import tf
from flatnoise.shapes import shape_of

__all__ = ["register"]

_LOC_AND_SCALE = frozenset({2, 3})


def _skipped_inputs(op: Any) -> frozenset[int]:
    # Eager tapes say which gradients nobody asked for; graphs prune what is not used.
    return frozenset(getattr(op, "skip_input_indices", None) or ())


def _distribution(op: Any) -> str:
    return str(tf.compat.as_str(op.get_attr("distribution")))


def _flatten_add_noise_grad(op: Any, grad: Any) -> tuple[Any, ...]:
    x, seed, loc, scale, offset = op.inputs
    input_grad = tf.reshape(grad, shape_of(x))
    if _skipped_inputs(op) >= _LOC_AND_SCALE:
        return input_grad, None, None, None, None
    loc_grad, scale_grad = library.load().ops.flatnoise_flatten_add_noise_grad(
        grad=grad, seed=seed, loc=loc, scale=scale, offset=offset, distribution=_distribution(op)
    )
    return input_grad, None, loc_grad, scale_grad, None


def _flatten_multiply_noise_grad(op: Any, grad: Any) -> tuple[Any, ...]:
    x, seed, loc, scale, offset = op.inputs
    stream = {
        "seed": seed,
        "loc": loc,
        "scale": scale,
        "offset": offset,
        "distribution": _distribution(op),
    }
    ops = library.load().ops
    # The product is linear in its input, so the same factors go to the gradient.
    input_grad = ops.flatnoise_flatten_multiply_noise(input=grad, flatten=False, **stream)
    input_grad = tf.reshape(input_grad, shape_of(x))
    if _skipped_inputs(op) >= _LOC_AND_SCALE:
        return input_grad, None, None, None, None
    # In the type of the parameters, or a half-precision product would be rounded before the sum.
    by_factor = tf.cast(grad, loc.dtype) * tf.cast(tf.reshape(x, shape_of(grad)), loc.dtype)
    loc_grad, scale_grad = ops.flatnoise_flatten_add_noise_grad(grad=by_factor, **stream)
    return input_grad, None, loc_grad, scale_grad, None


def _flatten_add_noise_grad_grad(op: Any, loc_grad: Any, scale_grad: Any) -> tuple[Any, ...]:
    grad, seed, _, _, offset = op.inputs
    # d(Σ dy)·g + d(Σ dy·z)·h = g + h·z: the op itself, with zero input.
    grad_grad = library.load().ops.flatnoise_flatten_add_noise(
        input=tf.zeros_like(grad),
        seed=seed,
        loc=loc_grad,
        scale=scale_grad,
        offset=offset,
        distribution=_distribution(op),
        flatten=False,
    )
    return grad_grad, None, None, None, None


def register() -> None:
    """Makes the gradients known to TensorFlow; to be called once per process."""
    tf.RegisterGradient("Flatnoise>FlattenAddNoise")(_flatten_add_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenMultiplyNoise")(_flatten_multiply_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenAddNoiseGrad")(_flatten_add_noise_grad_grad)
