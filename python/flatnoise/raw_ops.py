"""Direct access to the compiled ops, like ``tf.raw_ops``."""

from flatnoise._src.raw_ops import (
    FlattenNoise,
    FlattenNoiseGrad,
    FlattenNoiseOfBytes,
    FlattenNoiseWithZ,
    Noise,
)

__all__ = [
    "FlattenNoise",
    "FlattenNoiseGrad",
    "FlattenNoiseOfBytes",
    "FlattenNoiseWithZ",
    "Noise",
]
