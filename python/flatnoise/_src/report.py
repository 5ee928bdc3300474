"""The report of ``python -m flatnoise`` on what is installed and in use."""

import argparse
import json
import pathlib
import platform
import sys
import warnings
from typing import Any

from flatnoise._src.build import build_info, installed_version

_NO_VERSION = "not installed"


def _describe(device: Any) -> str:
    from flatnoise._src.tensorflow import tf

    name: str = device.name.removeprefix("/physical_device:")
    details = (
        {} if device.device_type == "CPU" else tf.config.experimental.get_device_details(device)
    )
    return f"{name} ({details['device_name']})" if "device_name" in details else name


def _tensorflow_facts() -> dict[str, Any]:
    from flatnoise._src import functions, placement
    from flatnoise._src.tensorflow import tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report contains the content of the warnings
        chosen = functions.choose_implementation("auto")
    return {
        "tensorflow_cuda_version": tf.sysconfig.get_build_info().get("cuda_version"),
        "devices": [_describe(device) for device in tf.config.list_physical_devices()],
        "device_error": placement.problem(),
        "implementation": "tensorflow" if chosen in functions.STOCK_OPS else "native",
    }


def facts() -> dict[str, Any]:
    """Returns `flatnoise.build_info` and facts about the environment, ready for JSON."""
    info = build_info()
    runtime: dict[str, Any] = {
        "tensorflow_cuda_version": None,
        "devices": [],
        "device_error": None,
        "implementation": None,
    }
    if info["tensorflow_version"] is not None:
        runtime = _tensorflow_facts()
    return {
        **info,
        "package": str(pathlib.Path(__file__).parents[1]),
        "python_version": platform.python_version(),
        "platform": platform.platform(),
        "numpy_version": installed_version("numpy"),
        "keras_version": installed_version("keras"),
        **runtime,
    }


def _or_none(values: list[str]) -> str:
    return ", ".join(values) or "none"


def _in_use(found: dict[str, Any]) -> str:
    if found["implementation"] == "native":
        return "the compiled op"
    substitute = "nothing" if found["implementation"] is None else "stock TensorFlow ops"
    reason = found["native_error"] or found["gpu_error"] or found["device_error"]
    return f"{substitute}: {reason}"


def _in_use_inside_xla(found: dict[str, Any]) -> str:
    if found["implementation"] == "native" and not found["xla_loaded"]:
        return f"stock TensorFlow ops: {found['xla_error']}"
    return _in_use(found)


def as_text(found: dict[str, Any]) -> str:
    """Formats `facts` as text, one line each."""
    cuda = found["tensorflow_cuda_version"]
    tensorflow = found["tensorflow_version"] or _NO_VERSION
    rows = {
        "package": found["package"],
        "Python": f"{found['python_version']} on {found['platform']}",
        "NumPy": found["numpy_version"] or _NO_VERSION,
        "TensorFlow": tensorflow + (f", with CUDA {cuda}" if cuda else ""),
        "Keras": found["keras_version"] or _NO_VERSION,
        "devices": _or_none(found["devices"]),
        "compiled by": found.get("compiler", "nothing compiled is here"),
        "for TensorFlow": _or_none(found["built_against_tensorflow"]),
        "instruction set": f"{found['instruction_set']} (of {_or_none(found['instruction_sets'])})",
        "CUDA kernels": _or_none(found["cuda_architectures"]),
        "op library": found["native_library"] or "none",
        "in use": _in_use(found),
        "inside XLA": _in_use_inside_xla(found),
    }
    width = max(map(len, rows)) + 2
    lines = [f"  {name:<{width}}{value}" for name, value in rows.items()]
    return "\n".join([f"flatnoise {found['version']}", *lines])


def main(arguments: list[str] | None = None) -> None:
    """Prints the report."""
    parser = argparse.ArgumentParser(
        prog="python -m flatnoise", description="Prints what is installed and what is in use."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args(arguments).json
    found = facts()
    if as_json:
        json.dump(found, sys.stdout, indent=2)
        print()
    else:
        print(as_text(found))
