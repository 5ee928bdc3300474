"""Functions that draw noise of a given shape, without an input."""

from typing import Any

from flatnoise._src import arguments, fallback, noises, shapes
from flatnoise._src.broadcasting import Output, Shape
from flatnoise._src.errors import check_choice, invalid_value
from flatnoise._src.export import export
from flatnoise._src.functions import native_ops
from flatnoise._src.noises import Noise
from flatnoise._src.tensorflow import tf

# Exported by `flatnoise`.
__all__ = ["gumbel", "laplace", "logistic", "normal", "truncated_normal", "uniform"]


@export("flatnoise")
def normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    *,
    dtype: Any = "float32",
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Draw normally distributed noise.

    Computes `mean + stddev * z`, where `z` is the noise of `flatnoise.flatten_add_normal` for the
    same seed. Up to a few units in the last place, this is the float32 stream of
    `tf.random.stateless_normal(shape, seed, alg="philox")` (the float64 stream for float64). Unlike
    the stock op, it gives the same numbers inside and outside XLA and for every `dtype`, and it can
    start at any `offset`.

    Examples:
        >>> flatnoise.normal([32, 64, 64, 3], seed=[1, 2], stddev=0.1).shape
        TensorShape([32, 64, 64, 3])

    Args:
        shape: The shape of the noise, of rank 1 or more: a sequence of integers, a
            `tf.TensorShape`, or an int32 or int64 tensor.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        mean: The mean of the noise: a finite number, or an array or floating-point tensor that
            broadcasts to `shape`. Differentiable.
        stddev: The standard deviation of the noise, at least 0. Otherwise like `mean`.
        dtype: The dtype of the noise: float16, bfloat16, float32 or float64.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `dtype` and shape `shape`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs.
            On GPUs, and where stock ops can't raise, as under XLA, invalid values make the output
            NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _draw(
        noises.ADD_NORMAL,
        shape,
        seed,
        (mean, stddev),
        dtype=dtype,
        offset=offset,
        implementation=implementation,
        name=name,
    )


@export("flatnoise")
def uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    dtype: Any = "float32",
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Draw uniformly distributed noise.

    This is the noise that `flatnoise.flatten_add_uniform` adds for the same seed. Otherwise, it
    works like `flatnoise.normal`.

    Examples:
        >>> flatnoise.uniform([16, 3072], seed=[1, 2]).shape
        TensorShape([16, 3072])

    Args:
        shape: The shape of the noise, of rank 1 or more: a sequence of integers, a
            `tf.TensorShape`, or an int32 or int64 tensor.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        minval: The lower bound of the noise: a finite number, or an array or floating-point tensor
            that broadcasts to `shape`. Differentiable.
        maxval: The upper bound of the noise, exclusive before rounding, at least `minval`.
            Otherwise like `minval`.
        dtype: The dtype of the noise: float16, bfloat16, float32 or float64.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in `flatnoise.normal`.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `dtype` and shape `shape`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: As in `flatnoise.normal`.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _draw(
        noises.ADD_UNIFORM,
        shape,
        seed,
        (minval, maxval),
        dtype=dtype,
        offset=offset,
        implementation=implementation,
        name=name,
    )


@export("flatnoise")
def laplace(
    shape: Any,
    seed: Any,
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    dtype: Any = "float32",
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Draw Laplace noise.

    This is the noise that `flatnoise.flatten_add_laplace` adds for the same seed. Otherwise, it
    works like `flatnoise.normal`.

    Examples:
        >>> flatnoise.laplace([16, 3072], seed=[1, 2]).shape
        TensorShape([16, 3072])

    Args:
        shape: The shape of the noise, of rank 1 or more: a sequence of integers, a
            `tf.TensorShape`, or an int32 or int64 tensor.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        loc: The location of the noise: a finite number, or an array or floating-point tensor that
            broadcasts to `shape`. Differentiable.
        scale: The mean distance of the noise from `loc`, at least 0. Otherwise like `loc`.
        dtype: The dtype of the noise: float16, bfloat16, float32 or float64.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in `flatnoise.normal`.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `dtype` and shape `shape`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: As in `flatnoise.normal`.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _draw(
        noises.ADD_LAPLACE,
        shape,
        seed,
        (loc, scale),
        dtype=dtype,
        offset=offset,
        implementation=implementation,
        name=name,
    )


@export("flatnoise")
def gumbel(
    shape: Any,
    seed: Any,
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    dtype: Any = "float32",
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Draw Gumbel noise.

    This is the noise that `flatnoise.flatten_add_gumbel` adds for the same seed. Otherwise, it
    works like `flatnoise.normal`.

    Examples:
        >>> flatnoise.gumbel([16, 3072], seed=[1, 2]).shape
        TensorShape([16, 3072])

    Args:
        shape: The shape of the noise, of rank 1 or more: a sequence of integers, a
            `tf.TensorShape`, or an int32 or int64 tensor.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        loc: The location of the noise: a finite number, or an array or floating-point tensor that
            broadcasts to `shape`. Differentiable.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        dtype: The dtype of the noise: float16, bfloat16, float32 or float64.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in `flatnoise.normal`.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `dtype` and shape `shape`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: As in `flatnoise.normal`.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _draw(
        noises.ADD_GUMBEL,
        shape,
        seed,
        (loc, scale),
        dtype=dtype,
        offset=offset,
        implementation=implementation,
        name=name,
    )


@export("flatnoise")
def logistic(
    shape: Any,
    seed: Any,
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    dtype: Any = "float32",
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Draw logistic noise.

    This is the noise that `flatnoise.flatten_add_logistic` adds for the same seed. Otherwise, it
    works like `flatnoise.normal`.

    Examples:
        >>> flatnoise.logistic([16, 3072], seed=[1, 2]).shape
        TensorShape([16, 3072])

    Args:
        shape: The shape of the noise, of rank 1 or more: a sequence of integers, a
            `tf.TensorShape`, or an int32 or int64 tensor.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        loc: The location of the noise: a finite number, or an array or floating-point tensor that
            broadcasts to `shape`. Differentiable.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        dtype: The dtype of the noise: float16, bfloat16, float32 or float64.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in `flatnoise.normal`.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `dtype` and shape `shape`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: As in `flatnoise.normal`.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _draw(
        noises.ADD_LOGISTIC,
        shape,
        seed,
        (loc, scale),
        dtype=dtype,
        offset=offset,
        implementation=implementation,
        name=name,
    )


@export("flatnoise")
def truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    *,
    dtype: Any = "float32",
    offset: Any = 0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Draw normally distributed noise, truncated at two standard deviations.

    This is the noise that `flatnoise.flatten_add_truncated_normal` adds for the same seed.
    Otherwise, it works like `flatnoise.normal`.

    Examples:
        >>> flatnoise.truncated_normal([16, 3072], seed=[1, 2]).shape
        TensorShape([16, 3072])

    Args:
        shape: The shape of the noise, of rank 1 or more: a sequence of integers, a
            `tf.TensorShape`, or an int32 or int64 tensor.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        mean: The mean of the noise: a finite number, or an array or floating-point tensor that
            broadcasts to `shape`. Differentiable.
        stddev: The standard deviation of the noise before truncation, at least 0. Otherwise like
            `mean`.
        dtype: The dtype of the noise: float16, bfloat16, float32 or float64.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor.
        implementation: `"native"`, `"tensorflow"` or `"auto"`, as in `flatnoise.normal`.
        name: A name for the operation (optional).

    Returns:
        A tensor of dtype `dtype` and shape `shape`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: As in `flatnoise.normal`.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return _draw(
        noises.ADD_TRUNCATED_NORMAL,
        shape,
        seed,
        (mean, stddev),
        dtype=dtype,
        offset=offset,
        implementation=implementation,
        name=name,
    )


_DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)


def _static_sizes(shape: Any) -> Shape:
    """The sizes in a shape tensor, as far as they are known at graph construction time."""
    values = tf.get_static_value(shape, partial=True)
    if values is None:
        return None if shape.shape[0] is None else (None,) * shape.shape[0]
    return tuple(None if value is None else int(value) for value in values)


def _convert_shape(shape: Any) -> Any:
    """An int32 or int64 shape vector, and its sizes as far as they are known."""
    expected = "a sequence of integers, or an int32 or int64 tensor, of one size or more"
    try:
        tensor = tf.convert_to_tensor(shape)
        if not isinstance(shape, tf.Tensor) and tensor.dtype.is_integer:
            tensor = tf.convert_to_tensor(shape, tf.int64)
    except (TypeError, ValueError) as error:
        raise invalid_value("shape", expected, repr(shape)) from error
    is_vector = tensor.shape.rank == 1 and tensor.shape[0] != 0
    sizes = _static_sizes(tensor) if is_vector else None
    is_right = tensor.dtype in (tf.int32, tf.int64) and (is_vector or tensor.shape.rank is None)
    if not is_right or any(size is not None and size < 0 for size in sizes or ()):
        raise invalid_value("shape", expected, repr(shape))
    return tensor, sizes


def _draw_in_python(
    noise: Noise,
    shape: Any,
    seed: Any,
    values: tuple[Any, ...],
    *,
    dtype: Any,
    offset: Any,
    implementation: str,
    name: str | None,
) -> Any:
    check_choice("implementation", implementation, arguments.IMPLEMENTATIONS)
    dtype = arguments.convert_dtype(dtype, _DTYPES)
    shape, sizes = _convert_shape(shape)
    compute_dtype = arguments.compute_dtype(dtype)
    call = {
        **arguments.parameter_arguments(noise, values, compute_dtype, lambda: Output(sizes)),
        "seed": arguments.convert_seed(seed),
        "offset": tf.convert_to_tensor(arguments.convert_offset(offset), tf.int64),
        "name": name,
    }
    ops = native_ops(implementation)
    if ops is None:
        nothing = tf.fill(shape, arguments.negative_zero(dtype))
        return fallback.flatten_noise(**call, input=nothing, combination="add", flatten=False)
    call["parameters"] = [
        shapes.as_one_run_of(tf.convert_to_tensor(each, compute_dtype), sizes, lambda: shape)
        for each in call["parameters"]
    ]
    return ops.flatnoise_noise(**call, shape=shape, T=dtype)


# All branches are on Python values, so AutoGraph would only slow down tracing.
_draw = tf.autograph.experimental.do_not_convert(_draw_in_python)
