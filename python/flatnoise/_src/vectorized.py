"""Vectorization of the compiled ops for `tf.vectorized_map` and Jacobians.

If all iterations have the same seed and offset, they have the same noise. The op draws it once, and
stock ops combine it with the stacked operands. If the iterations have different streams, each needs
its own call of the op, so TensorFlow creates a loop, as for its stateless random ops.

An operand is TensorFlow's pair of a tensor `t` and a flag `is_stacked`, which tells whether its
first axis is the iteration.
"""

from typing import Any

from flatnoise._src import broadcasting, fallback
from flatnoise._src.arguments import compute_dtype, negative_zero
from flatnoise._src.noises import COMBINATIONS
from flatnoise._src.standard_noise import standard_noise
from flatnoise._src.tensorflow import tf

try:  # private API: without it, TensorFlow uses its default
    from tensorflow.python.ops.parallel_for.pfor import (
        ConversionNotImplementedError,
        RegisterPFor,
        wrap,
    )
except ImportError:
    RegisterPFor = None

__all__ = ["register"]


def _not_at_once(loop: Any, why: str) -> Exception:
    """Makes TensorFlow fall back to a loop, or raise with the reason if the user forbids loops."""
    error: Exception = ConversionNotImplementedError(f"{loop.op_type} needs a loop: {why}.")
    return error


def _text(loop: Any, attribute: str) -> str:
    return str(tf.compat.as_str(loop.get_attr(attribute)))


def _rank(loop: Any, shape: Any) -> int:
    if shape.rank is None:
        raise _not_at_once(loop, "the rank of one of its tensors is not known")
    rank: int = shape.rank
    return rank


def _sizes(operand: Any) -> Any:
    """The shape per iteration."""
    shape = tf.shape(operand.t, out_type=tf.int64)
    return shape[1:] if operand.is_stacked else shape


def _reshaped(loop: Any, operand: Any, shape: Any) -> Any:
    """An operand's tensor, reshaped per iteration."""
    if operand.is_stacked:
        shape = tf.concat([tf.cast(loop.pfor.loop_len_vector, tf.int64), shape], 0)
    return tf.reshape(operand.t, shape)


def _aligned(loop: Any, operand: Any, rank: int) -> Any:
    """An operand's tensor, with its shape per iteration padded with leading ones."""
    if not operand.is_stacked:
        return operand.t
    ones = [tf.newaxis] * (rank + 1 - _rank(loop, operand.t.shape))
    index = (slice(None), *ones)
    return operand.t[index]


def _noise(loop: Any, shape: Any, dtype: Any) -> Any:
    """The numbers z, which are the same in all iterations."""
    seed, offset = loop.input(1), loop.input(2)
    if seed.is_stacked or offset.is_stacked:
        raise _not_at_once(loop, "every iteration has another seed or offset")
    distribution = _text(loop, "distribution")
    return standard_noise(distribution, shape, seed.t, offset.t, dtype)


def _combined(loop: Any, x: Any, z: Any, combination: str) -> Any:
    """The op's output for all iterations, for elements in the output's shape."""
    output = loop.output(0)
    last = 3 + loop.get_attr("num_parameters")
    bounds = loop.inputs[last:]
    if any(each.is_stacked for each in bounds):
        raise _not_at_once(loop, "every iteration has other bounds")
    rank = _rank(loop, output.shape)
    noisy = fallback.combine(
        x,
        z,
        [_aligned(loop, parameter, rank) for parameter in loop.inputs[3:last]],
        distribution=_text(loop, "distribution"),
        combination=combination,
        validate_args=loop.get_attr("validate_args"),
        bounds=[each.t for each in bounds],
    )
    return fallback.stored(noisy, output.dtype)


def _elements_and_noise(loop: Any) -> tuple[Any, Any]:
    """The op's input in the compute dtype and the output's shape, and z."""
    x = loop.input(0)
    dtype = compute_dtype(loop.output(0).dtype)
    shape = _sizes(x)
    if loop.get_attr("flatten"):
        shape = tf.stack([shape[0], tf.reduce_prod(shape[1:])])
    return tf.cast(_reshaped(loop, x, shape), dtype), _noise(loop, shape, dtype)


def _convert_flatten_noise(loop: Any) -> Any:
    x, z = _elements_and_noise(loop)
    return wrap(_combined(loop, x, z, _text(loop, "combination")), True)


def _convert_flatten_noise_with_z(loop: Any) -> Any:
    x, z = _elements_and_noise(loop)
    noisy = _combined(loop, x, z, _text(loop, "combination"))
    return [wrap(noisy, True), wrap(tf.cast(z, noisy.dtype), False)]


def _convert_flatten_noise_of_bytes(loop: Any) -> Any:
    x, z = _elements_and_noise(loop)
    x *= loop.get_attr("byte_scale")
    return wrap(_combined(loop, x, z, _text(loop, "combination")), True)


def _convert_noise(loop: Any) -> Any:
    shape = loop.input(0)
    if shape.is_stacked:
        raise _not_at_once(loop, "every iteration has another shape")
    dtype = compute_dtype(loop.output(0).dtype)
    noisy = _combined(loop, negative_zero(dtype), _noise(loop, shape.t, dtype), "add")
    is_stacked = any(parameter.is_stacked for parameter in loop.inputs[3:])
    return wrap(noisy, is_stacked)


def _convert_gradients(loop: Any) -> Any:
    """The op's terms, summed in double precision like in the op, but in a different order."""
    grad, _, _, *parameters, x = loop.inputs
    dtype = parameters[0].t.dtype
    shape = _sizes(grad)
    z = _noise(loop, shape, dtype)
    kind = COMBINATIONS[_text(loop, "combination")]
    terms_of: Any = kind.parameter_terms
    is_stacked = grad.is_stacked or (kind.parameter_grads_need_input and x.is_stacked)
    stacked_shape = tf.concat([tf.cast(loop.pfor.loop_len_vector, tf.int64), shape], 0)
    g = tf.broadcast_to(tf.cast(grad.t, dtype), stacked_shape if is_stacked else shape)
    elements = (
        tf.cast(_reshaped(loop, x, shape), dtype) if kind.parameter_grads_need_input else None
    )
    return [
        wrap(_sums(loop, parameter.shape, terms, is_stacked), is_stacked)
        for parameter, terms in zip(loop.outputs, terms_of(g, elements, z), strict=True)
    ]


def _sums(loop: Any, shape: Any, terms: Any, is_stacked: bool) -> Any:
    """Sums terms per iteration over the dimensions that a parameter was broadcast over."""
    if not shape.is_fully_defined():
        raise _not_at_once(loop, "the shape of a parameter is not known")
    stacked = int(is_stacked)
    padded = broadcasting.padded(shape.as_list(), _rank(loop, loop.op.inputs[0].shape))
    axes = [stacked + axis for axis, size in enumerate(padded) if size == 1]
    sums = tf.cast(tf.reduce_sum(tf.cast(terms, tf.float64), axes), terms.dtype)
    return tf.reshape(sums, tf.concat([loop.pfor.loop_len_vector[:stacked], shape], 0))


def register() -> None:
    """Registers the converters with TensorFlow. Call once per process."""
    if RegisterPFor is not None:
        RegisterPFor("Flatnoise>FlattenNoise")(_convert_flatten_noise)
        RegisterPFor("Flatnoise>FlattenNoiseWithZ")(_convert_flatten_noise_with_z)
        RegisterPFor("Flatnoise>FlattenNoiseOfBytes")(_convert_flatten_noise_of_bytes)
        RegisterPFor("Flatnoise>Noise")(_convert_noise)
        RegisterPFor("Flatnoise>FlattenNoiseGrad")(_convert_gradients)
