"""Gradients of the compiled ops, of every order.

The op is linear in its parameters, and its gradient op is linear in `grad`: each is made of the
other. So higher orders follow from these two.
"""

from typing import Any

from flatnoise._src import library
from flatnoise._src.noises import COMBINATIONS, Combination
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


def _flatten_noise_grad(op: Any, grad: Any) -> list[Any]:
    x, _, _, *parameters = op.inputs
    skipped = _skipped_inputs(op)
    grads: list[Any] = [None] * len(op.inputs)
    if 0 not in skipped:
        grads[0] = tf.reshape(_input_grad(op, grad, parameters), shape_of(x))
    if not skipped.issuperset(range(_FIRST_PARAMETER, len(op.inputs))):
        grads[_FIRST_PARAMETER:] = library.load().ops.flatnoise_flatten_noise_grad(
            grad=grad,
            parameters=parameters,
            # What isn't read isn't kept alive either.
            input=x if _combination(op).parameter_grads_need_input else grad,
            **_stream(op),
        )
    return grads


def _input_grad(op: Any, grad: Any, parameters: list[Any]) -> Any:
    if _combination(op).input_grad_is_identity:
        return grad
    # The product is linear in its input, so the same factors go to the gradient.
    return library.load().ops.flatnoise_flatten_noise(
        input=grad, parameters=parameters, flatten=False, **_stream(op)
    )


def _flatten_noise_grad_grad(op: Any, *upstream: Any) -> list[Any]:
    # The sums of c·grad and c·grad·z, weighted by l and s, are the sum of grad·(c·(l + s·z)), where
    # c is 1 or the input: what the op makes of 0 or of the input.
    grad, *_, x = op.inputs
    run = library.load().ops.flatnoise_flatten_noise
    stream = {**_stream(op), "parameters": list(upstream), "flatten": False}
    grads: list[Any] = [None] * len(op.inputs)
    if not _combination(op).parameter_grads_need_input:
        grads[0] = run(input=tf.zeros_like(grad), **stream)
        return grads
    grads[0] = run(input=tf.reshape(x, shape_of(grad)), **stream)
    grads[-1] = tf.reshape(run(input=grad, **stream), shape_of(x))
    return grads


def register() -> None:
    """Makes the gradients known to TensorFlow; to be called once per process."""
    tf.RegisterGradient("Flatnoise>FlattenNoise")(_flatten_noise_grad)
    tf.RegisterGradient("Flatnoise>FlattenNoiseGrad")(_flatten_noise_grad_grad)
