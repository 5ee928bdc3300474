"""Builds the op libraries and the Python module with CMake; pyproject.toml has everything else.

FLATNOISE_TENSORFLOW_VERSIONS, such as "2.20 2.21" or "all", names the versions of TensorFlow to
build for, which are fetched from PyPI; without it the op is built for the one that this Python
imports.

_PYTHON_HOST_PLATFORM=linux-aarch64, which has Python name another machine's platform for its own,
makes a wheel for that machine: with the toolchain file of its processor in cmake/toolchains, and
for versions of TensorFlow that are fetched. It takes pip's --no-build-isolation, since pip would
install the other machine's packages for the build, too.
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
    """Returns, as a CMake list, the folders of the versions asked for; empty for the installed."""
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
    """Returns what CMake needs to build for another machine; nothing where it's this one."""
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
        # cc/python/target.cc checks that these headers hold for the other machine, too.
        f"-DPython_INCLUDE_DIR={sysconfig.get_path('include')}",
        f"-DFLATNOISE_MODULE_SUFFIX=.cpython-{version}-{MACHINE}-linux-gnu.so",
    ]


class CMakeBuild(build_ext):
    """Has CMake put its libraries where setuptools expects the extension module."""

    def build_extension(self, ext: Extension) -> None:
        """Configures and builds all of the C++ code."""
        package_dir = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        # An earlier build's libraries may be for other versions.
        shutil.rmtree(package_dir / "_native", ignore_errors=True)
        # One folder for all Pythons: only the module differs, and the rest is compiled once.
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
            # Named each time: an isolated build's own ninja is gone when the next build comes.
            configure += ["-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
        subprocess.run(configure + os.environ.get("CMAKE_ARGS", "").split(), check=True)
        environment = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1), **os.environ}
        subprocess.run(["cmake", "--build", build_dir], env=environment, check=True)


setup(ext_modules=[Extension("flatnoise._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
