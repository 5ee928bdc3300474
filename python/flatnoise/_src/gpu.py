"""Whether the compiled op can run on the GPUs that TensorFlow sees.

The op library answers through three C functions and leaves the decision to CUDA, so there is no
list of architectures to keep in sync here. GPUs that are hidden from TensorFlow aren't touched.
"""

import ctypes
import dataclasses
import functools
import pathlib

from flatnoise._src import library
from flatnoise._src.tensorflow import tf

__all__ = ["CudaBuild", "build_problem", "cuda_build", "problem"]

_NO_CUDA = "this TensorFlow runs GPUs without CUDA, and the compiled op has kernels for CUDA alone"


@dataclasses.dataclass(frozen=True)
class CudaBuild:
    """The CUDA support of an op library. Without CUDA, `version` is `None`."""

    version: str | None = None
    architectures: tuple[str, ...] = ()


@functools.cache
def _functions(path: pathlib.Path) -> ctypes.CDLL:
    functions = ctypes.CDLL(str(path))
    functions.FlatnoiseCudaArchitectures.restype = ctypes.c_char_p
    functions.FlatnoiseCudaProblem.restype = ctypes.c_char_p
    return functions


def cuda_build() -> CudaBuild:
    """The CUDA support of the loaded op library."""
    found = library.load()
    if not found.loaded or found.path is None:
        return CudaBuild()
    version = _functions(found.path).FlatnoiseCudaVersion()
    if version == 0:
        return CudaBuild()
    architectures = _functions(found.path).FlatnoiseCudaArchitectures().decode().split(",")
    return CudaBuild(f"{version // 1000}.{version % 1000 // 10}", tuple(architectures))


def build_problem() -> str | None:
    """Why the compiled op can't run on any GPU of this TensorFlow build, local or remote."""
    return _NO_CUDA if tf.test.is_built_with_rocm() else None


@functools.cache
def problem() -> str | None:
    """Why the compiled op can't run on every visible GPU, or `None` if it can or there are none.

    Evaluated on first use, once per process. TensorFlow doesn't change the visible devices after
    that point either.
    """
    gpus = tf.config.get_visible_devices("GPU")
    found = library.load()
    if not gpus or not found.loaded or found.path is None:
        return None
    if not tf.test.is_built_with_cuda():
        return _NO_CUDA
    for gpu in gpus:
        number = int(gpu.name.rsplit(":", 1)[1])
        reason = _functions(found.path).FlatnoiseCudaProblem(number).decode()
        if reason:
            return f"on {gpu.name}: {reason}"
    return None
