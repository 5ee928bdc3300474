"""Keras's own noise layers, computed by the fused ops: subclasses that differ in `call` alone."""

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
    """Calls the fused op in training, and Keras's own code for what that doesn't take."""

    def _fused(self, inputs: Any) -> Any:
        """The layer's output in training, or None."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        fused = self._fused(inputs) if training else None
        if fused is not None:
            return fused
        return super().call(inputs, training=training)  # type: ignore[misc]


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class GaussianNoise(_DropIn, keras.layers.GaussianNoise):  # type: ignore[misc]
    """`keras.layers.GaussianNoise` in one pass.

    Adds normally distributed noise in training. Arguments, configuration and draws of seeds are
    those of `keras.layers.GaussianNoise`. The same seed gives the same noise, to a few units in
    the last place; on half precision inputs the noise is drawn in float32.

    Examples:
        >>> layer = flatnoise.layers.GaussianNoise(0.1, seed=1)
        >>> layer(keras.ops.zeros((32, 28, 28, 1)), training=True).shape
        TensorShape([32, 28, 28, 1])

    Args:
        stddev: Float, standard deviation of the noise, from 0 to 1.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor of any rank.
        training: Boolean. Whether to add noise.
    """

    def _fused(self, inputs: Any) -> Any:
        return keras_noise.gaussian_noise(self, inputs)


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class GaussianDropout(_DropIn, keras.layers.GaussianDropout):  # type: ignore[misc]
    """`keras.layers.GaussianDropout` in one pass.

    Multiplies by normally distributed noise of mean 1 in training. Arguments, configuration and
    draws of seeds are those of `keras.layers.GaussianDropout`. The same seed gives the same
    factors, to a few units in the last place; for half precision inputs they are drawn in float32.

    Examples:
        >>> layer = flatnoise.layers.GaussianDropout(0.2, seed=1)
        >>> layer(keras.ops.ones((32, 128)), training=True).shape
        TensorShape([32, 128])

    Args:
        rate: Float, drop probability, as with `Dropout`: the factors have the standard deviation
            `sqrt(rate / (1 - rate))`.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor of any rank.
        training: Boolean. Whether to apply the noise.
    """

    def _fused(self, inputs: Any) -> Any:
        return keras_noise.gaussian_dropout(self, inputs)


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class Dropout(_DropIn, keras.layers.Dropout):  # type: ignore[misc]
    """`keras.layers.Dropout` in one pass, with no stored mask.

    Sets elements to 0 with probability `rate` in training, and scales the others by
    `1 / (1 - rate)`. Arguments, configuration and draws of seeds are those of
    `keras.layers.Dropout`. The same seed gives the same result, to the bit, where Keras runs
    outside XLA; on half precision inputs the mask is drawn in float32. Here XLA gives that result,
    too. The backward pass makes the mask again.

    Examples:
        >>> layer = flatnoise.layers.Dropout(0.5, seed=1)
        >>> layer(keras.ops.ones((32, 128)), training=True).shape
        TensorShape([32, 128])

    Args:
        rate: Float between 0 and 1, the fraction of the elements to drop.
        noise_shape: Integers, or None for those of the input: the shape of the mask, which
            broadcasts to that of the input. Such a mask is stored.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor of any rank.
        training: Boolean. Whether to drop elements.
    """

    def _fused(self, inputs: Any) -> Any:
        if self.rate == 0:  # then it has no seed generator
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
    """`keras.layers.SpatialDropout1D`, with the same masks inside XLA as outside.

    Drops whole channels of `[batch, steps, channels]` in training. Arguments, configuration and
    draws of seeds are those of `keras.layers.SpatialDropout1D`. The same seed gives the same
    result, to the bit, where Keras runs outside XLA.

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
    """`keras.layers.SpatialDropout2D`, with the same masks inside XLA as outside.

    Drops whole channels of images in training; otherwise as `flatnoise.layers.SpatialDropout1D`.

    Examples:
        >>> layer = flatnoise.layers.SpatialDropout2D(0.5, seed=1)
        >>> layer(keras.ops.ones((32, 28, 28, 8)), training=True).shape
        TensorShape([32, 28, 28, 8])

    Args:
        rate: Float between 0 and 1, the fraction of the channels to drop.
        data_format: `"channels_first"` or `"channels_last"`; by default what
            `keras.config.image_data_format()` says.
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
    """`keras.layers.SpatialDropout3D`, with the same masks inside XLA as outside.

    Drops whole channels of volumes in training; otherwise as `flatnoise.layers.SpatialDropout1D`.

    Examples:
        >>> layer = flatnoise.layers.SpatialDropout3D(0.5, seed=1)
        >>> layer(keras.ops.ones((4, 16, 16, 16, 8)), training=True).shape
        TensorShape([4, 16, 16, 16, 8])

    Args:
        rate: Float between 0 and 1, the fraction of the channels to drop.
        data_format: `"channels_first"` or `"channels_last"`; by default what
            `keras.config.image_data_format()` says.
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
    """`keras.layers.AlphaDropout` in one pass, with no stored mask.

    Sets elements to the value at which a SELU saturates with probability `rate` in training, and
    scales and shifts all so that mean and variance stay. Arguments, configuration and draws of
    seeds are those of `keras.layers.AlphaDropout`. The same seed drops the same elements where
    Keras runs outside XLA. A dropped NaN or infinity is dropped, where Keras makes it NaN.

    Examples:
        >>> layer = flatnoise.layers.AlphaDropout(0.1, seed=1)
        >>> layer(keras.ops.ones((32, 128)), training=True).shape
        TensorShape([32, 128])

    Args:
        rate: Float between 0 and 1, the fraction of the elements to drop.
        noise_shape: Integers, or None for those of the input: the shape of the mask, which
            broadcasts to that of the input. Such a mask is stored.
        seed: Integer, optional random seed to enable deterministic behavior.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Input tensor of any rank.
        training: Boolean. Whether to drop elements.
    """

    def _fused(self, inputs: Any) -> Any:
        return keras_noise.alpha_dropout(self, inputs)


# The layers by the class of Keras's that each takes the place of.
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
