"""Prints facts about TensorFlow for CMake, as lines `NAME=value`.

Without an argument, uses the TensorFlow that Python imports. Otherwise, uses the one in the given
folder without importing it. The folder has the layout of site-packages, such as an unpacked wheel.
"""

import importlib.metadata
import os
import sys
from pathlib import Path

LIBRARY = "libtensorflow_framework.so.2"
# The definitions for PyPI's Linux wheels, because TensorFlow only tells them when imported.
WHEEL_DEFINITIONS = ["-D_GLIBCXX_USE_CXX11_ABI=1", "-DEIGEN_MAX_ALIGN_BYTES=64"]


def _of_installed() -> dict[str, str]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    flags = tf.sysconfig.get_compile_flags()
    return {
        "VERSION": tf.__version__,
        "INCLUDE_DIR": tf.sysconfig.get_include(),
        "LIBRARY_DIR": tf.sysconfig.get_lib(),
        "DEFINITIONS": ";".join(flag for flag in flags if flag.startswith("-D")),
    }


def _of_folder(folder: Path) -> dict[str, str]:
    package = folder / "tensorflow"
    versions = {
        found.version
        for found in importlib.metadata.distributions(path=[str(folder)])
        if found.name.replace("_", "-").lower() in ("tensorflow", "tensorflow-cpu")
    }
    if len(versions) != 1 or not (package / "include").is_dir() or not (package / LIBRARY).exists():
        raise SystemExit(
            f"{folder} should hold one TensorFlow as its wheel does: tensorflow/include, "
            f"tensorflow/{LIBRARY} and a folder tensorflow*.dist-info, which tells the version "
            f"(found: {', '.join(sorted(versions)) or 'none'})."
        )
    return {
        "VERSION": versions.pop(),
        "INCLUDE_DIR": str(package / "include"),
        "LIBRARY_DIR": str(package),
        "DEFINITIONS": ";".join(WHEEL_DEFINITIONS),
    }


if __name__ == "__main__":
    facts = _of_folder(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else _of_installed()
    for name, value in facts.items():
        print(f"{name}={value}")
