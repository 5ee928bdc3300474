"""Gradients of the compiled ops, of every order.

Every combination is linear in its input, so the op itself makes the input's gradient. Where it is
linear in its parameters too, the gradient op makes theirs, which is linear in `grad`: each of the
two ops is made of the other. Where it isn't, the op picks the terms of a parameter's gradient, and
the gradient op of additive noise sums them, in its fixed order. So higher orders follow from these.
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

# Where the parameters begin among the inputs of both ops.
_FIRST_PARAMETER = 3


def _skipped_inputs(op: Any) -> frozenset[int]:
    # Eager tapes say which gradients nobody asked for; graphs prune what is not used.
    return frozenset(getattr(op, "skip_input_indices", None) or ())


def _text(op: Any, attribute: str) -> str:
    return str(tf.compat.as_str(op.get_attr(attribute)))


def _combination(op: Any) -> Combination:
    return COMBINATIONS[_text(op, "combination")]


def _stream(op: Any) -> dict[str, Any]:
    """The arguments that an op shares with those that its gradients are made of."""
    return {
        "seed": op.inputs[1],
        "offset": op.inputs[2],
        "distribution": _text(op, "distribution"),
        "combination": _text(op, "combination"),
    }


def _apply(op: Any, input: Any, parameters: Sequence[Any]) -> Any:
    """What the op makes of another input and other parameters, with the same noise."""
    dtype = compute_dtype(input.dtype)
    return library.load().ops.flatnoise_flatten_noise(
        input=input,
        parameters=[_as_tensor(parameter, dtype) for parameter in parameters],
        flatten=False,
        **_stream(op),
    )


def _as_tensor(parameter: Any, dtype: Any) -> Any:
    if isinstance(parameter, float):  # as an array: TensorFlow may take -0.0 for 0.0
        return tf.constant(np.asarray(parameter, dtype.as_numpy_dtype))
    return tf.cast(parameter, dtype)


def _flatten_noise_grad(op: Any, grad: Any) -> list[Any]:
    x, _, _, *parameters = op.inputs
    skipped = _skipped_inputs(op)
    grads: list[Any] = [None] * len(op.inputs)
    if 0 not in skipped:
        grads[0] = tf.reshape(_input_grad(op, grad, parameters), shape_of(x))
    wanted = [k for k in range(len(parameters)) if _FIRST_PARAMETER + k not in skipped]
    if not wanted:
        return grads
    if _combination(op).is_linear:
        grads[_FIRST_PARAMETER:] = _linear_grads(op, grad, x, parameters)
    else:
        for k in wanted:
            grads[_FIRST_PARAMETER + k] = _replaced_grad(op, grad, x, parameters, k)
    return grads


def _input_grad(op: Any, grad: Any, parameters: list[Any]) -> Any:
    of_input = _combination(op).input_grad_parameters
    return grad if of_input is None else _apply(op, grad, of_input(parameters))


def _linear_grads(op: Any, grad: Any, x: Any, parameters: list[Any]) -> Any:
    return library.load().ops.flatnoise_flatten_noise_grad(
        grad=grad,
        parameters=parameters,
        # What isn't read isn't kept alive either.
        input=x if _combination(op).parameter_grads_need_input else grad,
        **_stream(op),
    )


def _replaced_grad(op: Any, grad: Any, x: Any, parameters: list[Any], k: int) -> Any:
    """The gradient of parameter k where the output isn't linear in all of them."""
    terms_of = (_combination(op).replaced_grads or {}).get(k)
    if terms_of is None:
        return None
    # Terms of half precision would be rounded before they are summed.
    grad = tf.cast(grad, compute_dtype(grad.dtype))
    input, changed = terms_of(grad, tf.reshape(tf.cast(x, grad.dtype), shape_of(grad)), parameters)
    terms = _apply(op, tf.zeros_like(grad) if isinstance(input, float) else input, changed)
    return _sum_to(parameters[k], terms)


def _sum_to(parameter: Any, terms: Any) -> Any:
    """Terms summed over what the parameter was broadcast over: the gradient of an added `loc`."""
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
    # The sums of c·grad and c·grad·z, weighted by l and s, are the sum of grad·(c·(l + s·z)), where
    # c is 1 or the input: what the op makes of 0 or of the input.
    grad, *_, x = op.inputs
    grads: list[Any] = [None] * len(op.inputs)
    if not _combination(op).parameter_grads_need_input:
        grads[0] = _apply(op, tf.zeros_like(grad), upstream)
        return grads
    grads[0] = _apply(op, tf.reshape(x, shape_of(grad)), upstream)
    grads[-1] = tf.reshape(_apply(op, grad, upstream), shape_of(x))
    return grads


def register() -> None:
    """Makes the gradients known to TensorFlow; to be called once per process."""
    tf.RegisterGradient("Flatnoise>FlattenNoise")(_flatten_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenNoiseGrad")(_flatten_noise_grad_grad)
