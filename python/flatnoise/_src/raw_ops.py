"""Direct access to the compiled ops, like ``tf.raw_ops``."""

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

# Importing registers the ops, so that SavedModels that contain them can be loaded.
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
    """Combine `input` with noise, flattened to `[batch, features]`.

    Each element is combined with a number z drawn from the distribution. The combinations, with
    their parameters in order, are:

    - `"add"` (`loc`, `scale`): `input + (loc + scale * z)`.
    - `"multiply"` (`loc`, `scale`): `input * (loc + scale * z)`. Only for `"normal"`.
    - `"diffuse"` (`signal_rate`, `noise_rate`): `signal_rate * input + noise_rate * z`. Only for
      `"normal"`.
    - `"mask"` (`rate`, `value`, `scale`, `shift`): `value` where `z < rate`, else
      `scale * input + shift`. Only for `"uniform"`. A `shift` of -0 leaves the product unchanged.
    - `"salt_and_pepper"` (`amount`, `salt_vs_pepper`, `salt`, `pepper`): `pepper` where
      `z < amount * (1 - salt_vs_pepper)`, `salt` where `z >= 1 - amount * salt_vs_pepper`, else
      `input`. Only for `"uniform"`.

    The functions of `flatnoise` compute these parameters from their own, check their arguments,
    expand parameters that the op can't read in place, and fall back to stock ops where the op can't
    run.

    Args:
        input: A `half`, `bfloat16`, `float32` or `float64` tensor of rank 1 or more.
        seed: An `int32` or `int64` tensor of shape `[2]`, or the state of a `tf.random.Generator`
            with the Philox algorithm, as returned by `tf.raw_ops.RngReadAndSkip`: an `int64` tensor
            of shape `[3]`. By Keras's rule, a state `s` means the seed
            `[s[2] % m, (s[0] // 256) % m]` with `m = 2**31 - 2`.
        offset: An `int64` scalar, at least 0: the first element of the stream to use.
        parameters: The combination's parameters, `float32` tensors (`float64` for `float64` input).
            Each broadcasts to the output's shape and varies over one contiguous run of its
            dimensions, such as `[features]`, `[batch, 1]` or `[height, width, channels]`.
        bounds: Empty, or one tensor of the parameters' dtype and of shape `[2]`: the two numbers to
            clip the output to, the lower one first.
        distribution: The distribution of z: `"normal"` (mean 0, variance 1), `"uniform"` (on
            [0, 1)), `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            standard normal truncated to [-2, 2]).
        combination: How z and the parameters change an element, one of the above.
        flatten: Whether the result has shape `[batch, features]` or the shape of `input`.
        validate_args: Whether to reject a `loc`, `scale`, `signal_rate` or `noise_rate` that isn't
            finite, a negative `scale`, a `rate`, `amount` or `salt_vs_pepper` outside the range
            from 0 to 1, and a lower bound above the upper bound.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `input`.

    Raises:
        RuntimeError: If the compiled op can't be loaded. The message says why.
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
    """Combine `input` with noise like `FlattenNoise`, and return that noise too.

    Args:
        input: As in `FlattenNoise`.
        seed: As in `FlattenNoise`.
        offset: As in `FlattenNoise`.
        parameters: As in `FlattenNoise`.
        distribution: As in `FlattenNoise`.
        combination: As in `FlattenNoise`, but only `"diffuse"` is supported.
        flatten: As in `FlattenNoise`.
        validate_args: As in `FlattenNoise`.
        name: A name for the operation (optional).

    Returns:
        A named tuple `(output, noise)` of two tensors of the same dtype and shape.

    Raises:
        RuntimeError: If the compiled op can't be loaded. The message says why.
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
    """Combine a uint8 tensor with noise like `FlattenNoise`, in float32. Only for CPUs.

    Args:
        input: A `uint8` tensor of rank 1 or more.
        seed: As in `FlattenNoise`.
        offset: As in `FlattenNoise`.
        parameters: As in `FlattenNoise`, in `float32`.
        T: The output's dtype: `uint8`, `half`, `bfloat16` or `float32`. `uint8` outputs are rounded
            to nearest, ties to even, and saturate at 0 and 255. NaN becomes 0.
        bounds: As in `FlattenNoise`, in `float32`.
        distribution: As in `FlattenNoise`.
        combination: As in `FlattenNoise`.
        flatten: As in `FlattenNoise`.
        validate_args: As in `FlattenNoise`.
        byte_scale: The factor that `input` is multiplied by before it is combined with noise.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `T`.

    Raises:
        RuntimeError: If the compiled op can't be loaded. The message says why.
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
    """Draw noise without an input: loc + scale * z.

    Args:
        shape: An `int32` or `int64` vector: the output's shape, of rank 1 or more.
        seed: As in `FlattenNoise`.
        offset: As in `FlattenNoise`.
        parameters: As in `FlattenNoise`: `loc` and `scale`.
        T: The output's dtype: `half`, `bfloat16`, `float32` or `float64`.
        distribution: As in `FlattenNoise`.
        validate_args: As in `FlattenNoise`.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `T`.

    Raises:
        RuntimeError: If the compiled op can't be loaded. The message says why.
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
    """Compute the gradients of `FlattenNoise` with respect to its parameters.

    For the combination `"add"`, the terms are `grad` and `grad * z`. For `"multiply"`, each is also
    multiplied by the element of `input`. For `"diffuse"`, the terms are `grad * input` and
    `grad * z`. The terms are summed in a fixed order over the broadcast dimensions. The other
    combinations aren't linear in their parameters and aren't supported here. Their gradients are
    computed with `FlattenNoise`.

    Args:
        grad: The gradient with respect to the output, of the output's shape.
        seed: As in `FlattenNoise`.
        offset: An `int64` scalar, at least 0: the first element of the stream to use.
        parameters: The parameters of `FlattenNoise`. Only their shapes are used.
        input: The input of `FlattenNoise`, of any shape with as many elements as `grad`. The
            combination `"add"` doesn't read it, so `grad` can be passed instead.
        distribution: The distribution of z: `"normal"` (mean 0, variance 1), `"uniform"` (on
            [0, 1)), `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            standard normal truncated to [-2, 2]).
        combination: How z and the parameters change an element, one of the above.
        name: A name for the operation (optional).

    Returns:
        A list of tensors with the dtypes and shapes of `parameters`.

    Raises:
        RuntimeError: If the compiled op can't be loaded. The message says why.
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
