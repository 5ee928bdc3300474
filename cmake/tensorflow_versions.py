"""The versions of TensorFlow that are supported, and what is known of each; nowhere else listed.

python cmake/tensorflow_versions.py                       # 2.18 2.19 ...
python cmake/tensorflow_versions.py xla                   # those with XLA kernels
python cmake/tensorflow_versions.py ends                  # the oldest and the newest, as JSON
python cmake/tensorflow_versions.py requirement           # of pip: tensorflow-cpu>=2.18,<...
python cmake/tensorflow_versions.py platforms aarch64     # options of pip: --platform=...

The last three are for this machine's processor, or for the one that is named.
"""

import json
import platform
import sys
from typing import NamedTuple


class Facts(NamedTuple):
    """What differs between versions."""

    pythons: tuple[str, ...]  # that PyPI has wheels for
    has_xla_kernels: bool  # whether its headers suffice for flatnoise's


VERSIONS = {
    "2.18": Facts(("3.10", "3.11", "3.12"), False),  # its XLA lacks the interface's thread pools
    "2.19": Facts(("3.10", "3.11", "3.12"), False),  # its wheel lacks headers
    "2.20": Facts(("3.10", "3.11", "3.12", "3.13"), True),
    "2.21": Facts(("3.10", "3.11", "3.12", "3.13"), True),
}


class Machine(NamedTuple):
    """What differs between processors, on Linux."""

    package: str  # TensorFlow without CUDA
    platforms: tuple[str, ...]  # the tags of its wheels, and of those that it needs


# manylinux2014 is manylinux_2_17 by another name, and some wheels have that one alone.
_MANYLINUX = ("manylinux2014", "manylinux_2_17", "manylinux_2_27", "manylinux_2_28")

MACHINES = {
    "x86_64": Machine(
        "tensorflow-cpu",
        tuple(f"{tag}_x86_64" for tag in _MANYLINUX),
    ),
    # There is no tensorflow-cpu, and tensorflow itself has no CUDA.
    "aarch64": Machine(
        "tensorflow",
        tuple(f"{tag}_aarch64" for tag in _MANYLINUX),
    ),
}


def machine_facts(machine: str) -> Machine:
    """Returns what is known of a processor, by the name that `uname -m` gives."""
    if machine not in MACHINES:
        known = " or ".join(MACHINES)
        raise SystemExit(f"PyPI has TensorFlow for Linux on {known}, not on {machine!r}")
    return MACHINES[machine]


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def pythons() -> list[str]:
    """Returns the Pythons that some version has wheels for, oldest first."""
    return sorted({each for facts in VERSIONS.values() for each in facts.pythons}, key=_as_numbers)


def common_python() -> str:
    """Returns the newest Python that all versions have wheels for."""
    shared = set(pythons()).intersection(*(facts.pythons for facts in VERSIONS.values()))
    return max(shared, key=_as_numbers)


def version_range() -> str:
    """Returns the range of all versions, as pip takes it."""
    first, *_, last = VERSIONS
    major, minor = _as_numbers(last)
    return f">={first},<{major}.{minor + 1}"


def with_xla_kernels() -> list[str]:
    """Returns the versions that XLA kernels are built for."""
    return [minor for minor, facts in VERSIONS.items() if facts.has_xla_kernels]


def ends(machine: str) -> list[dict[str, str]]:
    """Returns the oldest version with its oldest Python, the newest with its newest."""
    first, *_, last = VERSIONS
    package = machine_facts(machine).package
    pairs = [(first, VERSIONS[first].pythons[0]), (last, VERSIONS[last].pythons[-1])]
    return [{"tensorflow": f"{package}=={minor}.*", "python": python} for minor, python in pairs]


def _main(what: str = "", machine: str = platform.machine()) -> None:
    if what == "":
        print(*VERSIONS)
    elif what == "xla":
        print(*with_xla_kernels())
    elif what == "ends":
        print(json.dumps(ends(machine)))
    elif what == "requirement":
        print(f"{machine_facts(machine).package}{version_range()}")
    elif what == "platforms":
        print(*(f"--platform={tag}" for tag in machine_facts(machine).platforms))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    _main(*sys.argv[1:])
