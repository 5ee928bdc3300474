"""The layers whose noise has the levels that they are given."""

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
    """Adds normally distributed noise, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.AddGaussianNoise(mean=0.0, stddev=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Level, the mean of the noise.
        stddev: Level, the standard deviation of the noise, at least 0.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
    """Flattens and adds uniformly distributed noise, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.AddUniformNoise(minval=-0.1, maxval=0.1)
        >>> layer(keras.ops.zeros((16, 32, 32, 3))).shape
        TensorShape([16, 3072])

    Args:
        minval: Level, the least noise.
        maxval: Level, the bound that the noise stays below, at least `minval`.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
    """Flattens and applies noise of a type chosen by name, on every call.

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

    No two replicas of a `tf.distribute` strategy apply the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.AddNoise(noise_type="gaussian", stddev=0.02)
        >>> layer(keras.ops.zeros((8, 64, 64, 3))).shape
        TensorShape([8, 12288])

    Args:
        noise_type: String, one of the types of the table. The parameters of other types are kept,
            and not used.
        mean: Level, the mean of the noise.
        stddev: Level, the standard deviation of the noise, at least 0.
        minval: Level, the least noise.
        maxval: Level, the bound that the noise stays below, at least `minval`.
        loc: Level, the location of the noise.
        scale: Level, the scale of the noise, at least 0.
        rate: Level, the probability that an element is replaced, from 0 to 1.
        value: Level, what is put in.
        amount: Level, the probability that an element becomes salt or pepper, from 0 to 1.
        salt_vs_pepper: Level, the share of salt in these, from 0 to 1.
        salt: Level, the value of salt.
        pepper: Level, the value of pepper.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
        return 1.0 + mean, stddev  # what speckle adds is a share of the element

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "noise_type": self.noise_type}


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class MultiplyGaussianNoise(NoiseLayer):
    """Multiplies by normally distributed noise, on every call.

    With `training_only=True` and `stddev=math.sqrt(rate / (1 - rate))` it does what
    `keras.layers.GaussianDropout(rate)` does.

    No two replicas of a `tf.distribute` strategy multiply by the same noise. The state of the noise
    is saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.MultiplyGaussianNoise(stddev=0.5)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Level, the mean of the factors.
        stddev: Level, the standard deviation of the factors, at least 0.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
    """Adds Laplace noise, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.AddLaplaceNoise(scale=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        loc: Level, the location of the noise.
        scale: Level, the scale of the noise, at least 0.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
    """Adds normal noise that is cut off at two standard deviations, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.AddTruncatedGaussianNoise(stddev=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Level, the mean of the noise.
        stddev: Level, the standard deviation of the noise before its tails are cut off, at least 0.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
    """Puts a value in place of elements at random, on every call.

    The other elements stay as they are, where dropout scales them.

    No two replicas of a `tf.distribute` strategy replace the same elements. The state of the noise
    is saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.MaskingNoise(rate=0.25)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        rate: Level, the probability that an element is replaced, from 0 to 1.
        value: Level, what is put in.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
    """Turns elements into salt or pepper at random, on every call.

    No two replicas of a `tf.distribute` strategy replace the same elements. The state of the noise
    is saved with the model: a training that is taken up again goes on with fresh noise.

    A level is a number, an array that broadcasts to the output's shape, a `keras.Variable`, a
    schedule of `keras.optimizers.schedules` or a function of no arguments. A schedule is a function
    of the number of calls in training so far; a function is called wherever the layer is.

    Examples:
        >>> layer = flatnoise.layers.SaltAndPepperNoise(amount=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        amount: Level, the probability that an element becomes salt or pepper, from 0 to 1.
        salt_vs_pepper: Level, the share of salt in these, from 0 to 1.
        salt: Level, the value of salt.
        pepper: Level, the value of pepper.
        variable_levels: Boolean, or a sequence of names of levels. Whether those that are numbers
            or arrays live in variables, which are saved with the model and not trained: then what
            is assigned, as in `layer.stddev = 0.2`, holds in graphs and compiled models too.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
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
        """Makes the layer; the class tells of the arguments."""
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
