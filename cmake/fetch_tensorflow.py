"""Downloads TensorFlow's headers and libraries for building the op into a cache.

    python cmake/fetch_tensorflow.py 2.20 2.21     # or: all
    python cmake/fetch_tensorflow.py --machine aarch64 all

takes the newest patch release of each minor version from PyPI's wheels, for this machine's
architecture or another, and prints the folders as a CMake list for -DFLATNOISE_TENSORFLOW_DIRS. pip
downloads the wheels, so its settings apply. The cache is FLATNOISE_CACHE_DIR, or by default
`flatnoise` in XDG_CACHE_HOME or ~/.cache.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import tensorflow_versions

WANTED = re.compile(
    r"tensorflow/(include/.*|libtensorflow_(framework|cc)\.so\.2)|[^/]*\.dist-info/METADATA"
)


def cache_folder() -> Path:
    """Returns the folder for TensorFlow's files between builds."""
    if chosen := os.environ.get("FLATNOISE_CACHE_DIR"):
        return Path(chosen).resolve()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "flatnoise"


def _download(minor: str, machine: str, folder: str) -> Path:
    package, platforms = tensorflow_versions.machine_facts(machine)
    options = ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    options += [f"--dest={folder}"]
    # The headers are the same for every Python.
    options += [f"--python-version={tensorflow_versions.common_python()}"]
    options += [f"--platform={tag}" for tag in platforms]
    command = [sys.executable, "-m", "pip", "download", *options, f"{package}=={minor}.*"]
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"pip could not download {package} {minor} for {machine} (above it says why), whose "
            "headers the op is built with."
        ) from error
    return next(Path(folder).glob("*.whl"))


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if WANTED.fullmatch(name)]
        archive.extractall(folder, names)


def fetch(minor: str, machine: str) -> Path:
    """Returns the folder with files of TensorFlow `minor`, such as "2.21", for an architecture."""
    if not re.fullmatch(r"\d+\.\d+", minor):
        raise SystemExit(f"expected a minor version of TensorFlow such as 2.21, got {minor!r}")
    package = tensorflow_versions.machine_facts(machine).package
    target = cache_folder() / f"{package}-{minor}-{machine}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # Unpacked in a temporary folder and renamed, so that interruptions leave no partial files.
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            unpacked = Path(folder) / "unpacked"
            _unpack(_download(minor, machine, folder), unpacked)
            try:
                unpacked.rename(target)
            except OSError:  # another build was faster
                if not target.exists():
                    raise
    return target


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("versions", nargs="+", help='minor versions, such as 2.21, or "all"')
    parser.add_argument("--machine", default=platform.machine(), help="as `uname -m` tells it")
    options = parser.parse_args()
    every = options.versions == ["all"]
    minors = tensorflow_versions.VERSIONS if every else options.versions
    print(";".join(str(fetch(minor, options.machine)) for minor in minors))


if __name__ == "__main__":
    _main()
