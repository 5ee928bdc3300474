"""Puts what the op is compiled and linked with into a cache: TensorFlow's headers and libraries.

    python cmake/fetch_tensorflow.py 2.20 2.21     # or: all

takes the newest patch of each minor version from PyPI's wheels of tensorflow-cpu and prints the
folders as a CMake list, for -DFLATNOISE_TENSORFLOW_DIRS. pip downloads, so its settings hold. The
cache is FLATNOISE_CACHE_DIR, or else `flatnoise` in XDG_CACHE_HOME or ~/.cache.
"""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import tensorflow_versions

PLATFORMS = ("manylinux_2_17_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")
WANTED = re.compile(
    r"tensorflow/(include/.*|libtensorflow_(framework|cc)\.so\.2)|[^/]*\.dist-info/METADATA"
)


def cache_folder() -> Path:
    """Returns where TensorFlow's parts are kept between builds."""
    if chosen := os.environ.get("FLATNOISE_CACHE_DIR"):
        return Path(chosen).resolve()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "flatnoise"


def _download(minor: str, folder: str) -> Path:
    options = ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    options += [f"--dest={folder}"]
    # The headers are the same for every Python.
    options += [f"--python-version={tensorflow_versions.common_python()}"]
    options += [f"--platform={platform}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", *options, f"tensorflow-cpu=={minor}.*"]
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"pip could not download tensorflow-cpu {minor} (above it says why), whose headers "
            "the op is built with."
        ) from error
    return next(Path(folder).glob("*.whl"))


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if WANTED.fullmatch(name)]
        archive.extractall(folder, names)


def fetch(minor: str) -> Path:
    """Returns the folder with the parts of TensorFlow `minor`, such as "2.21"."""
    if not re.fullmatch(r"\d+\.\d+", minor):
        raise SystemExit(f"expected a minor version of TensorFlow such as 2.21, got {minor!r}")
    target = cache_folder() / f"tensorflow-cpu-{minor}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # Made beside and renamed: what is cut off leaves no half of a TensorFlow behind.
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            unpacked = Path(folder) / "unpacked"
            _unpack(_download(minor, folder), unpacked)
            try:
                unpacked.rename(target)
            except OSError:  # another build was quicker
                if not target.exists():
                    raise
    return target


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    minors = tensorflow_versions.VERSIONS if sys.argv[1:] == ["all"] else sys.argv[1:]
    print(";".join(str(fetch(minor)) for minor in minors))
