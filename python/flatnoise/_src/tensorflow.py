"""The one place that imports TensorFlow and its Keras, so that absence is explained once."""

MISSING = (
    "flatnoise needs TensorFlow, which is not installed. Take it along with one of the extras: "
    "`pip install flatnoise[tensorflow]`, `pip install flatnoise[cpu]` (tensorflow-cpu) or "
    "`pip install flatnoise[and-cuda]` (tensorflow with NVIDIA's libraries)."
)

try:
    import tensorflow as tf
except ModuleNotFoundError as error:
    # A TensorFlow that is installed but broken has a story of its own to tell.
    if error.name != "tensorflow":
        raise
    raise ImportError(MISSING) from error

import keras  # noqa: E402  (it imports TensorFlow: not before the words above)

__all__ = ["keras", "tf"]
