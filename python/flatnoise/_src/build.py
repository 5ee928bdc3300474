"""Information about this installation of flatnoise."""

import importlib.metadata
import importlib.util
from typing import Any

from flatnoise._src.compiled import load_core
from flatnoise._src.export import export

__all__ = ["__version__", "build_info", "installed_version"]


def installed_version(distribution: str) -> str | None:
    """The version of a distribution, or `None` if it isn't installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


__version__ = installed_version("flatnoise") or "0+unknown"


def _core_facts() -> dict[str, Any]:
    try:
        return dict(load_core().build_info())
    except ImportError:
        return {}


def _library_facts() -> dict[str, Any]:
    if importlib.util.find_spec("tensorflow") is None:
        return {
            "tensorflow_version": None,
            "native_loaded": False,
            "native_error": "TensorFlow is not installed",
            "native_library": None,
            "xla_loaded": False,
            "xla_error": "TensorFlow is not installed",
            "cuda_version": None,
            "cuda_architectures": [],
            "gpu_error": "TensorFlow is not installed",
        }

    from flatnoise._src import gpu, library
    from flatnoise._src.tensorflow import tf

    found = library.load()
    cuda = gpu.cuda_build()
    return {
        "tensorflow_version": tf.version.VERSION,
        "native_loaded": found.loaded,
        "native_error": found.reason,
        "native_library": None if found.path is None else str(found.path),
        "xla_loaded": found.has_xla_kernels,
        "xla_error": found.xla_reason if found.loaded else found.reason,
        "cuda_version": cuda.version,
        "cuda_architectures": list(cuda.architectures),
        "gpu_error": gpu.problem() if found.loaded else found.reason,
    }


@export("flatnoise")
def build_info() -> dict[str, Any]:
    """Return information about this installation and about whether the compiled op is loaded.

    Works without TensorFlow.

    Returns:
        A dictionary with at least these keys:

        * ``version``: the version of flatnoise.
        * ``tensorflow_version``: the version of the installed TensorFlow, or ``None``.
        * ``built_against_tensorflow``: the TensorFlow versions that the op libraries were built
          against, one per library.
        * ``instruction_set``: the CPU instruction set in use, or ``None``.
        * ``instruction_sets``: the compiled instruction sets that this CPU supports, slowest first.
        * ``cuda_version``: the CUDA version of the GPU kernels, or ``None`` if there are none.
        * ``cuda_architectures``: the GPU architectures of the kernels, in CMake's notation.
        * ``gpu_error``: why the op can't run on the visible GPUs, or ``None`` if it can or if there
          are no GPUs.
        * ``native_loaded``: whether the compiled op is loaded.
        * ``native_error``: why the compiled op isn't loaded, or ``None`` if it is.
        * ``native_library``: the path of the op library, loaded or not.
        * ``xla_loaded``: whether XLA can compile the op.
        * ``xla_error``: why XLA can't compile the op, or ``None`` if it can.

        There are further keys for facts about the compiled part, such as the compiler.
    """
    core = _core_facts()
    tensorflow_versions = core.pop("tensorflow_versions", [])
    return {
        "version": __version__,
        "instruction_set": None,
        "instruction_sets": [],
        **core,
        "built_against_tensorflow": tensorflow_versions,
        **_library_facts(),
    }
