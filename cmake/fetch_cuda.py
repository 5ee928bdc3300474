"""Creates a CUDA toolkit that compiles for another architecture, and prints its compiler.

    python cmake/fetch_cuda.py aarch64     # for -DCMAKE_CUDA_COMPILER

The programs are links to the toolkit of the nvcc on the path, which must be CUDA 13 or newer. The
headers and the static library of that version come from PyPI's wheels for the architecture. nvcc
searches for both relative to itself. pip downloads the wheels, so its settings apply. The toolkit
is stored in the cache of fetch_tensorflow.py.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import tensorflow_versions
from fetch_tensorflow import cache_folder

PACKAGES = ("nvidia-cuda-runtime", "nvidia-cuda-crt", "nvidia-cuda-cccl", "nvidia-cuda-nvcc")
WANTED = re.compile(r"nvidia/cu\d+/((?:include|lib)/.*)")


def find_toolkit() -> tuple[Path, str]:
    """Returns the toolkit folder of the nvcc on the path, and its version, such as "13.0"."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise SystemExit("expected nvcc of CUDA 13 or newer on the path, found none")
    # Finds the actual program, because the one on the path may be a link or script.
    command = [nvcc, "--dryrun", "-x", "cu", "/dev/null"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    top = re.search(r"^#\$ TOP=(.+)$", told, re.MULTILINE)
    text = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"release (\d+)\.(\d+)", text)
    if top is None or version is None or int(version[1]) < 13:
        found = f"CUDA {version[1]}.{version[2]}" if version else text
        raise SystemExit(f"expected nvcc of CUDA 13 or newer on the path, {nvcc} is of {found}")
    return Path(top[1]).resolve(), f"{version[1]}.{version[2]}"


def _download(version: str, machine: str, folder: Path) -> None:
    options = ["--no-deps", "--only-binary=:all:", f"--dest={folder}"]
    options += [f"--platform={tag}" for tag in tensorflow_versions.machine_facts(machine).platforms]
    wanted = [f"{package}=={version}.*" for package in PACKAGES]
    command = [sys.executable, "-m", "pip", "download", *options, *wanted]
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"pip could not download CUDA {version} for {machine} (above it says why)"
        ) from error


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if (found := WANTED.fullmatch(name)) and not name.endswith("/"):
                target = folder / found[1]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


def _make(folder: Path, toolkit: Path, version: str, machine: str) -> None:
    # nvcc uses this folder name for 64-bit Arm.
    target = folder / "targets" / f"{machine}-linux"
    with tempfile.TemporaryDirectory(dir=folder) as downloads:
        _download(version, machine, Path(downloads))
        for wheel in Path(downloads).glob("*.whl"):
            _unpack(wheel, target)
    for library in list((target / "lib").glob("*.so.*")):
        (target / "lib" / f"{library.name.partition('.so.')[0]}.so").symlink_to(library.name)
    (folder / "nvvm").symlink_to(toolkit / "nvvm")
    # nvcc resolves paths relative to its folder, so the folder must not be a link.
    (folder / "bin").mkdir()
    for program in (toolkit / "bin").iterdir():
        (folder / "bin" / program.name).symlink_to(program)


def fetch(machine: str) -> Path:
    """Returns the compiler of the toolkit for an architecture."""
    tensorflow_versions.machine_facts(machine)
    toolkit, version = find_toolkit()
    target = cache_folder() / f"cuda-{version}-{machine}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # Created in a temporary folder and renamed, as in fetch_tensorflow.py.
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            _make(made, toolkit, version, machine)
            made.rename(target)
    return target / "bin" / "nvcc"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("machine", help="the processor, as `uname -m` tells it")
    print(fetch(parser.parse_args().machine))
