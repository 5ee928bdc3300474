"""All that was measured, ready for JSON, and in one line what it was measured with."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from flatnoise.bench.measuring import NotRun, Result, Row
from flatnoise.bench.memory import Grown

# To be counted up when a program that reads the file has to know.
FORMAT = 1


def _result(row: Row, result: Result) -> dict[str, Any]:
    low, high = result.quartiles
    return {
        "peer": result.peer,
        "way": result.way,
        "is_copy": result.is_copy,
        "median": result.median,
        "quartiles": [low, high],
        "samples": result.samples,
        "calls_per_sample": result.calls,
        "first_call": result.first_call,
        "elements_per_second": row.elements_per_second(result),
        "bytes_per_second": row.bytes_per_second(result),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        **dataclasses.asdict(row.case),
        "elements": row.case.elements,
        "input_bytes": row.case.input_bytes,
        **dataclasses.asdict(row.setup),
        "results": [_result(row, result) for result in row.results],
        "not_run": [dataclasses.asdict(each) for each in row.not_run],
    }


def _grown(grown: Grown) -> dict[str, Any]:
    flat = {name: getattr(grown, name) for name in ("peer", "way", "input_bytes", "grown_bytes")}
    return {**dataclasses.asdict(grown.case), **flat}


def as_json(
    machine: Mapping[str, Any],
    versions: Mapping[str, str],
    rows: Sequence[Row],
    memory: Sequence[Grown],
    not_run: Sequence[NotRun],
) -> dict[str, Any]:
    """Times are in seconds per call; `not_run` holds who was not measured at all."""
    return {
        "format": FORMAT,
        "machine": dict(machine),
        "versions": dict(versions),
        "rows": [_row(row) for row in rows],
        "memory": [_grown(grown) for grown in memory],
        "not_run": [dataclasses.asdict(each) for each in not_run],
    }


def title(machine: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """The machine and the versions."""
    found = [f"{name} {version}" for name, version in versions.items() if name != "memory"]
    where = [machine["processor"], f"{machine['cores']} cores", *machine["gpus"]]
    python = f"Python {machine['python']}"
    return ", ".join([*found, python, *where, f"load {machine['load_at_start']:.1f} at the start"])
