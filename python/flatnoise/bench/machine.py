"""What is known of this machine and of the memory that a process takes of it (Linux only)."""

import ctypes
import os
import pathlib
import platform
import shutil
import subprocess
from typing import Any


def _lines(path: str) -> list[str]:
    try:
        return pathlib.Path(path).read_text().splitlines()
    except OSError:
        return []


def _kilobytes(path: str, name: str) -> int:
    return next((1024 * int(line.split()[1]) for line in _lines(path) if line.startswith(name)), 0)


def processor() -> str:
    """The processor's name, where the system tells it."""
    names = [
        line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line
    ]
    return names[0] if names else platform.processor()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def gpus() -> list[str]:
    """The names of NVIDIA's GPUs, by their driver's own tool."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split("\n")[:-1] if found.returncode == 0 else []


def describe() -> dict[str, Any]:
    """What figures depend on."""
    return {
        "processor": processor(),
        "cores": cores(),
        "gpus": gpus(),
        "memory_bytes": _kilobytes("/proc/meminfo", "MemTotal"),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "load_at_start": os.getloadavg()[0],
    }


def available_bytes() -> int:
    """The memory that the system could give."""
    return _kilobytes("/proc/meminfo", "MemAvailable")


def held_bytes() -> int:
    """The memory that this process has now."""
    return _kilobytes("/proc/self/status", "VmRSS")


def peak_bytes() -> int:
    """The most memory that this process has had since `forget_peak`."""
    return _kilobytes("/proc/self/status", "VmHWM")


def forget_peak() -> None:
    """Gives back what is free, and starts to look for the peak anew."""
    ctypes.CDLL(None).malloc_trim(0)
    pathlib.Path("/proc/self/clear_refs").write_text("5")
