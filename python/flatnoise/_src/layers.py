"""The layers whose noise has parameters that stay as they are."""

from typing import Any

from flatnoise._src.errors import check_choice
from flatnoise._src.export import export
from flatnoise._src.functions import (
    apply_noise,
    flatten_add_normal,
    flatten_add_uniform,
    flatten_multiply_normal,
)
from flatnoise._src.noise_layer import NoiseLayer, check_parameters
from flatnoise._src.noises import ADD_NORMAL, ADD_UNIFORM, MULTIPLY_NORMAL, NOISES
from flatnoise._src.tensorflow import keras

__all__ = ["AddGaussianNoise", "AddNoise", "AddUniformNoise", "MultiplyGaussianNoise"]

_BY_TYPE = {noise.noise_type: noise for noise in NOISES if noise.noise_type is not None}


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddGaussianNoise(NoiseLayer):
    """Adds normally distributed noise, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.


    Examples:
        >>> layer = flatnoise.layers.AddGaussianNoise(mean=0.0, stddev=0.1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Float, the mean of the noise.
        stddev: Float, the standard deviation of the noise, at least 0.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
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

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.1,
        flatten: bool = False,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(
            flatten=flatten,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )
        check_parameters(ADD_NORMAL, {"mean": mean, "stddev": stddev})
        self.mean = mean
        self.stddev = stddev

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return flatten_add_normal(inputs, mean=self.mean, stddev=self.stddev, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddUniformNoise(NoiseLayer):
    """Flattens and adds uniformly distributed noise, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.


    Examples:
        >>> layer = flatnoise.layers.AddUniformNoise(minval=-0.1, maxval=0.1)
        >>> layer(keras.ops.zeros((16, 32, 32, 3))).shape
        TensorShape([16, 3072])

    Args:
        minval: Float, the least noise.
        maxval: Float, the bound that the noise stays below, at least `minval`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
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

    def __init__(
        self,
        minval: float = -0.1,
        maxval: float = 0.1,
        flatten: bool = True,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(
            flatten=flatten,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )
        check_parameters(ADD_UNIFORM, {"minval": minval, "maxval": maxval})
        self.minval = minval
        self.maxval = maxval

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return flatten_add_uniform(inputs, minval=self.minval, maxval=self.maxval, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AddNoise(NoiseLayer):
    """Flattens and adds noise of a type chosen by name, on every call.

    No two replicas of a `tf.distribute` strategy add the same noise. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.


    Examples:
        >>> layer = flatnoise.layers.AddNoise(noise_type="gaussian", stddev=0.02)
        >>> layer(keras.ops.zeros((8, 64, 64, 3))).shape
        TensorShape([8, 12288])

    Args:
        noise_type: `"gaussian"`, whose parameters are `mean` and `stddev`, or `"uniform"`, whose
            parameters are `minval` and `maxval`.
        mean: Float, the mean of the noise.
        stddev: Float, the standard deviation of the noise, at least 0.
        minval: Float, the least noise.
        maxval: Float, the bound that the noise stays below, at least `minval`.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
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

    def __init__(
        self,
        noise_type: str = "gaussian",
        mean: float = 0.0,
        stddev: float = 0.1,
        minval: float = -0.1,
        maxval: float = 0.1,
        flatten: bool = True,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(
            flatten=flatten,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )
        check_choice("noise_type", noise_type, _BY_TYPE)
        check_parameters(ADD_NORMAL, {"mean": mean, "stddev": stddev})
        check_parameters(ADD_UNIFORM, {"minval": minval, "maxval": maxval})
        self.noise_type = noise_type
        self.mean = mean
        self.stddev = stddev
        self.minval = minval
        self.maxval = maxval

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        noise = _BY_TYPE[self.noise_type]
        values = tuple(getattr(self, parameter.name) for parameter in noise.parameters)
        return apply_noise(noise, inputs, values=values, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {
            **super().get_config(),
            "noise_type": self.noise_type,
            "mean": self.mean,
            "stddev": self.stddev,
            "minval": self.minval,
            "maxval": self.maxval,
        }


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class MultiplyGaussianNoise(NoiseLayer):
    """Multiplies by normally distributed noise, on every call.

    With `training_only=True` and `stddev=math.sqrt(rate / (1 - rate))` it does what
    `keras.layers.GaussianDropout(rate)` does.

    No two replicas of a `tf.distribute` strategy multiply by the same noise. The state of the noise
    is saved with the model: a training that is taken up again goes on with fresh noise.


    Examples:
        >>> layer = flatnoise.layers.MultiplyGaussianNoise(stddev=0.5)
        >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
        TensorShape([32, 28, 28, 1])

    Args:
        mean: Float, the mean of the factors.
        stddev: Float, the standard deviation of the factors, at least 0.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
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

    def __init__(
        self,
        mean: float = 1.0,
        stddev: float = 0.1,
        flatten: bool = False,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(
            flatten=flatten,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )
        check_parameters(MULTIPLY_NORMAL, {"mean": mean, "stddev": stddev})
        self.mean = mean
        self.stddev = stddev

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return flatten_multiply_normal(inputs, mean=self.mean, stddev=self.stddev, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}
