"""Keras layers that apply noise, and flatten in the same pass.

Each call draws a seed of its own, also where calls of one layer run at the same time, as in
`tf.data.Dataset.map` with `num_parallel_calls`.
"""

from typing import Any

from flatnoise._tensorflow import keras
from flatnoise.arguments import check_choice
from flatnoise.learned_noise import LearnedGaussianNoise
from flatnoise.noise_layer import NoiseLayer, check_normal, check_uniform
from flatnoise.ops import flatten_add_normal, flatten_add_uniform, flatten_multiply_normal

__all__ = [
    "AddGaussianNoise",
    "AddNoise",
    "AddUniformNoise",
    "LearnedGaussianNoise",
    "MultiplyGaussianNoise",
]

_NOISE_TYPES = ("gaussian", "uniform")


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
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is added in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. Whether the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would add to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica adds noise of its own.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_add_normal`.
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
        super().__init__(flatten, seed, training_only, shard_invariant, implementation, **kwargs)
        check_normal(mean, stddev)
        self.mean = mean
        self.stddev = stddev

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return flatten_add_normal(inputs, mean=self.mean, stddev=self.stddev, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


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
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is added in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. Whether the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would add to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica adds noise of its own.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_add_normal`.
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
        super().__init__(flatten, seed, training_only, shard_invariant, implementation, **kwargs)
        check_uniform(minval, maxval)
        self.minval = minval
        self.maxval = maxval

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return flatten_add_uniform(inputs, minval=self.minval, maxval=self.maxval, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


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
        noise_type: `"gaussian"` or `"uniform"`.
        mean: Float, the mean of Gaussian noise.
        stddev: Float, the standard deviation of Gaussian noise, at least 0.
        minval: Float, the least uniform noise.
        maxval: Float, the bound that uniform noise stays below, at least `minval`.
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is added in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. Whether the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would add to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica adds noise of its own.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_add_normal`.
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
        super().__init__(flatten, seed, training_only, shard_invariant, implementation, **kwargs)
        check_choice("noise_type", noise_type, _NOISE_TYPES)
        check_normal(mean, stddev)
        check_uniform(minval, maxval)
        self.noise_type = noise_type
        self.mean = mean
        self.stddev = stddev
        self.minval = minval
        self.maxval = maxval

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        if self.noise_type == "gaussian":
            return flatten_add_normal(inputs, mean=self.mean, stddev=self.stddev, **options)
        return flatten_add_uniform(inputs, minval=self.minval, maxval=self.maxval, **options)

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
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianDropout`; otherwise on every call.
        shard_invariant: Boolean. Whether the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica adds noise of its own.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_multiply_normal`.
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
        super().__init__(flatten, seed, training_only, shard_invariant, implementation, **kwargs)
        check_normal(mean, stddev)
        self.mean = mean
        self.stddev = stddev

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return flatten_multiply_normal(inputs, mean=self.mean, stddev=self.stddev, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}
