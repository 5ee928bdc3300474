"""Builds the op libraries and the Python module with CMake; pyproject.toml has everything else.

FLATNOISE_TENSORFLOW_VERSIONS, such as "2.20 2.21" or "all", names the versions of TensorFlow to
build for, which are fetched from PyPI; without it the op is built for the one that this Python
imports.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


def tensorflow_folders() -> str:
    """Returns, as a CMake list, the folders of the versions asked for; empty for the installed."""
    versions = os.environ.get("FLATNOISE_TENSORFLOW_VERSIONS", "").split()
    if not versions:
        return ""
    fetch = [sys.executable, ROOT / "cmake" / "fetch_tensorflow.py", *versions]
    return subprocess.run(fetch, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class CMakeBuild(build_ext):
    """Has CMake put its libraries where setuptools expects the extension module."""

    def build_extension(self, ext: Extension) -> None:
        """Configures and builds all of the C++ code."""
        package_dir = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        # An earlier build's libraries may be for other versions.
        shutil.rmtree(package_dir / "_native", ignore_errors=True)
        # One folder for all Pythons: only the module differs, and the rest is compiled once.
        build_dir = Path(self.get_finalized_command("build").build_base, "cmake").resolve()
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{build_dir}",
            *("-UPython_*", "-U_Python_*", "-Upybind11_DIR"),
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DFLATNOISE_PACKAGE_DIR={package_dir}",
            f"-DFLATNOISE_TENSORFLOW_DIRS={tensorflow_folders()}",
            "-DCMAKE_BUILD_TYPE=Release",
        ]
        if ninja := shutil.which("ninja"):
            # Named each time: an isolated build's own ninja is gone when the next build comes.
            configure += ["-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
        subprocess.run(configure + os.environ.get("CMAKE_ARGS", "").split(), check=True)
        subprocess.run(["cmake", "--build", build_dir, "--parallel"], check=True)


setup(ext_modules=[Extension("flatnoise._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
