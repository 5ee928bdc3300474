"""Whether the compiled op can run on the GPUs that TensorFlow sees.

The op library answers through three C functions, and CUDA itself decides: a list of architectures
kept here would be one more place to forget. A GPU that TensorFlow was told not to use is not
touched.
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
    """What an op library has for NVIDIA GPUs: nothing where `version` is `None`."""

    version: str | None = None
    architectures: tuple[str, ...] = ()


@functools.cache
def _functions(path: pathlib.Path) -> ctypes.CDLL:
    functions = ctypes.CDLL(str(path))
    functions.FlatnoiseCudaArchitectures.restype = ctypes.c_char_p
    functions.FlatnoiseCudaProblem.restype = ctypes.c_char_p
    return functions


def cuda_build() -> CudaBuild:
    """What the loaded op library was built with."""
    found = library.load()
    if not found.loaded or found.path is None:
        return CudaBuild()
    version = _functions(found.path).FlatnoiseCudaVersion()
    if version == 0:
        return CudaBuild()
    architectures = _functions(found.path).FlatnoiseCudaArchitectures().decode().split(",")
    return CudaBuild(f"{version // 1000}.{version % 1000 // 10}", tuple(architectures))


def build_problem() -> str | None:
    """Why the compiled op can't run on any GPU of this TensorFlow, here or on other machines."""
    return _NO_CUDA if tf.test.is_built_with_rocm() else None


@functools.cache
def problem() -> str | None:
    """Why the compiled op can't run on every visible GPU; `None` where it can or there is none.

    Asked when the op is first used, and once per process: TensorFlow does not take back what it
    made of the visible devices either.
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
