"""Subclasses of Keras's noise layers that override `call` with the fused ops."""

from typing import Any

from flatnoise._src import keras_noise
from flatnoise._src.export import export
from flatnoise._src.tensorflow import keras

__all__ = [
    "DROP_INS",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class _DropIn:
    """Calls the fused op in training, and Keras's code for calls that the op can't handle."""

    def _fused(self, inputs: Any) -> Any:
        """The layer's output in training, or None if the op can't compute it."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        fused = self._fused(inputs) if training else None
        if fused is not None:
            return fused
        return super().call(inputs, training=training)  # type: ignore[misc]


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class GaussianNoise(_DropIn, keras.layers.GaussianNoise):  # type: ignore[misc]
    """Fused version of `keras.layers.GaussianNoise`.

    Adds normally distributed noise in training. Arguments, configuration and seed handling are
    those of `keras.layers.GaussianNoise`. The same seed gives the same noise up to a few units in
    the last place. For half-precision inputs, noise is drawn in float32.

    Examples:
        >>> layer = flatnoise.layers.GaussianNoise(0.1, seed=1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1)), training=True).shape
        TensorShape([32, 28, 28, 1])

    Args:
        stddev: Float, standard deviation of the noise, from 0 to 1.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor (of any rank).
        training: Boolean. Whether to add noise.
    """

    def _fused(self, inputs: Any) -> Any:
        return keras_noise.gaussian_noise(self, inputs)


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class GaussianDropout(_DropIn, keras.layers.GaussianDropout):  # type: ignore[misc]
    """Fused version of `keras.layers.GaussianDropout`.

    Multiplies by normally distributed noise with mean 1 in training. Arguments, configuration and
    seed handling are those of `keras.layers.GaussianDropout`. The same seed gives the same factors
    up to a few units in the last place. For half-precision inputs, factors are drawn in float32.

    Reference:
        - [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Examples:
        >>> layer = flatnoise.layers.GaussianDropout(0.2, seed=1)
        >>> layer(keras.ops.ones((32, 128)), training=True).shape
        TensorShape([32, 128])

    Args:
        rate: Float, drop probability, as in `Dropout`. The factors have the standard deviation
            `sqrt(rate / (1 - rate))`.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor (of any rank).
        training: Boolean. Whether to apply the noise.
    """

    def _fused(self, inputs: Any) -> Any:
        return keras_noise.gaussian_dropout(self, inputs)


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class Dropout(_DropIn, keras.layers.Dropout):  # type: ignore[misc]
    """Fused version of `keras.layers.Dropout` that stores no mask.

    In training, sets elements to 0 with probability `rate` and scales the others by
    `1 / (1 - rate)`. Arguments, configuration and seed handling are those of
    `keras.layers.Dropout`. The same seed gives results bit-identical to those of Keras outside XLA,
    also when this layer runs inside XLA. For half-precision inputs, the mask is drawn in float32.
    The backward pass recomputes the mask.

    Reference:
        - [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Examples:
        >>> layer = flatnoise.layers.Dropout(0.5, seed=1)
        >>> layer(keras.ops.ones((32, 128)), training=True).shape
        TensorShape([32, 128])

    Args:
        rate: Float between 0 and 1, the fraction of the elements to drop.
        noise_shape: Tuple of integers, the shape of the mask, which broadcasts to the shape of the
            input. `None` stands for the size of the input's axis. A mask with a `noise_shape` is
            stored.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor (of any rank).
        training: Boolean. Whether to drop elements.
    """

    def _fused(self, inputs: Any) -> Any:
        if self.rate == 0:  # the layer then has no seed generator
            return None
        return keras_noise.dropout(inputs, self.rate, self.noise_shape, self.seed_generator)


class _SpatialDropIn(_DropIn):
    rate: float
    seed_generator: Any

    def _fused(self, inputs: Any) -> Any:
        if self.rate == 0:
            return None
        rank = len(inputs.shape)
        channels = 1 if getattr(self, "data_format", None) == "channels_first" else rank - 1
        shape = [None if axis in (0, channels) else 1 for axis in range(rank)]
        return keras_noise.dropout(inputs, self.rate, shape, self.seed_generator)


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class SpatialDropout1D(_SpatialDropIn, keras.layers.SpatialDropout1D):  # type: ignore[misc]
    """Version of `keras.layers.SpatialDropout1D` with the same masks inside and outside XLA.

    Drops entire channels of `[batch, steps, channels]` in training. Arguments, configuration and
    seed handling are those of `keras.layers.SpatialDropout1D`. The same seed gives results
    bit-identical to those of Keras outside XLA.

    Reference:
        - [Tompson et al., 2014](https://arxiv.org/abs/1411.4280)

    Examples:
        >>> layer = flatnoise.layers.SpatialDropout1D(0.5, seed=1)
        >>> layer(keras.ops.ones((32, 10, 8)), training=True).shape
        TensorShape([32, 10, 8])

    Args:
        rate: Float between 0 and 1, the fraction of the channels to drop.
        seed: Integer, optional random seed to enable deterministic behavior.
        name: String, optional name.
        dtype: The layer's dtype or `keras.DTypePolicy`.

    Call arguments:
        inputs: Input tensor of rank 3.
        training: Boolean. Whether to drop channels.
    """


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class SpatialDropout2D(_SpatialDropIn, keras.layers.SpatialDropout2D):  # type: ignore[misc]
    """Version of `keras.layers.SpatialDropout2D` with the same masks inside and outside XLA.

    Drops entire channels of images in training. Otherwise, it works like
    `flatnoise.layers.SpatialDropout1D`.

    Examples:
        >>> layer = flatnoise.layers.SpatialDropout2D(0.5, seed=1)
        >>> layer(keras.ops.ones((32, 28, 28, 8)), training=True).shape
        TensorShape([32, 28, 28, 8])

    Args:
        rate: Float between 0 and 1, the fraction of the channels to drop.
        data_format: `"channels_first"` or `"channels_last"`. Defaults to
            `keras.config.image_data_format()`.
        seed: Integer, optional random seed to enable deterministic behavior.
        name: String, optional name.
        dtype: The layer's dtype or `keras.DTypePolicy`.

    Call arguments:
        inputs: Input tensor of rank 4.
        training: Boolean. Whether to drop channels.
    """


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class SpatialDropout3D(_SpatialDropIn, keras.layers.SpatialDropout3D):  # type: ignore[misc]
    """Version of `keras.layers.SpatialDropout3D` with the same masks inside and outside XLA.

    Drops entire channels of volumes in training. Otherwise, it works like
    `flatnoise.layers.SpatialDropout1D`.

    Examples:
        >>> layer = flatnoise.layers.SpatialDropout3D(0.5, seed=1)
        >>> layer(keras.ops.ones((4, 16, 16, 16, 8)), training=True).shape
        TensorShape([4, 16, 16, 16, 8])

    Args:
        rate: Float between 0 and 1, the fraction of the channels to drop.
        data_format: `"channels_first"` or `"channels_last"`. Defaults to
            `keras.config.image_data_format()`.
        seed: Integer, optional random seed to enable deterministic behavior.
        name: String, optional name.
        dtype: The layer's dtype or `keras.DTypePolicy`.

    Call arguments:
        inputs: Input tensor of rank 5.
        training: Boolean. Whether to drop channels.
    """


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class AlphaDropout(_DropIn, keras.layers.AlphaDropout):  # type: ignore[misc]
    """Fused version of `keras.layers.AlphaDropout` that stores no mask.

    In training, sets elements to the saturation value of SELU with probability `rate`, then scales
    and shifts all elements to preserve mean and variance. Arguments, configuration and seed
    handling are those of `keras.layers.AlphaDropout`. The same seed drops the same elements as in
    Keras outside XLA. Dropped NaNs and infinities are replaced like other elements, whereas Keras
    turns them into NaN.

    Reference:
        - [Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)

    Examples:
        >>> layer = flatnoise.layers.AlphaDropout(0.1, seed=1)
        >>> layer(keras.ops.ones((32, 128)), training=True).shape
        TensorShape([32, 128])

    Args:
        rate: Float between 0 and 1, the fraction of the elements to drop.
        noise_shape: Tuple of integers, the shape of the mask, which broadcasts to the shape of the
            input. `None` stands for the size of the input's axis. A mask with a `noise_shape` is
            stored.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor (of any rank).
        training: Boolean. Whether to drop elements.
    """

    def _fused(self, inputs: Any) -> Any:
        return keras_noise.alpha_dropout(self, inputs)


# Maps each Keras class to its replacement.
DROP_INS = {
    getattr(keras.layers, cls.__name__): cls
    for cls in (
        GaussianNoise,
        GaussianDropout,
        Dropout,
        SpatialDropout1D,
        SpatialDropout2D,
        SpatialDropout3D,
        AlphaDropout,
    )
}
