"""Noise for NumPy arrays, without TensorFlow.

The results are bit-identical to those of the compiled op. All computation runs on the calling
thread.
"""

from flatnoise._src import numpy_functions
from flatnoise._src.numpy_functions import *  # noqa: F403

__all__ = numpy_functions.__all__
