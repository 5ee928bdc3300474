"""Standard noise from the compiled op, without an input."""

from typing import Any

from flatnoise._src import library
from flatnoise._src.arguments import negative_zero
from flatnoise._src.tensorflow import tf

__all__ = ["standard_noise"]


def standard_noise(distribution: str, shape: Any, seed: Any, offset: Any, dtype: Any) -> Any:
    """The numbers z of a distribution, as a tensor with a compute dtype."""
    return library.load().ops.flatnoise_noise(
        shape=shape,
        seed=seed,
        offset=tf.convert_to_tensor(offset, tf.int64),
        # -0 + 1 * z equals z, even if z is -0.
        parameters=[negative_zero(dtype), tf.ones([], dtype)],
        T=dtype,
        distribution=distribution,
    )
