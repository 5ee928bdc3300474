"""The functional API: flatten a tensor and apply noise to it, in one pass."""

from collections.abc import Callable
from typing import Any

import numpy as np

from flatnoise import arguments, gpu, library, twin
from flatnoise._tensorflow import tf
from flatnoise.shapes import feature_count

__all__ = ["flatten_add_normal", "flatten_add_uniform", "flatten_multiply_normal"]


def flatten_add_normal(
    inputs: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flattens a tensor to `[batch, features]` and adds normally distributed noise.

    Computes `inputs + (mean + stddev * z)`, where `z` is the float32 stream of
    `tf.random.stateless_normal(..., seed, alg="philox")` (the float64 one for float64 inputs) in
    the row-major order of `inputs`. The sum is made in float32 (float64) and rounded once to the
    type of `inputs`, so noise on float16 and bfloat16 tensors is as fine as these types can hold.

    The same seed gives the same noise on every device, inside and outside XLA, with any number of
    threads. As `tf.random.stateless_*` ops do, it keeps no state: pass another seed to get other
    noise. The words come from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
    1, 2, 3", 2011), and become normal by the method of Box and Muller (1958).

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_normal(images, seed=[1, 2], stddev=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32 or float64 tensor of rank 1 or more, the batch first.
        seed: Two integers, or an int32 or int64 tensor of shape `[2]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number or a floating-point
            tensor, a scalar or `[features]` for a mean per feature. Differentiable.
        stddev: The standard deviation of the noise, at least 0; otherwise as `mean`.
        flatten: Whether to flatten to `[batch, features]` (`[batch, 1]` for inputs of rank 1), or
            to keep the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops,
            or `"auto"`: the compiled op where it can run, stock ops elsewhere. Their results
            differ by at most a few units in the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, of shape `[batch, features]`, or that of `inputs` where
        `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `stddev`, a NaN, a vector whose length isn't the number of
            features. On a GPU, and where stock ops can't raise, as under XLA, wrong values make
            the result NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _noisy(
        "flatten_add_noise",
        inputs,
        seed,
        _normal_parameters,
        mean,
        stddev,
        flatten,
        offset,
        implementation,
        name,
    )


def flatten_add_uniform(
    inputs: Any,
    seed: Any,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flattens a tensor to `[batch, features]` and adds uniformly distributed noise.

    Computes `inputs + (minval + (maxval - minval) * u)`, where `u` is the float32 stream of
    `tf.random.stateless_uniform(..., seed, alg="philox")` on [0, 1) (the float64 one for float64
    inputs). In all else it is as `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([16, 32, 32, 3])
        >>> flatnoise.flatten_add_uniform(images, seed=[1, 2], minval=-0.1, maxval=0.1).shape
        TensorShape([16, 3072])

    Args:
        inputs: A float16, bfloat16, float32 or float64 tensor of rank 1 or more, the batch first.
        seed: Two integers, or an int32 or int64 tensor of shape `[2]`.
        minval: The least noise, in the units of `inputs`: a finite number or a floating-point
            tensor, a scalar or `[features]` for a bound per feature. Differentiable.
        maxval: The bound that the noise stays below (rounding may reach it), at least `minval`;
            otherwise as `minval`.
        flatten: Whether to flatten to `[batch, features]` (`[batch, 1]` for inputs of rank 1), or
            to keep the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in
            `flatnoise.flatten_add_normal`.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, of shape `[batch, features]`, or that of `inputs` where
        `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a `minval` above `maxval`, a NaN, a vector whose length isn't the
            number of features. On a GPU, and where stock ops can't raise, as under XLA, wrong
            values make the result NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _noisy(
        "flatten_add_noise",
        inputs,
        seed,
        _uniform_parameters,
        minval,
        maxval,
        flatten,
        offset,
        implementation,
        name,
    )


def flatten_multiply_normal(
    inputs: Any,
    seed: Any,
    mean: Any = 1.0,
    stddev: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flattens a tensor to `[batch, features]` and multiplies it by normally distributed noise.

    Computes `inputs * (mean + stddev * z)`, with the `z` of `flatnoise.flatten_add_normal`. In all
    else it is as that. The factors that `keras.layers.GaussianDropout(rate)` draws (Srivastava et
    al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 10) have
    mean 1 and `stddev = sqrt(rate / (1 - rate))`.

    Examples:
        >>> activations = tf.ones([32, 7, 7, 64])
        >>> flatnoise.flatten_multiply_normal(activations, seed=[1, 2], stddev=0.5).shape
        TensorShape([32, 3136])

    Args:
        inputs: A float16, bfloat16, float32 or float64 tensor of rank 1 or more, the batch first.
        seed: Two integers, or an int32 or int64 tensor of shape `[2]`.
        mean: The mean of the factors: a finite number or a floating-point tensor, a scalar or
            `[features]` for a mean per feature. Differentiable.
        stddev: The standard deviation of the factors, at least 0; otherwise as `mean`.
        flatten: Whether to flatten to `[batch, features]` (`[batch, 1]` for inputs of rank 1), or
            to keep the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in
            `flatnoise.flatten_add_normal`.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, of shape `[batch, features]`, or that of `inputs` where
        `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `stddev`, a NaN, a vector whose length isn't the number of
            features. On a GPU, and where stock ops can't raise, as under XLA, wrong values make
            the result NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _noisy(
        "flatten_multiply_noise",
        inputs,
        seed,
        _normal_parameters,
        mean,
        stddev,
        flatten,
        offset,
        implementation,
        name,
    )


_Parameters = Callable[[Any, Any, Any, int | None], tuple[str, Any, Any]]


def _normal_parameters(
    mean: Any, stddev: Any, dtype: Any, features: int | None
) -> tuple[str, Any, Any]:
    loc = arguments.convert_parameter("mean", mean, dtype, features)
    scale = arguments.convert_parameter("stddev", stddev, dtype, features)
    if not arguments.is_tensor(scale) and (scale < 0).any():
        raise ValueError(
            "Invalid value received for argument `stddev`. Expected a number that is not "
            f"negative. Received: stddev={stddev}"
        )
    return "normal", loc, scale


def _uniform_parameters(
    minval: Any, maxval: Any, dtype: Any, features: int | None
) -> tuple[str, Any, Any]:
    low = arguments.convert_parameter("minval", minval, dtype, features)
    high = arguments.convert_parameter("maxval", maxval, dtype, features)
    with np.errstate(over="ignore"):
        scale = high - low
    if not arguments.is_tensor(scale) and not ((scale >= 0) & (scale < np.inf)).all():
        raise ValueError(
            "Invalid values received for arguments `minval` and `maxval`. Expected minval <= "
            f"maxval, and a difference that is finite in {dtype.name}. "
            f"Received: minval={minval}, maxval={maxval}"
        )
    return "uniform", low, scale


def _apply_noise(
    operation: str,
    inputs: Any,
    seed: Any,
    parameters: _Parameters,
    first: Any,
    second: Any,
    flatten: bool,
    offset: Any,
    implementation: str,
    name: str | None,
) -> Any:
    run = _implementation(operation, implementation)
    inputs = arguments.convert_input(inputs)
    dtype = arguments.compute_dtype(inputs.dtype)
    distribution, loc, scale = parameters(first, second, dtype, feature_count(inputs.shape))
    return run(
        input=inputs,
        seed=arguments.convert_seed(seed),
        loc=arguments.parameter_operand(loc, dtype),
        scale=arguments.parameter_operand(scale, dtype),
        offset=arguments.convert_offset(offset),
        distribution=distribution,
        flatten=bool(flatten),
        validate_args=arguments.is_tensor(loc) or arguments.is_tensor(scale),
        name=name,
    )


# Its branches are on Python values: autograph would only slow the tracing down.
_noisy = tf.autograph.experimental.do_not_convert(_apply_noise)


def _implementation(operation: str, choice: str) -> Any:
    arguments.check_choice("implementation", choice, arguments.IMPLEMENTATIONS)
    stock = getattr(twin, operation)
    if choice == "tensorflow":
        return stock
    found = library.load()
    if choice == "native":
        _require_native(found)
        return getattr(found.ops, f"flatnoise_{operation}")
    problem = gpu.problem() if found.loaded else found.reason
    if problem is not None:
        library.warn_once_about_twin(problem)
    if problem is not None or _xla_lacks_kernels(found):
        return stock
    return getattr(found.ops, f"flatnoise_{operation}")


def _require_native(found: library.Library) -> None:
    if not found.loaded:
        raise RuntimeError(f"implementation='native' needs the compiled op: {found.reason}.")
    if _xla_lacks_kernels(found):
        raise RuntimeError(
            "implementation='native' can't be used in a function that XLA compiles "
            f"(jit_compile=True): {found.xla_reason}. Use implementation='auto' or 'tensorflow', "
            "or jit_compile=False."
        )


def _xla_lacks_kernels(found: library.Library) -> bool:
    if found.has_xla_kernels:
        return False
    return tf.__internal__.get_enclosing_xla_context() is not None
