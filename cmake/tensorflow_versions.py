"""The versions of TensorFlow that are supported, and what is known of each; nowhere else listed.

python cmake/tensorflow_versions.py                # 2.18 2.19 ...
python cmake/tensorflow_versions.py requirement    # of pip: tensorflow-cpu>=2.18,<...
"""

import sys
from typing import NamedTuple


class Facts(NamedTuple):
    """What differs between versions."""

    pythons: tuple[str, ...]  # that tensorflow-cpu has wheels for
    has_xla_kernels: bool  # whether its headers suffice for flatnoise's


VERSIONS = {
    "2.18": Facts(("3.10", "3.11", "3.12"), False),  # its XLA lacks the interface's thread pools
    "2.19": Facts(("3.10", "3.11", "3.12"), False),  # its wheel lacks headers
    "2.20": Facts(("3.10", "3.11", "3.12", "3.13"), True),
    "2.21": Facts(("3.10", "3.11", "3.12", "3.13"), True),
}


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


if __name__ == "__main__":
    if sys.argv[1:] == ["requirement"]:
        print(f"tensorflow-cpu{version_range()}")
    else:
        print(*VERSIONS)
