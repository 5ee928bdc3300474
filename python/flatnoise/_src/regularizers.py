"""Regularizers that reward noise."""

from typing import Any

from flatnoise._src.errors import invalid_value
from flatnoise._src.export import export
from flatnoise._src.noise_layer import check_number
from flatnoise._src.tensorflow import keras

__all__ = ["NoiseEntropy"]


@export("flatnoise.regularizers")
@keras.saving.register_keras_serializable(package="flatnoise")
class NoiseEntropy(keras.regularizers.Regularizer):  # type: ignore[misc]
    """Reward the entropy of noise, so that training doesn't drive the noise level to 0.

    Computes `-factor * reduce_sum(log(stddev))`. For normally distributed noise, this is, up to a
    constant, `-factor` times the sum of the differential entropies (Cover and Thomas, "Elements of
    Information Theory", 2nd edition, theorem 8.4.1). If a standard deviation grows by a factor of
    e, the penalty decreases by `factor`.

    Examples:
        >>> layer = flatnoise.layers.LearnedGaussianNoise(
        ...     stddev=1.0, stddev_regularizer=flatnoise.regularizers.NoiseEntropy(1e-3)
        ... )
        >>> layer(tf.zeros([16, 64])).shape
        TensorShape([16, 64])

    Args:
        factor: Float, the weight of the entropy, at least 0.
    """

    def __init__(self, factor: float = 1e-3) -> None:
        """Initialize the regularizer. The class documents the argument."""
        check_number("factor", factor)
        if factor < 0:
            raise invalid_value("factor", "a float value that is not negative", factor)
        self.factor = factor

    def __call__(self, stddev: Any) -> Any:
        """Return the penalty for standard deviations, a scalar."""
        return -self.factor * keras.ops.sum(keras.ops.log(stddev))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments of the regularizer."""
        return {"factor": self.factor}
