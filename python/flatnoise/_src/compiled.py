"""The compiled files that don't depend on TensorFlow."""

import functools
import pathlib
from typing import Any

from flatnoise._src.shared_object import check_whole

__all__ = ["FOLDER", "check_shared_libraries", "load_core"]

FOLDER = pathlib.Path(__file__).parents[1] / "_native"
# The op libraries and the module link to these.
_SHARED_LIBRARIES = ("libflatnoise_cpu.so", "libflatnoise_cuda.so")


def check_shared_libraries() -> None:
    """Checks the libraries that the other compiled files share.

    Raises:
        OSError: If one of them is damaged. The message says which and why.
    """
    for name in _SHARED_LIBRARIES:
        if (FOLDER / name).exists():
            check_whole(FOLDER / name)


@functools.cache
def load_core() -> Any:
    """Imports the compiled module.

    Raises:
        ImportError: If it is missing or doesn't load.
    """
    try:
        check_shared_libraries()
        from flatnoise import _core
    except (ImportError, OSError) as error:
        raise ImportError(
            "flatnoise.numpy needs the compiled module flatnoise._core, which is missing "
            f"from this installation or doesn't load: {error}"
        ) from error
    return _core
