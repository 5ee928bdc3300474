"""Imports TensorFlow and Keras, with a helpful error if TensorFlow is missing."""

MISSING = (
    "flatnoise needs TensorFlow, which is not installed. Take it along with one of the extras: "
    "`pip install flatnoise[tensorflow]`, `pip install flatnoise[cpu]` (tensorflow-cpu) or "
    "`pip install flatnoise[and-cuda]` (tensorflow with NVIDIA's libraries)."
)

try:
    import tensorflow as tf
except ModuleNotFoundError as error:
    # If TensorFlow is installed but broken, its own error is more helpful.
    if error.name != "tensorflow":
        raise
    raise ImportError(MISSING) from error

import keras  # noqa: E402  (it imports TensorFlow: not before the words above)

__all__ = ["keras", "tf"]
