"""The fused forward process of diffusion models."""

from typing import Any

from flatnoise._src import arguments, shapes
from flatnoise._src.broadcasting import Output
from flatnoise._src.errors import check_choice, invalid_value
from flatnoise._src.export import export
from flatnoise._src.functions import as_runs, native_ops, stock_op
from flatnoise._src.noises import DIFFUSE
from flatnoise._src.tensorflow import tf

__all__ = ["diffuse"]


@export("flatnoise")
def diffuse(
    inputs: Any,
    seed: Any,
    signal_rate: Any,
    noise_rate: Any,
    *,
    return_noise: bool = False,
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Mix a tensor with normally distributed noise, as in the training of diffusion models.

    Computes `signal_rate * inputs + noise_rate * z`, the closed form of the forward process of Ho
    et al. (2020). There, `signal_rate` is the square root of the cumulative product of the alphas,
    and the squares of the rates sum to 1. `z` is the noise of `flatnoise.flatten_add_normal` for
    the same seed. The result has the shape of `inputs`. It is computed in float32 (float64 for
    float64 inputs) and rounded once.

    With `return_noise=True`, the same pass also writes `z`, the training target of the model.

    Reference:
        - [Ho et al., 2020](https://arxiv.org/abs/2006.11239)

    Examples:
        >>> images = tf.zeros([32, 64, 64, 3])
        >>> time = tf.random.stateless_uniform([32, 1, 1, 1], seed=[3, 4])
        >>> noisy, noise = flatnoise.diffuse(
        ...     images, [1, 2], tf.cos(time), tf.sin(time), return_noise=True
        ... )
        >>> noisy.shape, noise.shape
        (TensorShape([32, 64, 64, 3]), TensorShape([32, 64, 64, 3]))

    Args:
        inputs: A float16, bfloat16, float32 or float64 tensor of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        signal_rate: The factor for `inputs`: a finite number, or an array or floating-point tensor
            that broadcasts to the shape of `inputs`, such as `[batch, 1, 1, 1]` for a rate per
            image. Differentiable.
        noise_rate: The standard deviation of the noise. Otherwise like `signal_rate`.
        return_noise: Boolean. Whether to return `z` as well.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor with the dtype and shape of `inputs`. With `return_noise=True`, a pair of this
        tensor and the noise `z`, which has the same dtype and shape and no gradient.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a NaN, or a shape that doesn't broadcast. On GPUs, and where stock ops can't raise, as
            under XLA, invalid values make the output NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _diffuse(
        inputs,
        seed,
        (signal_rate, noise_rate),
        return_noise=return_noise,
        offset=offset,
        implementation=implementation,
        name=name,
    )


def _convert_input(inputs: Any) -> Any:
    tensor = arguments.convert_input(inputs)
    if tensor.dtype == tf.uint8:
        raise invalid_value("inputs", "a floating-point tensor", f"a uint8 tensor {tensor.shape}")
    return tensor


def _diffuse_in_python(
    inputs: Any,
    seed: Any,
    values: tuple[Any, ...],
    *,
    return_noise: bool,
    offset: Any,
    implementation: str,
    name: str | None,
) -> Any:
    check_choice("implementation", implementation, arguments.IMPLEMENTATIONS)
    inputs = _convert_input(inputs)
    return_noise = arguments.convert_flag("return_noise", return_noise)
    dtype = arguments.compute_dtype(inputs.dtype)
    output = Output(shapes.sizes(inputs.shape))
    call = {
        **arguments.parameter_arguments(DIFFUSE, values, dtype, lambda: output),
        "input": inputs,
        "seed": arguments.convert_seed(seed),
        "offset": arguments.convert_offset(offset),
        "combination": DIFFUSE.combination.name,
        "flatten": False,
        "name": name,
    }
    ops = native_ops(implementation, inputs)
    if ops is None:
        return stock_op(inputs)(**call, return_noise=return_noise)
    call["parameters"] = as_runs(call)
    if not return_noise:
        return ops.flatnoise_flatten_noise(**call, bounds=[])
    output, noise = ops.flatnoise_flatten_noise_with_z(**call)
    return output, tf.stop_gradient(noise)


# All branches are on Python values, so AutoGraph would only slow down tracing.
_diffuse = tf.autograph.experimental.do_not_convert(_diffuse_in_python)
