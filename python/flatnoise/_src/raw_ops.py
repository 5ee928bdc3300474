"""The compiled ops as they are registered, after the manner of ``tf.raw_ops``."""

from collections.abc import Sequence
from typing import Any

from flatnoise._src import gradients, library, vectorized
from flatnoise._src.arguments import compute_dtype
from flatnoise._src.export import export
from flatnoise._src.tensorflow import tf

__all__ = [
    "FlattenNoise",
    "FlattenNoiseGrad",
    "FlattenNoiseOfBytes",
    "FlattenNoiseWithZ",
    "Noise",
]

# Importing registers the ops, so that SavedModels that hold them can be loaded.
library.load()
gradients.register()
vectorized.register()


@export("flatnoise.raw_ops")
def FlattenNoise(
    *,
    input: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    bounds: Sequence[Any] = (),
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
    - `"diffuse"`: signal_rate * input + noise_rate * z, of `signal_rate` and `noise_rate`, for
      `"normal"`;
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
        bounds: Nothing, or one tensor of the parameters' type and of shape `[2]`: two numbers that
            the output stays between, the lower one first.
        distribution: What z is: `"normal"` (mean 0, variance 1), `"uniform"` (on [0, 1)),
            `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            normal one between -2 and 2).
        combination: How z and the parameters change an element: one of those above.
        flatten: Whether the result is `[batch, features]` or has the shape of `input`.
        validate_args: Whether to refuse a `loc`, `scale`, `signal_rate` or `noise_rate` that is not
            finite, a `scale` that is negative, a `rate`, `amount` or `salt_vs_pepper` that is not
            from 0 to 1, and bounds of which the first is above the second.
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
        parameters=_parameter_tensors(parameters, input.dtype),
        bounds=_parameter_tensors(bounds, input.dtype),
        distribution=distribution,
        combination=combination,
        flatten=flatten,
        validate_args=validate_args,
        name=name,
    )


@export("flatnoise.raw_ops")
def FlattenNoiseWithZ(
    *,
    input: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    distribution: str = "normal",
    combination: str = "diffuse",
    flatten: bool = True,
    validate_args: bool = False,
    name: str | None = None,
) -> Any:
    """Combines `input` with noise as `FlattenNoise` does, and gives that noise too.

    Args:
        input: As in `FlattenNoise`.
        seed: As in `FlattenNoise`.
        offset: As in `FlattenNoise`.
        parameters: As in `FlattenNoise`.
        distribution: As in `FlattenNoise`.
        combination: As in `FlattenNoise`, of those that return their noise: `"diffuse"`.
        flatten: As in `FlattenNoise`.
        validate_args: As in `FlattenNoise`.
        name: A name for the operation.

    Returns:
        Two tensors of one type and shape, by the names `output` and `noise`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    run = _require("FlattenNoiseWithZ").flatnoise_flatten_noise_with_z
    input = tf.convert_to_tensor(input)
    return run(
        input=input,
        seed=seed,
        offset=tf.convert_to_tensor(offset, tf.int64),
        parameters=_parameter_tensors(parameters, input.dtype),
        distribution=distribution,
        combination=combination,
        flatten=flatten,
        validate_args=validate_args,
        name=name,
    )


@export("flatnoise.raw_ops")
def FlattenNoiseOfBytes(
    *,
    input: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    T: Any,
    bounds: Sequence[Any] = (),
    distribution: str = "normal",
    combination: str = "add",
    flatten: bool = True,
    validate_args: bool = False,
    byte_scale: float = 1.0,
    name: str | None = None,
) -> Any:
    """Combines bytes with noise as `FlattenNoise` does, in float32. CPUs alone have a kernel.

    Args:
        input: A `uint8` tensor of rank 1 or more.
        seed: As in `FlattenNoise`.
        offset: As in `FlattenNoise`.
        parameters: As in `FlattenNoise`, of `float32`.
        T: The output's type: `uint8`, `half`, `bfloat16` or `float32`. Bytes are rounded to
            nearest, ties to even, and end at 0 and 255; NaN becomes 0.
        bounds: As in `FlattenNoise`, of `float32`.
        distribution: As in `FlattenNoise`.
        combination: As in `FlattenNoise`.
        flatten: As in `FlattenNoise`.
        validate_args: As in `FlattenNoise`.
        byte_scale: What `input` is multiplied by before it is combined with noise.
        name: A name for the operation.

    Returns:
        A tensor of type `T`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    run = _require("FlattenNoiseOfBytes").flatnoise_flatten_noise_of_bytes
    return run(
        input=input,
        seed=seed,
        offset=tf.convert_to_tensor(offset, tf.int64),
        parameters=_parameter_tensors(parameters, tf.float32),
        bounds=_parameter_tensors(bounds, tf.float32),
        T=T,
        distribution=distribution,
        combination=combination,
        flatten=flatten,
        validate_args=validate_args,
        byte_scale=byte_scale,
        name=name,
    )


@export("flatnoise.raw_ops")
def Noise(
    *,
    shape: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    T: Any,
    distribution: str = "normal",
    validate_args: bool = False,
    name: str | None = None,
) -> Any:
    """Makes noise by itself: loc + scale * z.

    Args:
        shape: An `int32` or `int64` vector: the output's shape, of rank 1 or more.
        seed: As in `FlattenNoise`.
        offset: As in `FlattenNoise`.
        parameters: As in `FlattenNoise`, of `loc` and `scale`.
        T: The output's type: `half`, `bfloat16`, `float32` or `float64`.
        distribution: As in `FlattenNoise`.
        validate_args: As in `FlattenNoise`.
        name: A name for the operation.

    Returns:
        A tensor of type `T`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    run = _require("Noise").flatnoise_noise
    return run(
        shape=shape,
        seed=seed,
        offset=tf.convert_to_tensor(offset, tf.int64),
        parameters=_parameter_tensors(parameters, tf.as_dtype(T)),
        T=T,
        distribution=distribution,
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
        seed: As in `FlattenNoise`.
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
        parameters=_parameter_tensors(parameters, grad.dtype),
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


def _parameter_tensors(parameters: Sequence[Any], tensor_dtype: Any) -> list[Any]:
    dtype = compute_dtype(tensor_dtype)
    return [tf.convert_to_tensor(parameter, dtype) for parameter in parameters]
