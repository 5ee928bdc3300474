"""The noise on NumPy arrays, without TensorFlow.

The results are equal to the compiled op's, to the bit. One thread makes them, that of the caller.
"""

from flatnoise._src import numpy_functions
from flatnoise._src.numpy_functions import *  # noqa: F403

__all__ = numpy_functions.__all__
