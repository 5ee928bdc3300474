"""Builds the op libraries and the Python module with CMake. pyproject.toml has everything else.

FLATNOISE_TENSORFLOW_VERSIONS, such as "2.20 2.21" or "all", selects the TensorFlow versions to
build for, which are downloaded from PyPI. By default, the op is built for the version that this
Python imports.

_PYTHON_HOST_PLATFORM=linux-aarch64, which makes Python report another platform as its own, builds a
wheel for that platform. This uses the toolchain file in cmake/toolchains and downloaded TensorFlow
versions. It requires pip's --no-build-isolation, because pip would otherwise install the build
dependencies for the other platform.
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


MACHINE = sysconfig.get_platform().rpartition("-")[2]
IS_CROSS_BUILD = platform.machine() != MACHINE


def tensorflow_folders() -> str:
    """Returns the folders of the selected versions as a CMake list, or "" for the installed one."""
    versions = os.environ.get("FLATNOISE_TENSORFLOW_VERSIONS", "").split()
    if not versions and IS_CROSS_BUILD:
        raise SystemExit(
            f"the TensorFlow that this Python imports is not for {MACHINE}: "
            "FLATNOISE_TENSORFLOW_VERSIONS has to name the versions to build for"
        )
    if not versions:
        return ""
    fetch = [sys.executable, ROOT / "cmake" / "fetch_tensorflow.py", f"--machine={MACHINE}"]
    fetch += versions
    return subprocess.run(fetch, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def cross_options() -> list[str]:
    """Returns the CMake options for a cross build, if it is one."""
    if not IS_CROSS_BUILD:
        return []
    toolchain = ROOT / "cmake" / "toolchains" / f"{MACHINE}-linux-gnu.cmake"
    if not toolchain.exists():
        known = ", ".join(sorted(file.name for file in toolchain.parent.iterdir()))
        raise SystemExit(
            f"_PYTHON_HOST_PLATFORM={os.environ.get('_PYTHON_HOST_PLATFORM')} on a machine of "
            f"{platform.machine()}: expected a toolchain file {toolchain.name}, there are {known}"
        )
    version = "{}{}".format(*sys.version_info)
    return [
        f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
        # cc/python/target.cc checks that these headers are also valid for the target.
        f"-DPython_INCLUDE_DIR={sysconfig.get_path('include')}",
        f"-DFLATNOISE_MODULE_SUFFIX=.cpython-{version}-{MACHINE}-linux-gnu.so",
    ]


class CMakeBuild(build_ext):
    """Makes CMake put its libraries where setuptools expects the extension module."""

    def build_extension(self, ext: Extension) -> None:
        """Configures and builds all C++ code."""
        package_dir = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        # An earlier build's libraries may be for other versions.
        shutil.rmtree(package_dir / "_native", ignore_errors=True)
        # One folder for all Python versions, because only the module differs between them.
        folder = f"cmake-{MACHINE}" if IS_CROSS_BUILD else "cmake"
        build_dir = Path(self.get_finalized_command("build").build_base, folder).resolve()
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{build_dir}",
            *("-UPython_*", "-U_Python_*", "-Upybind11_DIR"),
            *cross_options(),
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DFLATNOISE_PACKAGE_DIR={package_dir}",
            f"-DFLATNOISE_TENSORFLOW_DIRS={tensorflow_folders()}",
            "-DCMAKE_BUILD_TYPE=Release",
        ]
        if ninja := shutil.which("ninja"):
            # Set each time, because the ninja of an isolated build no longer exists in the next
            # build.
            configure += ["-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
        subprocess.run(configure + os.environ.get("CMAKE_ARGS", "").split(), check=True)
        environment = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1), **os.environ}
        subprocess.run(["cmake", "--build", build_dir], env=environment, check=True)


setup(ext_modules=[Extension("flatnoise._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
