"""Finds and loads the compiled op, once per process.

Abseil's inline namespace is part of TensorFlow's exported signatures, so a library built against
one minor version doesn't load in another. There is one library per minor version, with the version
in the file name. Their common code is in shared libraries.
"""

import dataclasses
import functools
import pathlib
import re
import warnings
from typing import Any

from flatnoise._src.compiled import FOLDER, check_shared_libraries
from flatnoise._src.shared_object import check_whole
from flatnoise._src.tensorflow import tf

__all__ = ["Library", "load", "warn_once_about_fallback"]

_FILE_NAME = "libflatnoise_tf{major}_{minor}.so"
_XLA_FILE_NAME = "libflatnoise_xla_tf{major}_{minor}.so"
_FILE_PATTERN = re.compile(r"libflatnoise_tf(\d+)_(\d+)\.so")
_LOAD_ERRORS = (tf.errors.OpError, OSError, RuntimeError)


@dataclasses.dataclass(frozen=True)
class Library:
    """The result of loading: either `ops`, or the `reason` why there are none.

    `xla_reason` says why there are no XLA kernels. It is `None` if there are.
    """

    path: pathlib.Path | None
    ops: Any = None
    reason: str | None = None
    xla_reason: str | None = None

    @property
    def loaded(self) -> bool:
        """Whether the compiled op can be used."""
        return self.ops is not None

    @property
    def has_xla_kernels(self) -> bool:
        """Whether XLA can compile the op."""
        return self.loaded and self.xla_reason is None


def _available_versions() -> list[tuple[int, int]]:
    matches = (_FILE_PATTERN.fullmatch(file.name) for file in FOLDER.glob("*.so"))
    return sorted((int(match[1]), int(match[2])) for match in matches if match)


def _reason_for_missing_file() -> str:
    running = tf.version.VERSION
    available = [f"{major}.{minor}" for major, minor in _available_versions()]
    if not available:
        return (
            f"this installation of flatnoise contains no compiled library (TensorFlow {running} is "
            "running); install a wheel of flatnoise made for this platform, or build it from "
            "source"
        )
    wanted = " or ".join(f'"tensorflow=={version}.*"' for version in available)
    return (
        f"this installation of flatnoise contains compiled libraries for TensorFlow "
        f"{', '.join(available)} and TensorFlow {running} is running; `pip install {wanted}`, "
        f"or install a flatnoise built against TensorFlow {running}"
    )


def _load_xla_kernels(path: pathlib.Path) -> str | None:
    """Loads the XLA kernels. Returns the reason if that fails.

    Not deferred to first use, because XLA may compile a SavedModel with the op without running any
    code of this package. Loading takes milliseconds.
    """
    if not path.exists():
        return f"this installation of flatnoise contains no {path.name}"
    try:
        check_whole(path)
        tf.load_library(str(path))
    except _LOAD_ERRORS as error:
        return f"{path.name} does not load in TensorFlow {tf.version.VERSION}: {error}"
    return None


@functools.cache
def load() -> Library:
    """Loads the libraries for the running TensorFlow. Never raises."""
    major, minor = tf.version.VERSION.split(".")[:2]
    path = FOLDER / _FILE_NAME.format(major=major, minor=minor)
    if not path.exists():
        return Library(path=None, reason=_reason_for_missing_file())
    try:
        check_shared_libraries()
        check_whole(path)
        ops = tf.load_op_library(str(path))
    except _LOAD_ERRORS as error:
        message = (
            f"{path.name} does not load in TensorFlow {tf.version.VERSION}: {error}; reinstall "
            "flatnoise for this version of TensorFlow and this platform"
        )
        return Library(path=path, reason=message)
    xla_path = FOLDER / _XLA_FILE_NAME.format(major=major, minor=minor)
    return Library(path=path, ops=ops, xla_reason=_load_xla_kernels(xla_path))


@functools.cache
def warn_once_about_fallback(reason: str) -> None:
    """Warns once per process that stock TensorFlow ops replace the compiled op, and why."""
    warnings.warn(
        "flatnoise adds noise with stock TensorFlow ops (the same numbers, slower), because its "
        f"compiled op can't be used: {reason}.",
        RuntimeWarning,
        stacklevel=5,
    )
