"""The compiled ops as they are registered, after the manner of ``tf.raw_ops``."""

from collections.abc import Sequence
from typing import Any

from flatnoise._src import gradients, library
from flatnoise._src.arguments import compute_dtype
from flatnoise._src.export import export
from flatnoise._src.tensorflow import tf

__all__ = ["FlattenNoise", "FlattenNoiseGrad"]

# Importing registers the ops, so that SavedModels that hold them can be loaded.
library.load()
gradients.register()


@export("flatnoise.raw_ops")
def FlattenNoise(
    *,
    input: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    distribution: str = "normal",
    combination: str = "add",
    flatten: bool = True,
    validate_args: bool = False,
    name: str | None = None,
) -> Any:
    """Combines `input` with noise, flattened to `[batch, features]`.

    Each element gets a number z of the distribution. The combinations, and the parameters that they
    take in this order:

    - `"add"`: input + (loc + scale * z), of `loc` and `scale`;
    - `"multiply"`: input * (loc + scale * z), of the same, for `"normal"`;
    - `"mask"`: value where z < rate, else scale * input + shift, of `rate`, `value`, `scale` and
      `shift`, for `"uniform"`. A shift of -0 leaves the product as it is;
    - `"salt_and_pepper"`: pepper where z < amount * (1 - salt_vs_pepper), salt where z >= 1 -
      amount * salt_vs_pepper, else input, of `amount`, `salt_vs_pepper`, `salt` and `pepper`, for
      `"uniform"`.

    The functions of `flatnoise` make these parameters of their own, check their arguments, expand
    parameters that the op doesn't read in place, and fall back to stock ops where the op can't run.

    Args:
        input: A `half`, `bfloat16`, `float32` or `float64` tensor of rank 1 or more.
        seed: An `int32` or `int64` tensor of shape `[2]`, or an `int64` one of shape `[3]`: the
            state of a `tf.random.Generator` with the Philox algorithm, as
            `tf.raw_ops.RngReadAndSkip` gives it. It stands for the pair of its last value and a
            256th of its first, rounded down, each modulo `2**31 - 2`: Keras's rule.
        offset: An `int64` scalar, at least 0: the element of the stream to start at.
        parameters: The combination's parameters, `float32` tensors (`float64` for `float64` input).
            Each broadcasts to the output's shape and varies over one contiguous run of its
            dimensions, such as `[features]`, `[batch, 1]` or `[height, width, channels]`.
        distribution: What z is: `"normal"` (mean 0, variance 1), `"uniform"` (on [0, 1)),
            `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            normal one between -2 and 2).
        combination: How z and the parameters change an element: one of those above.
        flatten: Whether the result is `[batch, features]` or has the shape of `input`.
        validate_args: Whether to refuse, for the first two combinations, a `loc` that is not finite
            and a `scale` that is negative or not finite, and for the others a `rate`, an `amount`
            and a `salt_vs_pepper` that is not from 0 to 1.
        name: A name for the operation.

    Returns:
        A tensor of the type of `input`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    run = _require("FlattenNoise").flatnoise_flatten_noise
    input = tf.convert_to_tensor(input)
    return run(
        input=input,
        seed=seed,
        offset=tf.convert_to_tensor(offset, tf.int64),
        parameters=_parameter_tensors(parameters, input),
        distribution=distribution,
        combination=combination,
        flatten=flatten,
        validate_args=validate_args,
        name=name,
    )


@export("flatnoise.raw_ops")
def FlattenNoiseGrad(
    *,
    grad: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    input: Any,
    distribution: str = "normal",
    combination: str = "add",
    name: str | None = None,
) -> list[Any]:
    """Computes the gradients of `FlattenNoise` with respect to its parameters.

    For the combination `"add"` the terms are ``grad`` and ``grad * z``, for `"multiply"` each times
    the input's element. They are summed in a fixed order over the dimensions that were broadcast.
    The other combinations aren't linear in their parameters, so they have no such op: gradients
    through `FlattenNoise` are made of itself.

    Args:
        grad: The gradient with respect to the output, of the output's shape.
        seed: The seed of `FlattenNoise`.
        offset: An `int64` scalar, at least 0: the element of the stream to start at.
        parameters: The parameters of `FlattenNoise`; they give their shapes alone.
        input: The input of `FlattenNoise`, of any shape that has as many elements as `grad`. The
            combination `"add"` doesn't read it: `grad` may stand in its place.
        distribution: What z is: `"normal"` (mean 0, variance 1), `"uniform"` (on [0, 1)),
            `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            normal one between -2 and 2).
        combination: How z and the parameters change an element: one of those above.
        name: A name for the operation.

    Returns:
        A list of tensors, of the types and shapes of `parameters`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    run = _require("FlattenNoiseGrad").flatnoise_flatten_noise_grad
    grad = tf.convert_to_tensor(grad)
    grads: list[Any] = run(
        grad=grad,
        seed=seed,
        offset=tf.convert_to_tensor(offset, tf.int64),
        parameters=_parameter_tensors(parameters, grad),
        input=input,
        distribution=distribution,
        combination=combination,
        name=name,
    )
    return grads


def _require(operation: str) -> Any:
    found = library.load()
    if not found.loaded:
        raise RuntimeError(f"{operation} needs the compiled op: {found.reason}.")
    return found.ops


def _parameter_tensors(parameters: Sequence[Any], tensor: Any) -> list[Any]:
    dtype = compute_dtype(tensor.dtype)
    return [tf.convert_to_tensor(parameter, dtype) for parameter in parameters]
