"""Gradients of the compiled ops, of any order.

Every combination is linear in its input, so the op itself computes the input's gradient. If the
combination is also linear in its parameters, the gradient op computes their gradients. It is linear
in `grad`, so the derivative of each op is given by the other. Otherwise, the op computes the terms
of a parameter's gradient, and the gradient op for additive noise sums them in its fixed order.
Higher orders follow from these rules.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from flatnoise._src import library
from flatnoise._src.arguments import compute_dtype
from flatnoise._src.noises import ADD, COMBINATIONS, Combination
from flatnoise._src.shapes import shape_of
from flatnoise._src.tensorflow import tf

__all__ = ["register"]

# The index of the first parameter among the inputs of both ops.
_FIRST_PARAMETER = 3


def _skipped_inputs(op: Any) -> frozenset[int]:
    # Eager tapes name the gradients that aren't needed. Graphs prune unused ops.
    return frozenset(getattr(op, "skip_input_indices", None) or ())


def _text(op: Any, attribute: str) -> str:
    return str(tf.compat.as_str(op.get_attr(attribute)))


def _combination(op: Any) -> Combination:
    # An op without an input returns the noise, as if added to nothing.
    return ADD if op.type == "Flatnoise>Noise" else COMBINATIONS[_text(op, "combination")]


def _stream(op: Any) -> dict[str, Any]:
    """The arguments that an op shares with the ops of its gradients."""
    return {
        "seed": op.inputs[1],
        "offset": op.inputs[2],
        "distribution": _text(op, "distribution"),
        "combination": _combination(op).name,
    }


def _apply(op: Any, input: Any, parameters: Sequence[Any]) -> Any:
    """Applies the op to another input and other parameters, with the same noise."""
    dtype = compute_dtype(input.dtype)
    return library.load().ops.flatnoise_flatten_noise(
        input=input,
        parameters=[_as_tensor(parameter, dtype) for parameter in parameters],
        bounds=[],
        flatten=False,
        **_stream(op),
    )


def _as_tensor(parameter: Any, dtype: Any) -> Any:
    if isinstance(parameter, float):  # an array, because TensorFlow may confuse -0.0 with 0.0
        return tf.constant(np.asarray(parameter, dtype.as_numpy_dtype))
    return tf.cast(parameter, dtype)


def _parameters_and_bounds(op: Any) -> tuple[list[Any], list[Any]]:
    last = _FIRST_PARAMETER + op.get_attr("num_parameters")
    return list(op.inputs[_FIRST_PARAMETER:last]), list(op.inputs[last:])


def _flatten_noise_grad(op: Any, grad: Any, *_: Any) -> list[Any]:
    return _grads(op, grad, op.inputs[0])


def _flatten_noise_of_bytes_grad(op: Any, grad: Any) -> list[Any]:
    x = tf.cast(op.inputs[0], tf.float32) * op.get_attr("byte_scale")
    _, *grads = _grads(op, tf.cast(grad, tf.float32), x)
    return [None, *grads]


def _noise_grad(op: Any, grad: Any) -> list[Any]:
    parameters, _ = _parameters_and_bounds(op)
    return [None] * _FIRST_PARAMETER + _linear_grads(op, grad, grad, parameters)


def _grads(op: Any, grad: Any, x: Any) -> list[Any]:
    """The gradients of the op's inputs, where `x` is the first input in a float dtype."""
    parameters, bounds = _parameters_and_bounds(op)
    if bounds:
        grad = _grad_within_bounds(op, grad, x, parameters, *bounds)
    skipped = _skipped_inputs(op)
    grads: list[Any] = [None] * len(op.inputs)
    if 0 not in skipped:
        grads[0] = tf.reshape(_input_grad(op, grad, parameters), shape_of(x))
    wanted = [k for k in range(len(parameters)) if _FIRST_PARAMETER + k not in skipped]
    if not wanted:
        return grads
    if _combination(op).is_linear:
        last = _FIRST_PARAMETER + len(parameters)
        grads[_FIRST_PARAMETER:last] = _linear_grads(op, grad, x, parameters)
    else:
        for k in wanted:
            grads[_FIRST_PARAMETER + k] = _replaced_grad(op, grad, x, parameters, k)
    return grads


def _grad_within_bounds(op: Any, grad: Any, x: Any, parameters: list[Any], bounds: Any) -> Any:
    """The gradient before clipping. As for `tf.clip_by_value`, 0 where the output was clipped."""
    x = tf.reshape(tf.cast(x, compute_dtype(x.dtype)), shape_of(grad))
    low, high = tf.unstack(bounds)
    unclipped = _apply(op, x, parameters)
    return tf.where((unclipped < low) | (unclipped > high), tf.zeros_like(grad), grad)


def _input_grad(op: Any, grad: Any, parameters: Sequence[Any]) -> Any:
    kind = _combination(op)
    if kind.input_factor is not None:
        factor = parameters[kind.input_factor]
        return tf.cast(tf.cast(grad, factor.dtype) * factor, grad.dtype)
    if kind.input_grad_parameters is None:
        return grad
    return _apply(op, grad, kind.input_grad_parameters(parameters))


def _linear_grads(op: Any, grad: Any, x: Any, parameters: list[Any]) -> list[Any]:
    grads: list[Any] = library.load().ops.flatnoise_flatten_noise_grad(
        grad=grad,
        parameters=parameters,
        # Don't keep the input alive if it isn't read.
        input=x if _combination(op).parameter_grads_need_input else grad,
        **_stream(op),
    )
    return grads


def _replaced_grad(op: Any, grad: Any, x: Any, parameters: list[Any], k: int) -> Any:
    """The gradient of parameter k for a combination that isn't linear in its parameters."""
    terms_of = (_combination(op).replaced_grads or {}).get(k)
    if terms_of is None:
        return None
    # Half-precision terms would be rounded before summation.
    grad = tf.cast(grad, compute_dtype(grad.dtype))
    input, changed = terms_of(grad, tf.reshape(tf.cast(x, grad.dtype), shape_of(grad)), parameters)
    terms = _apply(op, tf.zeros_like(grad) if isinstance(input, float) else input, changed)
    return _sum_to(parameters[k], terms)


def _sum_to(parameter: Any, terms: Any) -> Any:
    """Sums terms over the parameter's broadcast dimensions: the gradient of an added `loc`."""
    sums, _ = library.load().ops.flatnoise_flatten_noise_grad(
        grad=terms,
        seed=[0, 0],
        offset=tf.constant(0, tf.int64),
        parameters=[parameter, tf.zeros([], parameter.dtype)],
        input=terms,
        distribution="uniform",
        combination=ADD.name,
    )
    return sums


def _flatten_noise_grad_grad(op: Any, *upstream: Any) -> list[Any]:
    # The sums of c·grad and c·grad·z, weighted by l and s, equal the sum of grad·(c·(l + s·z)),
    # where c is 1 or the input. The op computes c·(l + s·z) when applied to 0 or to the input.
    grad, *_, x = op.inputs
    grads: list[Any] = [None] * len(op.inputs)
    if not _combination(op).parameter_grads_need_input:
        grads[0] = _apply(op, tf.zeros_like(grad), upstream)
        return grads
    grads[0] = _apply(op, tf.reshape(x, shape_of(grad)), upstream)
    grads[-1] = tf.reshape(_input_grad(op, grad, upstream), shape_of(x))
    return grads


def register() -> None:
    """Registers the gradients with TensorFlow. Call once per process."""
    tf.RegisterGradient("Flatnoise>FlattenNoise")(_flatten_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenNoiseWithZ")(_flatten_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenNoiseOfBytes")(_flatten_noise_of_bytes_grad)
    tf.RegisterGradient("Flatnoise>Noise")(_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenNoiseGrad")(_flatten_noise_grad_grad)
