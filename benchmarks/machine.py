"""Facts about the machine that affect results: CPU, system and versions."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import pyperf

_OF_PYPERF = ("date", "platform", "cpu_model_name", "load_avg_1min", "python_version")
_HUGE_PAGES = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
_ALLOCATOR = "TF_CPU_ALLOCATOR_USE_BFC"


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _huge_pages() -> str:
    """The current setting, which is in brackets in the file."""
    if not _HUGE_PAGES.exists():
        return "unknown"
    return _HUGE_PAGES.read_text().partition("[")[2].partition("]")[0]


def describe() -> dict[str, str | int]:
    """Returns pyperf's metadata with additions."""
    known = pyperf.Run([1.0]).get_metadata()
    return {name: known[name] for name in _OF_PYPERF if name in known} | {
        "cores": cores(),
        "transparent_huge_pages": _huge_pages(),
        "tf_cpu_allocator_use_bfc": os.environ.get(_ALLOCATOR) or "unset",
    }


def describe_with_keras(info: Mapping[str, Any], keras_version: str) -> dict[str, Any]:
    """Adds what `flatnoise.build_info()` says, for programs that run in one process."""
    return describe() | {
        "instruction_set": info["instruction_set"],
        "flatnoise_version": info["version"],
        "tensorflow_version": info["tensorflow_version"],
        "keras_version": keras_version,
    }


def title(about: Mapping[str, str | int]) -> str:
    """The lines above the tables."""
    versions = [
        f"{name.removesuffix('_version')} {value}"
        for name, value in about.items()
        if name.endswith("_version")
    ]
    return (
        f"{about.get('cpu_model_name', about['platform'])}, {about['cores']} cores; "
        f"flatnoise's instruction set: {about.get('instruction_set', 'none')}\n"
        f"transparent huge pages: {about['transparent_huge_pages']}; "
        f"{_ALLOCATOR}: {about['tf_cpu_allocator_use_bfc']}; "
        f"load at the start: {about['load_avg_1min']:.1f}\n{', '.join(versions)}"
    )


def memory(name: str) -> int:
    """A value in /proc/self/status, such as VmRSS, in bytes."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def forget_peak() -> None:
    """Resets the peak memory that `memory("VmHWM")` returns."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
