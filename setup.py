"""Builds the op library and the Python module with CMake; pyproject.toml has everything else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


class CMakeBuild(build_ext):
    """Has CMake put its libraries where setuptools expects the extension module."""

    def build_extension(self, ext: Extension) -> None:
        """Configures and builds all of the C++ code."""
        package_dir = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        build_dir = Path(self.build_temp).resolve()
        build_dir.mkdir(parents=True, exist_ok=True)
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{build_dir}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DFLATNOISE_PACKAGE_DIR={package_dir}",
            "-DCMAKE_BUILD_TYPE=Release",
        ]
        if ninja := shutil.which("ninja"):
            # Named each time: an isolated build's own ninja is gone when the next build comes.
            configure += ["-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
        subprocess.run(configure + os.environ.get("CMAKE_ARGS", "").split(), check=True)
        subprocess.run(["cmake", "--build", build_dir, "--parallel"], check=True)


setup(ext_modules=[Extension("flatnoise._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
