"""The functional API: flatten a tensor and apply noise to it, in one pass."""

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

# What `flatnoise` exports.
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
    """Flattens a tensor to `[batch, features]` and adds normally distributed noise.

    Computes `inputs + (mean + stddev * z)`, where `z` is the float32 stream of
    `tf.random.stateless_normal(..., seed, alg="philox")` (the float64 one for float64 inputs) in
    the row-major order of `inputs`. The sum is made in float32 (float64) and rounded once to the
    type of `inputs`, so noise on float16 and bfloat16 tensors is as fine as these types can hold.

    `mean` and `stddev` broadcast to the shape of the output, by NumPy's rule. So each may be a
    scalar; `[features]`; `[batch, 1]` for a value per sample; where the output isn't flattened,
    `[channels]`, `[height, width, channels]` or `[batch, 1, 1, 1]`; or the whole shape. Their
    gradients are summed over the dimensions that were broadcast.

    The same seed gives the same noise on every device, inside and outside XLA, with any number of
    threads. As `tf.random.stateless_*` ops do, it keeps no state: pass another seed to get other
    noise. The words come from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
    1, 2, 3", 2011), and become normal by the method of Box and Muller (1958).

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_normal(images, seed=[1, 2], stddev=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number, or an array or a
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        stddev: The standard deviation of the noise, at least 0; otherwise as `mean`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `stddev`, a NaN, a shape that doesn't
            broadcast to the output's. On a GPU, and where stock ops can't raise, as under XLA,
            wrong values make the result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and adds uniformly distributed noise.

    Computes `inputs + (minval + (maxval - minval) * u)`, where `u` is the float32 stream of
    `tf.random.stateless_uniform(..., seed, alg="philox")` on [0, 1) (the float64 one for float64
    inputs). In all else it is as `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([16, 32, 32, 3])
        >>> flatnoise.flatten_add_uniform(images, seed=[1, 2], minval=-0.1, maxval=0.1).shape
        TensorShape([16, 3072])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        minval: The least noise, in the units of `inputs`: a finite number, or an array or a
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        maxval: The bound that the noise stays below (rounding may reach it), at least `minval`;
            otherwise as `minval`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a `minval` above `maxval`, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        mean: The mean of the factors: a finite number, or an array or a floating-point tensor that
            broadcasts to the output's shape. Differentiable.
        stddev: The standard deviation of the factors, at least 0; otherwise as `mean`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `stddev`, a NaN, a shape that doesn't
            broadcast to the output's. On a GPU, and where stock ops can't raise, as under XLA,
            wrong values make the result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and adds Laplace noise.

    Computes `inputs + (loc + scale * z)`, where `z` has the density `exp(-abs(z)) / 2`: mean 0,
    variance 2. It is made by inversion of the uniform numbers of `flatnoise.flatten_add_uniform`,
    each taken in the middle of its interval, and is within 2 units in the last place of
    `max(abs(z), 1)`; the largest is 15.9 in magnitude in float32, 36 in float64. In all else it is
    as `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_laplace(images, seed=[1, 2], scale=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array or a
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        scale: The scale of the noise, at least 0; otherwise as `loc`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `scale`, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and adds Gumbel noise.

    Computes `inputs + (loc + scale * z)`, where `z` has the distribution function `exp(-exp(-z))`:
    the mean is Euler's constant 0.577, the variance `pi**2 / 6`. The largest of logits with such
    noise is a sample of their softmax. It is made by inversion of the uniform numbers of
    `flatnoise.flatten_add_uniform`, each taken in the middle of its interval, and is within 2 units
    in the last place of `max(abs(z), 1)`. In all else it is as `flatnoise.flatten_add_normal`.

    Examples:
        >>> x = tf.zeros([8, 1000])
        >>> flatnoise.flatten_add_gumbel(x, seed=[1, 2]).shape
        TensorShape([8, 1000])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array or a
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        scale: The scale of the noise, at least 0; otherwise as `loc`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `scale`, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and adds logistic noise.

    Computes `inputs + (loc + scale * z)`, where `z` has the distribution function `1 / (1 +
    exp(-z))`: mean 0, variance `pi**2 / 3`. It is made by inversion of the uniform numbers of
    `flatnoise.flatten_add_uniform`, each taken in the middle of its interval, and is within 2 units
    in the last place of `max(abs(z), 1)`. In all else it is as `flatnoise.flatten_add_normal`.

    Examples:
        >>> x = tf.zeros([8, 1000])
        >>> flatnoise.flatten_add_logistic(x, seed=[1, 2]).shape
        TensorShape([8, 1000])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array or a
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        scale: The scale of the noise, at least 0; otherwise as `loc`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `scale`, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and adds truncated normal noise.

    Computes `inputs + (mean + stddev * z)`, where `z` has the normal distribution between -2 and 2:
    mean 0, variance 0.774. It is made by inversion of the uniform numbers of
    `flatnoise.flatten_add_uniform`, each taken in the middle of its interval, and is within 2 units
    in the last place of `max(abs(z), 1)`. (`tf.random.stateless_truncated_normal` draws again what
    falls outside, and so has other numbers.) In all else it is as `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_add_truncated_normal(images, seed=[1, 2], stddev=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number, or an array or a
            floating-point tensor that broadcasts to the output's shape. Differentiable.
        stddev: The standard deviation of the noise before its tails are cut off, at least 0;
            otherwise as `mean`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a negative `stddev`, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and drops elements at random.

    Computes 0 where `u < rate`, and `inputs * (1 / (1 - rate))` elsewhere, where `u` is the uniform
    number of `flatnoise.flatten_add_uniform` for the element. With a number as `rate`, float32 and
    float64 results equal those of `tf.nn.experimental.stateless_dropout(..., rng_alg="philox")` to
    the bit; infinity and NaN are dropped to 0 as there. Tensors of half precision are masked by the
    same float32 numbers. The backward pass draws the mask again, so none is kept. In all else it is
    as `flatnoise.flatten_add_normal`.

    Examples:
        >>> x = tf.zeros([32, 128, 256])
        >>> flatnoise.flatten_dropout(x, seed=[1, 2], rate=0.1, flatten=False).shape
        TensorShape([32, 128, 256])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, or an array or a
            floating-point tensor that broadcasts to the output's shape. Not differentiable.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a `rate` above 1, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and applies alpha dropout.

    Puts the limit of the SELU activation, about -1.758, where `u < rate`, and then scales and
    shifts all elements so that inputs of mean 0 and variance 1 keep both. `u` is the uniform number
    of `flatnoise.flatten_add_uniform` for the element. The method is that of Klambauer et al.,
    "Self-normalizing neural networks" (2017); `keras.layers.AlphaDropout` computes the same. The
    backward pass draws the mask again, so none is kept. In all else it is as
    `flatnoise.flatten_add_normal`.

    Examples:
        >>> x = tf.zeros([32, 128])
        >>> flatnoise.flatten_alpha_dropout(x, seed=[1, 2], rate=0.1).shape
        TensorShape([32, 128])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        rate: The probability that an element is replaced, less than 1: a number from 0 to 1, or an
            array or a floating-point tensor that broadcasts to the output's shape. Not
            differentiable.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a `rate` above 1, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and puts a value in place of elements at random.

    Computes `value` where `u < rate`, and leaves `inputs` as it is elsewhere, where `u` is the
    uniform number of `flatnoise.flatten_add_uniform` for the element. The backward pass draws the
    mask again, so none is kept. In all else it is as `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_mask(images, seed=[1, 2], rate=0.25).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, or an array or a
            floating-point tensor that broadcasts to the output's shape. Not differentiable.
        value: What is put in: a number, or an array or a floating-point tensor that broadcasts to
            the output's shape. Differentiable.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: a `rate` above 1, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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
    """Flattens a tensor to `[batch, features]` and turns elements into salt or pepper at random.

    Computes `pepper` where `u < amount * (1 - salt_vs_pepper)`, `salt` where `u >= 1 - amount *
    salt_vs_pepper`, and leaves `inputs` as it is elsewhere, where `u` is the uniform number of
    `flatnoise.flatten_add_uniform` for the element. The parameters are those of scikit-image's
    `random_noise`. The backward pass draws the mask again, so none is kept. In all else it is as
    `flatnoise.flatten_add_normal`.

    Examples:
        >>> images = tf.zeros([32, 28, 28, 1])
        >>> flatnoise.flatten_salt_and_pepper(images, seed=[1, 2], amount=0.1).shape
        TensorShape([32, 784])

    Args:
        inputs: A float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more, the batch
            first.
        seed: An integer, two integers, an int32 or int64 tensor of shape `[2]`, or a
            `keras.random.SeedGenerator`, of which each call draws the next. `42` is `[42, 0]`.
        amount: The probability that an element is replaced: a number from 0 to 1, or an array or a
            floating-point tensor that broadcasts to the output's shape. Not differentiable.
        salt_vs_pepper: The share of salt in what is replaced, from 0 to 1; otherwise as `amount`.
        salt: The value of salt: a number, or an array or a floating-point tensor that broadcasts to
            the output's shape. Differentiable.
        pepper: The value of pepper; otherwise as `salt`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        offset: The element of the stream to start at, from 0 to 2**63 - 1: an integer or a scalar
            integer tensor. Rows from `r` on of a batch are noised as in the whole batch with
            `offset = r * features`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of `inputs`, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        dtype: The output's type for uint8 inputs: uint8, float16, bfloat16 or float32; `None` is
            the type of `inputs`. Bytes are rounded to nearest, and end at 0 and 255.
        input_scale: What uint8 inputs are multiplied by before they get noise: 1 / 255 makes
            numbers from 0 to 1 of them.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        name: A name for the operation.

    Returns:
        A tensor of the type of `inputs`, or of `dtype`, of shape `[batch, features]`, or that of
        `inputs` where `flatten` is false.

    Raises:
        ValueError: If the type or static shape of an argument, or a value that isn't a tensor's,
            can't be right.
        tf.errors.InvalidArgumentError: If, when the op runs, the values or shapes of tensors turn
            out to be wrong: an `amount` above 1, a NaN, a shape that doesn't broadcast to the
            output's. On a GPU, and where stock ops can't raise, as under XLA, wrong values make the
            result NaN instead.
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


# Its branches are on Python values: autograph would only slow the tracing down.
apply_noise = tf.autograph.experimental.do_not_convert(_apply_noise)


def as_runs(call: dict[str, Any]) -> list[Any]:
    """The parameters of a call, expanded as far as the compiled op needs."""
    return [
        shapes.as_one_run(parameter, call["input"], call["flatten"])
        for parameter in call["parameters"]
    ]


def _of_bytes(implementation: str, options: Options, **call: Any) -> Any:
    """Noise on bytes, for which CPUs alone have a kernel."""
    ops = native_ops(implementation, call["input"])
    if ops is None or placement.may_be_off_the_cpu(call["input"]):
        output_dtype, byte_scale = options.dtype, options.input_scale
        return stock_op(call["input"])(**call, output_dtype=output_dtype, byte_scale=byte_scale)
    call["parameters"] = [tf.convert_to_tensor(each, tf.float32) for each in as_runs(call)]
    return ops.flatnoise_flatten_noise_of_bytes(
        **call, byte_scale=options.input_scale, T=options.dtype
    )


def _with_shared_noise(implementation: str, options: Options, **call: Any) -> Any:
    """Noise of a smaller shape, drawn by itself and combined by broadcasting."""
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
    """Standard noise of a shape, by itself."""
    if native_ops(implementation) is not None:
        return standard_noise(distribution, shape, seed, offset, dtype)
    count = tf.reduce_prod(shape)
    return tf.reshape(fallback.noise(distribution, count, seed, offset, dtype), shape)


# What runs without the compiled op.
STOCK_OPS = (fallback.flatten_noise, fallback.flatten_noise_on_mesh)


def choose_implementation(choice: str, inputs: Any = None) -> Any:
    """The compiled op or the fallback, whichever `choice` allows and can run where it will.

    Args:
        choice: One of `arguments.IMPLEMENTATIONS`.
        inputs: The op's input, where it is there already.
    """
    ops = native_ops(choice, inputs)
    if ops is not None:
        return ops.flatnoise_flatten_noise
    return stock_op(inputs)


def stock_op(inputs: Any = None) -> Any:
    """The fallback, for where its input is."""
    on_mesh = placement.is_on_mesh(inputs)
    return fallback.flatten_noise_on_mesh if on_mesh else fallback.flatten_noise


def native_ops(choice: str, inputs: Any = None) -> Any:
    """The compiled ops, or None, as `choose_implementation` chooses."""
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
    # Outside XLA, an op that nobody placed runs where it has a kernel.
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
