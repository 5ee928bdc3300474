"""The noise on NumPy arrays, without TensorFlow.

The results are equal to the compiled op's, to the bit. One thread makes them, that of the caller.
"""

from flatnoise._src.numpy_functions import (
    flatten_add_normal,
    flatten_add_uniform,
    flatten_multiply_normal,
    flatten_noise,
    flatten_noise_grad,
    philox4x32,
    random_words,
)

__all__ = [
    "flatten_add_normal",
    "flatten_add_uniform",
    "flatten_multiply_normal",
    "flatten_noise",
    "flatten_noise_grad",
    "philox4x32",
    "random_words",
]
