"""Keras layers that apply noise and optionally flatten in the same pass.

Each call draws a separate seed, even if calls of the same layer run concurrently, as in
`tf.data.Dataset.map` with `num_parallel_calls`. Layers with the names of Keras layers draw seeds
the way Keras does.
"""

from flatnoise._src.drop_in_layers import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from flatnoise._src.layers import (
    AddGaussianNoise,
    AddLaplaceNoise,
    AddNoise,
    AddTruncatedGaussianNoise,
    AddUniformNoise,
    MaskingNoise,
    MultiplyGaussianNoise,
    SaltAndPepperNoise,
)
from flatnoise._src.learned_noise import LearnedGaussianNoise

__all__ = [
    "AddGaussianNoise",
    "AddLaplaceNoise",
    "AddNoise",
    "AddTruncatedGaussianNoise",
    "AddUniformNoise",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "LearnedGaussianNoise",
    "MaskingNoise",
    "MultiplyGaussianNoise",
    "SaltAndPepperNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
