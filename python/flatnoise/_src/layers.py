"""The layers with given noise levels."""

from collections.abc import Sequence
from typing import Any

from flatnoise._src.errors import check_choice
from flatnoise._src.export import export
from flatnoise._src.levels import Level, LevelAttribute
from flatnoise._src.noise_layer import NoiseLayer
from flatnoise._src.noises import (
    ADD_LAPLACE,
    ADD_NORMAL,
    ADD_TRUNCATED_NORMAL,
    ADD_UNIFORM,
    MASK,
    MULTIPLY_NORMAL,
    NOISES,
    SALT_AND_PEPPER,
    Noise,
)
from flatnoise._src.tensorflow import keras

__all__ = [
    "AddGaussianNoise",
    "AddLaplaceNoise",
    "AddNoise",
    "AddTruncatedGaussianNoise",
    "AddUniformNoise",
    "MaskingNoise",
    "MultiplyGaussianNoise",
    "SaltAndPepperNoise",
]

_BY_TYPE = {noise.noise_type: noise for noise in NOISES if noise.noise_type is not None}


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddGaussianNoise(NoiseLayer):
    """Add normally distributed noise on every call.

    Each replica of a `tf.distribute` strategy adds different noise. The state of the noise is saved
    with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.AddGaussianNoise(mean=0.0, stddev=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Level, the mean of the noise.
        stddev: Level, the standard deviation of the noise, at least 0.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = ADD_NORMAL
    mean = LevelAttribute()
    stddev = LevelAttribute()

    def __init__(
        self,
        *,
        mean: Level = 0.0,
        stddev: Level = 0.1,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"mean": mean, "stddev": stddev},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddUniformNoise(NoiseLayer):
    """Flatten the input and add uniformly distributed noise on every call.

    Each replica of a `tf.distribute` strategy adds different noise. The state of the noise is saved
    with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.AddUniformNoise(minval=-0.1, maxval=0.1)
        >>> layer(keras.ops.zeros((16, 32, 32, 3))).shape
        TensorShape([16, 3072])

    Args:
        minval: Level, the lower bound of the noise.
        maxval: Level, the exclusive upper bound of the noise, at least `minval`.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = ADD_UNIFORM
    minval = LevelAttribute()
    maxval = LevelAttribute()

    def __init__(
        self,
        *,
        minval: Level = -0.1,
        maxval: Level = 0.1,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = True,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"minval": minval, "maxval": maxval},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddNoise(NoiseLayer):
    """Flatten the input and apply noise of a named type on every call.

    | `noise_type` | parameters | function |
    | --- | --- | --- |
    | `"gaussian"` | `mean`, `stddev` | `flatten_add_normal` |
    | `"uniform"` | `minval`, `maxval` | `flatten_add_uniform` |
    | `"laplace"` | `loc`, `scale` | `flatten_add_laplace` |
    | `"gumbel"` | `loc`, `scale` | `flatten_add_gumbel` |
    | `"logistic"` | `loc`, `scale` | `flatten_add_logistic` |
    | `"truncated_gaussian"` | `mean`, `stddev` | `flatten_add_truncated_normal` |
    | `"speckle"` | `mean`, `stddev` | `flatten_multiply_normal`, mean `1 + mean` |
    | `"masking"` | `rate`, `value` | `flatten_mask` |
    | `"salt_and_pepper"` | `amount`, `salt_vs_pepper`, ... | `flatten_salt_and_pepper` |

    Each replica of a `tf.distribute` strategy applies different noise. The state of the noise is
    saved with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.AddNoise(noise_type="gaussian", stddev=0.02)
        >>> layer(keras.ops.zeros((8, 64, 64, 3))).shape
        TensorShape([8, 12288])

    Args:
        noise_type: String, one of the types in the table. The layer keeps the parameters of the
            other types but doesn't use them.
        mean: Level, the mean of the noise.
        stddev: Level, the standard deviation of the noise, at least 0.
        minval: Level, the lower bound of the noise.
        maxval: Level, the exclusive upper bound of the noise, at least `minval`.
        loc: Level, the location of the noise.
        scale: Level, the scale of the noise, at least 0.
        rate: Level, the probability that an element is replaced, from 0 to 1.
        value: Level, the replacement value.
        amount: Level, the probability that an element becomes salt or pepper, from 0 to 1.
        salt_vs_pepper: Level, the proportion of salt among these elements, from 0 to 1.
        salt: Level, the value of salt.
        pepper: Level, the value of pepper.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    mean = LevelAttribute()
    stddev = LevelAttribute()
    minval = LevelAttribute()
    maxval = LevelAttribute()
    loc = LevelAttribute()
    scale = LevelAttribute()
    rate = LevelAttribute()
    value = LevelAttribute()
    amount = LevelAttribute()
    salt_vs_pepper = LevelAttribute()
    salt = LevelAttribute()
    pepper = LevelAttribute()

    def __init__(
        self,
        *,
        noise_type: str = "gaussian",
        mean: Level = 0.0,
        stddev: Level = 0.1,
        minval: Level = -0.1,
        maxval: Level = 0.1,
        loc: Level = 0.0,
        scale: Level = 0.1,
        rate: Level = 0.1,
        value: Level = 0.0,
        amount: Level = 0.05,
        salt_vs_pepper: Level = 0.5,
        salt: Level = 1.0,
        pepper: Level = 0.0,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = True,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        check_choice("noise_type", noise_type, _BY_TYPE)
        self.noise_type = noise_type
        self.noise = _BY_TYPE[noise_type]
        super().__init__(
            {
                "mean": mean,
                "stddev": stddev,
                "minval": minval,
                "maxval": maxval,
                "loc": loc,
                "scale": scale,
                "rate": rate,
                "value": value,
                "amount": amount,
                "salt_vs_pepper": salt_vs_pepper,
                "salt": salt,
                "pepper": pepper,
            },
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )

    def _noises(self) -> tuple[Noise, ...]:
        return tuple(dict.fromkeys((self.noise, *_BY_TYPE.values())))

    def _values(self) -> tuple[Any, ...]:
        values = super()._values()
        if self.noise is not MULTIPLY_NORMAL:
            return values
        mean, stddev = values
        return 1.0 + mean, stddev  # speckle adds a multiple of the element

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments of the layer."""
        return {**super().get_config(), "noise_type": self.noise_type}


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class MultiplyGaussianNoise(NoiseLayer):
    """Multiply by normally distributed noise on every call.

    With `training_only=True` and `stddev=math.sqrt(rate / (1 - rate))`, it is equivalent to
    `keras.layers.GaussianDropout(rate)`.

    Each replica of a `tf.distribute` strategy multiplies by different noise. The state of the noise
    is saved with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.MultiplyGaussianNoise(stddev=0.5)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Level, the mean of the factors.
        stddev: Level, the standard deviation of the factors, at least 0.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = MULTIPLY_NORMAL
    mean = LevelAttribute()
    stddev = LevelAttribute()

    def __init__(
        self,
        *,
        mean: Level = 1.0,
        stddev: Level = 0.1,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"mean": mean, "stddev": stddev},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddLaplaceNoise(NoiseLayer):
    """Add Laplace noise on every call.

    Each replica of a `tf.distribute` strategy adds different noise. The state of the noise is saved
    with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.AddLaplaceNoise(scale=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        loc: Level, the location of the noise.
        scale: Level, the scale of the noise, at least 0.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = ADD_LAPLACE
    loc = LevelAttribute()
    scale = LevelAttribute()

    def __init__(
        self,
        *,
        loc: Level = 0.0,
        scale: Level = 0.1,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"loc": loc, "scale": scale},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddTruncatedGaussianNoise(NoiseLayer):
    """Add normally distributed noise, truncated at two standard deviations, on every call.

    Each replica of a `tf.distribute` strategy adds different noise. The state of the noise is saved
    with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.AddTruncatedGaussianNoise(stddev=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Level, the mean of the noise.
        stddev: Level, the standard deviation of the noise before truncation, at least 0.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = ADD_TRUNCATED_NORMAL
    mean = LevelAttribute()
    stddev = LevelAttribute()

    def __init__(
        self,
        *,
        mean: Level = 0.0,
        stddev: Level = 0.1,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"mean": mean, "stddev": stddev},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class MaskingNoise(NoiseLayer):
    """Replace random elements with a value on every call.

    Unlike dropout, the layer doesn't scale the remaining elements. This is the masking noise of
    denoising autoencoders (Vincent et al., 2010).

    Each replica of a `tf.distribute` strategy replaces different elements. The state of the noise
    is saved with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Reference:
        - [Vincent et al., 2010](https://jmlr.org/papers/v11/vincent10a.html)

    Examples:
        >>> layer = flatnoise.layers.MaskingNoise(rate=0.25)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        rate: Level, the probability that an element is replaced, from 0 to 1.
        value: Level, the replacement value.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = MASK
    rate = LevelAttribute()
    value = LevelAttribute()

    def __init__(
        self,
        *,
        rate: Level = 0.1,
        value: Level = 0.0,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"rate": rate, "value": value},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class SaltAndPepperNoise(NoiseLayer):
    """Turn random elements into salt or pepper on every call.

    Each replica of a `tf.distribute` strategy replaces different elements. The state of the noise
    is saved with the model, so resumed training continues with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule from `keras.optimizers.schedules` or a function without arguments. A schedule is
    evaluated at the number of training calls so far. A function is called whenever the layer is
    called.

    Examples:
        >>> layer = flatnoise.layers.SaltAndPepperNoise(amount=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        amount: Level, the probability that an element becomes salt or pepper, from 0 to 1.
        salt_vs_pepper: Level, the proportion of salt among these elements, from 0 to 1.
        salt: Level, the value of salt.
        pepper: Level, the value of pepper.
        variable_levels: Boolean, or a sequence of level names. Whether levels given as numbers or
            arrays are stored in non-trainable variables, which are saved with the model. Graphs and
            compiled models then follow assignments such as `layer.stddev = 0.2`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
    """

    noise = SALT_AND_PEPPER
    amount = LevelAttribute()
    salt_vs_pepper = LevelAttribute()
    salt = LevelAttribute()
    pepper = LevelAttribute()

    def __init__(
        self,
        *,
        amount: Level = 0.05,
        salt_vs_pepper: Level = 0.5,
        salt: Level = 1.0,
        pepper: Level = 0.0,
        variable_levels: bool | Sequence[str] = False,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Initialize the layer. The class documents the arguments."""
        super().__init__(
            {"amount": amount, "salt_vs_pepper": salt_vs_pepper, "salt": salt, "pepper": pepper},
            variable_levels=variable_levels,
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )
