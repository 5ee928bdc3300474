"""Builds releases and tests them with every supported Python and TensorFlow.

    nox -s wheel-3.12            # one wheel into dist/, for all TensorFlow versions
    nox -s wheel_aarch64         # wheels for 64-bit Arm, cross-compiled
    nox -s matrix                # all pairs; -p 3.12: one Python, -t ends: fewer TensorFlows
    nox -s sdist from_source     # the source distribution, and an installation from it
    nox -s readme                # the README's commands, as a new user runs them

Missing Python versions are skipped. nox searches PATH and pyenv.
"""

import os
import platform
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import nox

sys.path.append(str(Path(__file__).resolve().parent / "cmake"))
import tensorflow_versions

ROOT = Path(__file__).resolve().parent
DIST = ROOT / "dist"
PYTHONS = tensorflow_versions.pythons()
TENSORFLOWS = tensorflow_versions.VERSIONS
OLDEST, *_, NEWEST = TENSORFLOWS
MACHINE = platform.machine()

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["matrix"]

PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
os.environ["PATH"] = os.pathsep.join(
    [os.environ["PATH"], *(str(path) for path in sorted(PYENV.glob("versions/*/bin")))]
)


def _groups(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), *names)


def _the_one(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise FileNotFoundError(f"{folder} holds {len(found)} files {pattern}, expected one")
    return found[0]


def _wheel_pattern(session: nox.Session, machine: str = MACHINE) -> str:
    return f"flatnoise-*-cp{str(session.python).replace('.', '')}-*_{machine}.whl"


def _smoke_test(session: nox.Session) -> None:
    """Runs the smoke test in a folder where the sources can't be imported by accident."""
    folder = Path(session.create_tmp()).resolve()
    shutil.copy(ROOT / ".ci" / "smoke.py", folder)
    with session.chdir(folder):
        session.run("python", "-I", "smoke.py", *tensorflow_versions.with_xla_kernels())


def _check_module(session: nox.Session, result: Path, machine: str) -> None:
    """Checks that the module's name has the right Python version and architecture."""
    version = str(session.python).replace(".", "")
    expected = f"flatnoise/_core.cpython-{version}-{machine}-linux-gnu.so"
    with zipfile.ZipFile(result) as archive:
        modules = [
            name for name in archive.namelist() if name.startswith("flatnoise/_core.cpython")
        ]
    if modules != [expected]:
        session.error(f"{result.name} should hold {expected}, and holds {modules}")


def _cmake_arguments(machine: str) -> str:
    """Builds for all GPUs if there is a compiler. The user's arguments take precedence."""
    has_compiler = shutil.which(os.environ.get("CUDACXX", "nvcc")) is not None
    cuda = "ON" if has_compiler and machine == MACHINE else "OFF"
    return f"-DFLATNOISE_WITH_CUDA={cuda} {os.environ.get('CMAKE_ARGS', '')}"


def _build_wheel(session: nox.Session, machine: str) -> None:
    session.install(*_groups("build", "release"))
    raw = Path(session.create_tmp()) / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    for earlier in [*ROOT.glob("build/lib*"), *ROOT.glob("build/bdist*")]:
        shutil.rmtree(earlier)
    for earlier in DIST.glob(_wheel_pattern(session, machine)):
        earlier.unlink()
    options = ["--no-build-isolation", "--no-deps", f"--wheel-dir={raw}"]
    env = {
        "FLATNOISE_TENSORFLOW_VERSIONS": "all",
        "CMAKE_ARGS": _cmake_arguments(machine),
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
    }
    session.run("python", "-m", "pip", "wheel", *options, str(ROOT), env=env)
    repair = [str(ROOT / "scripts" / "repair_wheel.sh"), str(_the_one(raw, "*.whl")), str(DIST)]
    session.run(*repair, external=True)
    result = _the_one(DIST, _wheel_pattern(session, machine))
    _check_module(session, result, machine)
    session.run("auditwheel", "show", str(result))
    session.run("check-wheel-contents", str(result))
    session.run("twine", "check", "--strict", str(result))
    session.log(f"{result.name}: {result.stat().st_size:,} bytes")


@nox.session(python=PYTHONS, reuse_venv=True)
def wheel(session: nox.Session) -> None:
    """Build a wheel for all TensorFlow versions, with the checks for a release."""
    _build_wheel(session, MACHINE)


@nox.session(python=PYTHONS, reuse_venv=True)
def wheel_aarch64(session: nox.Session) -> None:
    """Build the same wheel for Linux on 64-bit Arm, with a cross compiler."""
    _build_wheel(session, "aarch64")


def _check_complete(session: nox.Session, result: Path) -> None:
    """Checks that the source distribution has all files under version control."""
    tracked = session.run("git", "ls-files", external=True, silent=True).split()
    with tarfile.open(result) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    if missing := sorted(set(tracked) - packed):
        session.error(f"MANIFEST.in leaves out {', '.join(missing)}")


@nox.session(reuse_venv=True)
def sdist(session: nox.Session) -> None:
    """Build the source distribution and check its completeness and metadata."""
    session.install(*_groups("build", "release"))
    for earlier in DIST.glob("*.tar.gz"):
        earlier.unlink()
    options = ["--sdist", "--no-isolation", "--skip-dependency-check", f"--outdir={DIST}"]
    session.run("python", "-m", "build", *options, str(ROOT))
    result = _the_one(DIST, "*.tar.gz")
    _check_complete(session, result)
    session.run("twine", "check", "--strict", str(result))
    session.log(f"{result.name}: {result.stat().st_size:,} bytes")


@nox.session
def from_source(session: nox.Session) -> None:
    """Install from the source distribution like a user, and test the installation."""
    session.install(f"{_the_one(DIST, '*.tar.gz')}[cpu]")
    _smoke_test(session)


@nox.session
def readme(session: nox.Session) -> None:
    """Run the README's commands unchanged, in a fresh clone and a new environment."""
    clone = Path(session.create_tmp()).resolve() / "flatnoise"
    shutil.rmtree(clone, ignore_errors=True)
    session.run("git", "clone", "--quiet", str(ROOT), str(clone), external=True)
    text = (clone / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    commands = "".join(blocks).replace("make test\n", "")  # which is slow, and CI runs it
    with session.chdir(clone):
        session.run("bash", "-euxc", commands, external=True)


def _tensorflow_facts(session: nox.Session, *folder: str) -> set[str]:
    facts = session.run("python", "cmake/tensorflow_facts.py", *folder, silent=True, stderr=None)
    return {line for line in facts.splitlines() if line.startswith(("VERSION=", "DEFINITIONS="))}


def _check_facts(session: nox.Session, minor: str) -> None:
    """Checks that the facts from an unpacked wheel match those of the imported TensorFlow."""
    fetch = ["python", "cmake/fetch_tensorflow.py", minor]
    folder = session.run(*fetch, silent=True, stderr=None).strip()
    told, installed = _tensorflow_facts(session, folder), _tensorflow_facts(session)
    if told != installed:
        session.error(f"the wheel was built on {told}, TensorFlow says {installed}")


@nox.session(python=PYTHONS, requires=["wheel-{python}"])
@nox.parametrize(
    "tensorflow",
    list(TENSORFLOWS),
    tags=[["ends"] if minor in (OLDEST, NEWEST) else [] for minor in TENSORFLOWS],
)
def matrix(session: nox.Session, tensorflow: str) -> None:
    """Test the wheel with one Python and one TensorFlow."""
    if session.python not in TENSORFLOWS[tensorflow].pythons:
        session.skip(f"TensorFlow {tensorflow} has no wheel for Python {session.python}")
    result = _the_one(DIST, _wheel_pattern(session))
    package = tensorflow_versions.machine_facts(MACHINE).package
    session.install(f"{result}[cpu]", f"{package}=={tensorflow}.*")
    _check_facts(session, tensorflow)
    _smoke_test(session)
