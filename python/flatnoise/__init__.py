"""Fused noise and dropout for TensorFlow and Keras, with optional flattening.

The noise comes from the streams of
``tf.random.stateless_normal`` and ``tf.random.stateless_uniform`` (``alg="philox"``). It is
generated while the input is processed, so each tensor is read once and written once. Importing the
package registers the compiled ops and the Keras layers. SavedModels and
``.keras`` files that contain them load after ``import flatnoise``.
"""

import importlib.util
from typing import TYPE_CHECKING

from flatnoise import numpy
from flatnoise._src.build import __version__, build_info
from flatnoise._src.noises import NOISES

_FUNCTIONS = tuple(noise.function for noise in NOISES)
_SAMPLES = ("gumbel", "laplace", "logistic", "normal", "truncated_normal", "uniform")
_NEED_TENSORFLOW = (
    *_FUNCTIONS,
    *_SAMPLES,
    "callbacks",
    "convert",
    "diffuse",
    "layers",
    "patch_keras",
    "raw_ops",
    "regularizers",
    "schedules",
    "unpatch_keras",
)
_HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None

__all__ = [
    "__version__",
    "build_info",
    "callbacks",
    "convert",
    "diffuse",
    "layers",
    "numpy",
    "patch_keras",
    "raw_ops",
    "regularizers",
    "schedules",
    "unpatch_keras",
]
__all__ += [*_FUNCTIONS, *_SAMPLES]

if TYPE_CHECKING or _HAS_TENSORFLOW:
    from flatnoise import callbacks, layers, raw_ops, regularizers, schedules
    from flatnoise._src.convert import convert
    from flatnoise._src.diffusion import diffuse
    from flatnoise._src.functions import *  # noqa: F403  (a function for each of NOISES)
    from flatnoise._src.patch import patch_keras, unpatch_keras
    from flatnoise._src.samples import *  # noqa: F403

if not TYPE_CHECKING:
    # The package must import without TensorFlow, because `flatnoise.numpy` doesn't need it.
    def __getattr__(name):
        if name in _NEED_TENSORFLOW and not _HAS_TENSORFLOW:
            import flatnoise._src.tensorflow  # noqa: F401  (raises and names the extra to install)
        raise AttributeError(f"module 'flatnoise' has no attribute {name!r}")
