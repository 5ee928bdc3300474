"""The supported versions of TensorFlow, with facts about each. This is the only list.

python cmake/tensorflow_versions.py                       # 2.18 2.19 ...
python cmake/tensorflow_versions.py xla # versions with XLA kernels python
cmake/tensorflow_versions.py ends # the oldest and the newest, as JSON python
cmake/tensorflow_versions.py requirement # for pip: tensorflow-cpu>=2.18,<... python
cmake/tensorflow_versions.py platforms aarch64 # pip options: --platform=...

The last three are for this machine's architecture, or for the given one.
"""

import json
import platform
import sys
from typing import NamedTuple


class Facts(NamedTuple):
    """Facts that differ between versions."""

    pythons: tuple[str, ...]  # with wheels on PyPI
    has_xla_kernels: bool  # whether its headers suffice


VERSIONS = {
    "2.18": Facts(("3.10", "3.11", "3.12"), False),  # its XLA lacks the interface's thread pools
    "2.19": Facts(("3.10", "3.11", "3.12"), False),  # its wheel lacks headers
    "2.20": Facts(("3.10", "3.11", "3.12", "3.13"), True),
    "2.21": Facts(("3.10", "3.11", "3.12", "3.13"), True),
}


class Machine(NamedTuple):
    """Facts that differ between architectures, on Linux."""

    package: str  # TensorFlow without CUDA
    platforms: tuple[str, ...]  # the tags of its wheels and their dependencies


# manylinux2014 is an alias of manylinux_2_17, and some wheels only have the alias.
_MANYLINUX = ("manylinux2014", "manylinux_2_17", "manylinux_2_27", "manylinux_2_28")

MACHINES = {
    "x86_64": Machine(
        "tensorflow-cpu",
        tuple(f"{tag}_x86_64" for tag in _MANYLINUX),
    ),
    # There is no tensorflow-cpu, and tensorflow has no CUDA support.
    "aarch64": Machine(
        "tensorflow",
        tuple(f"{tag}_aarch64" for tag in _MANYLINUX),
    ),
}


def machine_facts(machine: str) -> Machine:
    """Returns the facts for an architecture, by its name in `uname -m`."""
    if machine not in MACHINES:
        known = " or ".join(MACHINES)
        raise SystemExit(f"PyPI has TensorFlow for Linux on {known}, not on {machine!r}")
    return MACHINES[machine]


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def pythons() -> list[str]:
    """Returns the Python versions with wheels of any TensorFlow, oldest first."""
    return sorted({each for facts in VERSIONS.values() for each in facts.pythons}, key=_as_numbers)


def common_python() -> str:
    """Returns the newest Python with wheels of all versions."""
    shared = set(pythons()).intersection(*(facts.pythons for facts in VERSIONS.values()))
    return max(shared, key=_as_numbers)


def version_range() -> str:
    """Returns the range of all versions in pip's notation."""
    first, *_, last = VERSIONS
    major, minor = _as_numbers(last)
    return f">={first},<{major}.{minor + 1}"


def with_xla_kernels() -> list[str]:
    """Returns the versions with XLA kernels."""
    return [minor for minor, facts in VERSIONS.items() if facts.has_xla_kernels]


def ends(machine: str) -> list[dict[str, str]]:
    """Returns the oldest version with its oldest Python, and the newest with its newest."""
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
