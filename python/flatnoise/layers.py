"""Keras layers that apply noise, and flatten in the same pass.

Each call draws a seed of its own, also where calls of one layer run at the same time, as in
`tf.data.Dataset.map` with `num_parallel_calls`.
"""

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
    "LearnedGaussianNoise",
    "MaskingNoise",
    "MultiplyGaussianNoise",
    "SaltAndPepperNoise",
]
