"""Regularizers that speak for noise."""

from typing import Any

from flatnoise._src.errors import invalid_value
from flatnoise._src.export import export
from flatnoise._src.noise_layer import check_number
from flatnoise._src.tensorflow import keras

__all__ = ["NoiseEntropy"]


@export("flatnoise.regularizers")
@keras.saving.register_keras_serializable(package="flatnoise")
class NoiseEntropy(keras.regularizers.Regularizer):  # type: ignore[misc]
    """Rewards the entropy of noise, so that a loss which noise harms doesn't drive it to 0.

    Computes `-factor * reduce_sum(log(stddev))`: for normally distributed noise, minus `factor`
    times the sum of the differential entropies, but for a constant (Cover and Thomas, "Elements of
    Information Theory", 2nd edition, theorem 8.4.1). In units of `factor`, the loss may rise by 1
    where a standard deviation grows by the factor e.

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
        """Checks and keeps the factor."""
        check_number("factor", factor)
        if factor < 0:
            raise invalid_value("factor", "a float value that is not negative", factor)
        self.factor = factor

    def __call__(self, stddev: Any) -> Any:
        """The penalty for standard deviations, a scalar."""
        return -self.factor * keras.ops.sum(keras.ops.log(stddev))

    def get_config(self) -> dict[str, Any]:
        """The arguments that the regularizer was made with."""
        return {"factor": self.factor}
