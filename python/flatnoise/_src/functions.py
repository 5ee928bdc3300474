"""The functional API: flatten a tensor and apply noise to it in one pass."""

import functools
from typing import Any

from flatnoise._src import arguments, fallback, library, noises, placement, shapes
from flatnoise._src.errors import check_choice
from flatnoise._src.export import export
from flatnoise._src.noises import Noise
from flatnoise._src.options import DEFAULT_OPTIONS, Options, checked_options
from flatnoise._src.quick_call import quick_call
from flatnoise._src.seeds import DrawnSeed
from flatnoise._src.standard_noise import standard_noise
from flatnoise._src.tensorflow import keras, tf

# Exported by `flatnoise`.
__all__ = [
    "flatten_add_gumbel",
    "flatten_add_laplace",
    "flatten_add_logistic",
    "flatten_add_normal",
    "flatten_add_truncated_normal",
    "flatten_add_uniform",
    "flatten_alpha_dropout",
    "flatten_dropout",
    "flatten_mask",
    "flatten_multiply_normal",
    "flatten_salt_and_pepper",
]


@export("flatnoise")
def flatten_add_normal(
    inputs: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and add normally distributed noise.

    Computes `inputs + (mean + stddev * z)`, where `z` is the float32 stream of
    `tf.random.stateless_normal(..., seed, alg="philox")` (the float64 stream for float64 inputs),
    in row-major order. The result is computed in float32 (float64 for float64 inputs) and rounded
    once to the output's dtype. Noise on float16 and bfloat16 tensors therefore has the full
    resolution of these dtypes.

    `mean` and `stddev` broadcast to the output's shape by NumPy's rules. Each can be a scalar, have
    the output's shape, or have a shape such as `[features]` or `[batch, 1]` (one value per sample).
    If the output isn't flattened, `[channels]`, `[height, width, channels]` and `[batch, 1, 1, 1]`
    work too. Gradients are summed over the broadcast dimensions.

    The same seed gives the same noise on every device, inside and outside XLA, with any number of
    threads. Like the `tf.random.stateless_*` ops, this function keeps no state: pass a different
    seed to get different noise. The random words come from Philox4x32-10 (Salmon et al., 2011). The
    Box-Muller transform turns them into normal numbers.

    Reference:
        - [Salmon et al., 2011](https://doi.org/10.1145/2063384.2063405)
        - [Box and Muller, 1958](https://doi.org/10.1214/aoms/1177706645)

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_normal(images, seed=[1, 2], stddev=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number, or an array or
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        stddev: The standard deviation of the noise, at least 0. Otherwise like `mean`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a negative `stddev`, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ADD_NORMAL,
        inputs,
        seed,
        (mean, stddev),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_add_uniform(
    inputs: Any,
    seed: Any,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and add uniformly distributed noise.

    Computes `inputs + (minval + (maxval - minval) * u)`, where `u` is the float32 stream of
    `tf.random.stateless_uniform(..., seed, alg="philox")` on [0, 1) (the float64 stream for float64
    inputs). Otherwise, it works like `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([16, 32, 32, 3])
        >>> flatnoise.flatten_add_uniform(images, seed=[1, 2], minval=-0.1, maxval=0.1).shape
        TensorShape([16, 3072])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        minval: The lower bound of the noise, in the units of `inputs`: a finite number, or an array
            or floating-point tensor that broadcasts to the output's shape. Differentiable.
        maxval: The upper bound of the noise, exclusive before rounding, at least `minval`.
            Otherwise like `minval`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a `minval` above `maxval`, a NaN, or a shape that doesn't broadcast to the output's. On
            GPUs, and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ADD_UNIFORM,
        inputs,
        seed,
        (minval, maxval),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_multiply_normal(
    inputs: Any,
    seed: Any,
    mean: Any = 1.0,
    stddev: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and multiply it by normally distributed noise.

    Computes `inputs * (mean + stddev * z)` with the `z` of `flatnoise.flatten_add_normal`.
    `keras.layers.GaussianDropout(rate)` corresponds to `mean=1` and
    `stddev=sqrt(rate / (1 - rate))` (Srivastava et al., 2014, section 10). Otherwise, it works like
    `flatnoise.flatten_add_normal`.

    Reference:
        - [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Examples:
        >>> activations = tf.ones([32, 7, 7, 64])
        >>> flatnoise.flatten_multiply_normal(activations, seed=[1, 2], stddev=0.5).shape
        TensorShape([32, 3136])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        mean: The mean of the factors: a finite number, or an array or floating-point tensor that
            broadcasts to the output's shape. Differentiable.
        stddev: The standard deviation of the factors, at least 0. Otherwise like `mean`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a negative `stddev`, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.MULTIPLY_NORMAL,
        inputs,
        seed,
        (mean, stddev),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_add_laplace(
    inputs: Any,
    seed: Any,
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and add Laplace noise.

    Computes `inputs + (loc + scale * z)`, where `z` has the density `exp(-abs(z)) / 2`, with mean 0
    and variance 2. `z` is computed by inverting the distribution function at the uniform numbers of
    `flatnoise.flatten_add_uniform`, each taken at the midpoint of its interval. Its error is at
    most 2 units in the last place of `max(abs(z), 1)`. The largest magnitude of `z` is 15.9 in
    float32 and 36 in float64. Otherwise, it works like `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_laplace(images, seed=[1, 2], scale=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array or
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a negative `scale`, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ADD_LAPLACE,
        inputs,
        seed,
        (loc, scale),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_add_gumbel(
    inputs: Any,
    seed: Any,
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and add Gumbel noise.

    Computes `inputs + (loc + scale * z)`, where `z` has the distribution function `exp(-exp(-z))`,
    with mean 0.577 (Euler's constant) and variance `pi**2 / 6`. The argmax of logits with this
    noise is a sample from their softmax (the Gumbel-max trick, Maddison et al., 2014). `z` is
    computed by inverting the distribution function at the uniform numbers of
    `flatnoise.flatten_add_uniform`, each taken at the midpoint of its interval. Its error is at
    most 2 units in the last place of `max(abs(z), 1)`. Otherwise, it works like
    `flatnoise.flatten_add_normal`.

    Reference:
        - [Maddison et al., 2014](https://arxiv.org/abs/1411.0030)

    Examples:
        >>> x = tf.zeros([8, 1000])
        >>> flatnoise.flatten_add_gumbel(x, seed=[1, 2]).shape
        TensorShape([8, 1000])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array or
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a negative `scale`, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ADD_GUMBEL,
        inputs,
        seed,
        (loc, scale),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_add_logistic(
    inputs: Any,
    seed: Any,
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and add logistic noise.

    Computes `inputs + (loc + scale * z)`, where `z` has the distribution function
    `1 / (1 + exp(-z))`, with mean 0 and variance `pi**2 / 3`. `z` is computed by inverting the
    distribution function at the uniform numbers of `flatnoise.flatten_add_uniform`, each taken at
    the midpoint of its interval. Its error is at most 2 units in the last place of
    `max(abs(z), 1)`. Otherwise, it works like `flatnoise.flatten_add_normal`.

    Examples:
        >>> x = tf.zeros([8, 1000])
        >>> flatnoise.flatten_add_logistic(x, seed=[1, 2]).shape
        TensorShape([8, 1000])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array or
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a negative `scale`, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ADD_LOGISTIC,
        inputs,
        seed,
        (loc, scale),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_add_truncated_normal(
    inputs: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and add truncated normal noise.

    Computes `inputs + (mean + stddev * z)`, where `z` has the standard normal distribution
    truncated to [-2, 2], with mean 0 and variance 0.774. `z` is computed by inverting the
    distribution function at the uniform numbers of `flatnoise.flatten_add_uniform`, each taken at
    the midpoint of its interval. Its error is at most 2 units in the last place of
    `max(abs(z), 1)`. `tf.random.stateless_truncated_normal` gives different numbers, because it
    redraws values outside the interval. Otherwise, it works like `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_truncated_normal(images, seed=[1, 2], stddev=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number, or an array or
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        stddev: The standard deviation of the noise before truncation, at least 0. Otherwise like
            `mean`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a negative `stddev`, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ADD_TRUNCATED_NORMAL,
        inputs,
        seed,
        (mean, stddev),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_dropout(
    inputs: Any,
    seed: Any,
    rate: Any = 0.5,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and drop elements at random.

    Computes 0 where `u < rate` and `inputs * (1 / (1 - rate))` elsewhere, where `u` is the
    element's uniform number from `flatnoise.flatten_add_uniform`. If `rate` is a number, float32
    and float64 results are bit-identical to those of
    `tf.nn.experimental.stateless_dropout(..., rng_alg="philox")`. As there, dropped infinities and
    NaNs become 0. float16 and bfloat16 tensors get the same mask as float32 tensors. The backward
    pass recomputes the mask, so no mask is stored. Otherwise, it works like
    `flatnoise.flatten_add_normal`.

    Reference:
        - [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Examples:
        >>> x = tf.zeros([32, 128, 256])
        >>> flatnoise.flatten_dropout(x, seed=[1, 2], rate=0.1, flatten=False).shape
        TensorShape([32, 128, 256])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, or an array or
            floating-point tensor that broadcasts to the output's shape. Not differentiable.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a `rate` above 1, a NaN, or a shape that doesn't broadcast to the output's. On GPUs, and
            where stock ops can't raise, as under XLA, invalid values make the output NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.DROPOUT,
        inputs,
        seed,
        (rate,),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_alpha_dropout(
    inputs: Any,
    seed: Any,
    rate: Any = 0.5,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and apply alpha dropout.

    Replaces elements where `u < rate` with the negative limit of the SELU activation, about -1.758,
    then scales and shifts all elements. Inputs with mean 0 and variance 1 keep both. `u` is the
    element's uniform number from `flatnoise.flatten_add_uniform`. `keras.layers.AlphaDropout`
    computes the same. The backward pass recomputes the mask, so no mask is stored. Otherwise, it
    works like `flatnoise.flatten_add_normal`.

    Reference:
        - [Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)

    Examples:
        >>> x = tf.zeros([32, 128])
        >>> flatnoise.flatten_alpha_dropout(x, seed=[1, 2], rate=0.1).shape
        TensorShape([32, 128])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, exclusive of 1, or
            an array or floating-point tensor that broadcasts to the output's shape. Not
            differentiable.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a `rate` above 1, a NaN, or a shape that doesn't broadcast to the output's. On GPUs, and
            where stock ops can't raise, as under XLA, invalid values make the output NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.ALPHA_DROPOUT,
        inputs,
        seed,
        (rate,),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_mask(
    inputs: Any,
    seed: Any,
    rate: Any = 0.5,
    value: Any = 0.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and replace random elements with a value.

    Computes `value` where `u < rate` and `inputs` elsewhere, where `u` is the element's uniform
    number from `flatnoise.flatten_add_uniform`. This is the masking noise of denoising autoencoders
    (Vincent et al., 2010). The backward pass recomputes the mask, so no mask is stored. Otherwise,
    it works like `flatnoise.flatten_add_normal`.

    Reference:
        - [Vincent et al., 2010](https://jmlr.org/papers/v11/vincent10a.html)

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_mask(images, seed=[1, 2], rate=0.25).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, or an array or
            floating-point tensor that broadcasts to the output's shape. Not differentiable.
        value: The replacement value: a number, or an array or floating-point tensor that broadcasts
            to the output's shape. Differentiable.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            a `rate` above 1, a NaN, or a shape that doesn't broadcast to the output's. On GPUs, and
            where stock ops can't raise, as under XLA, invalid values make the output NaN instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.MASK,
        inputs,
        seed,
        (rate, value),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


@export("flatnoise")
def flatten_salt_and_pepper(
    inputs: Any,
    seed: Any,
    amount: Any = 0.05,
    salt_vs_pepper: Any = 0.5,
    salt: Any = 1.0,
    pepper: Any = 0.0,
    *,
    flatten: bool = True,
    offset: Any = 0,
    clip: Any = None,
    noise_shape: Any = None,
    dtype: Any = None,
    input_scale: float = 1.0,
    implementation: str = "auto",
    name: str | None = None,
) -> Any:
    """Flatten a tensor to `[batch, features]` and apply salt-and-pepper noise.

    Computes `pepper` where `u < amount * (1 - salt_vs_pepper)`, `salt` where
    `u >= 1 - amount * salt_vs_pepper`, and `inputs` elsewhere, where `u` is the element's uniform
    number from `flatnoise.flatten_add_uniform`. The parameters are those of scikit-image's
    `random_noise`. The backward pass recomputes the mask, so no mask is stored. Otherwise, it works
    like `flatnoise.flatten_add_normal`.

    Reference:
        - [Vincent et al., 2010](https://jmlr.org/papers/v11/vincent10a.html)

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_salt_and_pepper(images, seed=[1, 2], amount=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more. Axis 0 is
            the batch.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, from which each call draws the next seed. `42` means
            `[42, 0]`.
        amount: The probability that an element is replaced: a number from 0 to 1, or an array or
            floating-point tensor that broadcasts to the output's shape. Not differentiable.
        salt_vs_pepper: The proportion of salt among the replaced elements, from 0 to 1. Otherwise
            like `amount`.
        salt: The value of salt: a number, or an array or floating-point tensor that broadcasts to
            the output's shape. Differentiable.
        pepper: The value of pepper. Otherwise like `salt`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. With `offset = r * features`, the rows of a batch from row `r` on get
            the same noise as in a call on the full batch.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of `inputs`, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        dtype: The output's dtype for uint8 inputs: uint8, float16, bfloat16 or float32. `None`
            means the dtype of `inputs`. uint8 outputs are rounded to nearest and saturate at 0 and
            255.
        input_scale: A factor that uint8 inputs are multiplied by before noise is applied. 1 / 255
            maps them to the range from 0 to 1.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        name: A name for the operation (optional).

    Returns:
        A tensor of the dtype of `inputs`, or of `dtype` if given. Its shape is `[batch, features]`
        if `flatten` is `True`, else the shape of `inputs`.

    Raises:
        ValueError: If an argument has an invalid type, dtype, static shape or (unless it is a
            tensor) value.
        tf.errors.InvalidArgumentError: If a tensor has an invalid value or shape when the op runs:
            an `amount` above 1, a NaN, or a shape that doesn't broadcast to the output's. On GPUs,
            and where stock ops can't raise, as under XLA, invalid values make the output NaN
            instead.
        RuntimeError: If `implementation` is `"native"` and the compiled op can't run here.
    """
    return apply_noise(
        noises.SALT_AND_PEPPER,
        inputs,
        seed,
        (amount, salt_vs_pepper, salt, pepper),
        flatten=flatten,
        offset=offset,
        implementation=implementation,
        name=name,
        options=Options(clip, noise_shape, dtype, input_scale),
    )


def _apply_noise(
    noise: Noise,
    inputs: Any,
    seed: Any,
    values: tuple[Any, ...],
    *,
    flatten: bool,
    offset: Any,
    implementation: str,
    name: str | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> Any:
    if isinstance(seed, keras.random.SeedGenerator):
        seed = DrawnSeed(seed)
    quick = None
    if options.are_default:
        quick = quick_call(
            noise,
            inputs,
            seed,
            values,
            flatten=flatten,
            offset=offset,
            implementation=implementation,
            name=name,
        )
    if quick is not None:
        return quick
    check_choice("implementation", implementation, arguments.IMPLEMENTATIONS)
    inputs = arguments.convert_input(inputs)
    options = checked_options(options, inputs)
    flatten = arguments.convert_flag("flatten", flatten)
    dtype = arguments.compute_dtype(inputs.dtype)
    output = functools.partial(shapes.output_of, inputs.shape, flatten)
    call = {
        **arguments.parameter_arguments(noise, values, dtype, output),
        "input": inputs,
        "seed": arguments.convert_seed(seed),
        "offset": arguments.convert_offset(offset),
        "bounds": [] if options.clip is None else [tf.constant(options.clip, dtype)],
        "combination": noise.combination.name,
        "flatten": flatten,
        "name": name,
    }
    if options.noise_shape is not None:
        return _with_shared_noise(implementation, options, **call)
    if inputs.dtype == tf.uint8:
        return _of_bytes(implementation, options, **call)
    run = choose_implementation(implementation, inputs)
    if run not in STOCK_OPS:
        call["parameters"] = as_runs(call)
    return run(**call)


# All branches are on Python values, so AutoGraph would only slow down tracing.
apply_noise = tf.autograph.experimental.do_not_convert(_apply_noise)


def as_runs(call: dict[str, Any]) -> list[Any]:
    """The parameters of a call, expanded as far as the compiled op requires."""
    return [
        shapes.as_one_run(parameter, call["input"], call["flatten"])
        for parameter in call["parameters"]
    ]


def _of_bytes(implementation: str, options: Options, **call: Any) -> Any:
    """Applies noise to uint8 inputs, for which only CPUs have a kernel."""
    ops = native_ops(implementation, call["input"])
    if ops is None or placement.may_be_off_the_cpu(call["input"]):
        output_dtype, byte_scale = options.dtype, options.input_scale
        return stock_op(call["input"])(**call, output_dtype=output_dtype, byte_scale=byte_scale)
    call["parameters"] = [tf.convert_to_tensor(each, tf.float32) for each in as_runs(call)]
    return ops.flatnoise_flatten_noise_of_bytes(
        **call, byte_scale=options.input_scale, T=options.dtype
    )


def _with_shared_noise(implementation: str, options: Options, **call: Any) -> Any:
    """Applies noise of a smaller shape: draws it separately, then broadcasts it."""
    inputs = call["input"]
    dtype = arguments.compute_dtype(inputs.dtype)
    sizes = zip(options.noise_shape, tf.unstack(tf.shape(inputs, tf.int64)), strict=True)
    shape = tf.stack([tf.constant(1, tf.int64) if each == 1 else size for each, size in sizes])
    shape = tf.ensure_shape(shape, [inputs.shape.rank])
    z = _draw(implementation, call["distribution"], shape, call["seed"], call["offset"], dtype)
    z.set_shape(
        [
            1 if each == 1 else size
            for each, size in zip(options.noise_shape, inputs.shape.as_list(), strict=True)
        ]
    )
    return fallback.flatten_noise(
        **call, output_dtype=options.dtype, byte_scale=options.input_scale, z=z
    )


def _draw(
    implementation: str, distribution: str, shape: Any, seed: Any, offset: Any, dtype: Any
) -> Any:
    """Draws standard noise of a given shape."""
    if native_ops(implementation) is not None:
        return standard_noise(distribution, shape, seed, offset, dtype)
    count = tf.reduce_prod(shape)
    return tf.reshape(fallback.noise(distribution, count, seed, offset, dtype), shape)


# These run without the compiled op.
STOCK_OPS = (fallback.flatten_noise, fallback.flatten_noise_on_mesh)


def choose_implementation(choice: str, inputs: Any = None) -> Any:
    """The compiled op or the fallback, depending on `choice` and on where the op will run.

    Args:
        choice: One of `arguments.IMPLEMENTATIONS`.
        inputs: The op's input, if it already exists.
    """
    ops = native_ops(choice, inputs)
    if ops is not None:
        return ops.flatnoise_flatten_noise
    return stock_op(inputs)


def stock_op(inputs: Any = None) -> Any:
    """The fallback for the placement of its input."""
    on_mesh = placement.is_on_mesh(inputs)
    return fallback.flatten_noise_on_mesh if on_mesh else fallback.flatten_noise


def native_ops(choice: str, inputs: Any = None) -> Any:
    """The compiled ops, or None if `choose_implementation` would choose the fallback."""
    found = library.load()
    if choice == "native":
        _require_native(found, inputs)
    elif choice == "tensorflow" or not _can_run(found, inputs):
        return None
    return found.ops


def _can_run(found: library.Library, inputs: Any) -> bool:
    problem = placement.problem(inputs) if found.loaded else found.reason
    if problem is not None:
        library.warn_once_about_fallback(problem)
    return problem is None and not _xla_lacks_kernels(found)


def _require_native(found: library.Library, inputs: Any) -> None:
    if not found.loaded:
        raise RuntimeError(f"implementation='native' needs the compiled op: {found.reason}.")
    if _xla_lacks_kernels(found):
        raise RuntimeError(
            "implementation='native' can't be used in a function that XLA compiles "
            f"(jit_compile=True): {found.xla_reason}. Use implementation='auto' or 'tensorflow', "
            "or jit_compile=False."
        )
    # Outside XLA, TensorFlow places an unplaced op on a device that has a kernel for it.
    problem = (
        placement.problem(inputs) if placement.is_in_xla() else placement.named_problem(inputs)
    )
    if problem is not None:
        raise RuntimeError(
            "implementation='native' needs a device that the compiled op can run on: "
            f"{problem}. Use implementation='auto' or 'tensorflow'."
        )


def _xla_lacks_kernels(found: library.Library) -> bool:
    return not found.has_xla_kernels and placement.is_in_xla()
