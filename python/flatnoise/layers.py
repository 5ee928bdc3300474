"""Keras layers that apply noise, and flatten in the same pass.

Each call draws a seed of its own, also where calls of one layer run at the same time, as in
`tf.data.Dataset.map` with `num_parallel_calls`. Those that are named as Keras's own draw as
Keras's do.
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
