"""Measures flatnoise on this processor against stock TensorFlow and against a plain copy.

Both sides are measured in the same run, call by call in turn. TensorFlow fixes its threads and
flatnoise its instruction set at the start of a process, so each combination has a process of its
own. Figures are medians; the quartiles stand beside them.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cases

MEASURE = pathlib.Path(__file__).with_name("measure.py")
MEMORY_CASES = [
    (cases.Case("forward", (512, 224, 224, 3)), "flatnoise", "graph"),
    (cases.Case("forward", (512, 224, 224, 3)), "stock", "stateful, graph"),
    (cases.Case("chain", (512, 224, 224, 3)), "flatnoise", "graph"),
    (cases.Case("chain", (512, 224, 224, 3)), "stock", "stateful, graph"),
    (cases.Case("gradient", (512, 224, 224, 3)), "flatnoise", "graph"),
    (cases.Case("gradient", (512, 224, 224, 3)), "stock", "stateful, graph"),
    (cases.Case("both_ways", (512, 224, 224, 3)), "flatnoise", "graph"),
    (cases.Case("both_ways", (512, 224, 224, 3)), "stock", "stateful, graph"),
]

Row = dict[str, Any]


def run_measurements(
    chosen: list[cases.Case],
    threads: int,
    instruction_set: str = "",
    repeats: int = 1,
    memory: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Has a process of its own measure; returns what it found."""
    task = {
        "cases": [dataclasses.asdict(case) for case in chosen],
        "threads": threads,
        "repeats": repeats,
        "memory": memory,
    }
    environment = {**os.environ, "FLATNOISE_INSTRUCTION_SET": instruction_set}
    with tempfile.TemporaryDirectory() as folder:
        task_file, result_file = pathlib.Path(folder, "task"), pathlib.Path(folder, "result")
        task_file.write_text(json.dumps(task))
        command = [sys.executable, MEASURE, task_file, result_file]
        subprocess.run(command, env=environment, check=True)
        return json.loads(result_file.read_text())


def announce(what: str) -> None:
    print(f"Measuring {what}", file=sys.stderr, flush=True)


def measure_all(quick: bool, repeats: int) -> dict[str, Any]:
    """Every case at two threads, the headlines at one, and with each instruction set."""
    announce("with 2 threads")
    found = run_measurements(
        cases.quick_cases() if quick else cases.all_cases(), 2, repeats=repeats
    )
    again = cases.quick_cases()[:2] if quick else cases.headline_cases()
    announce("with 1 thread")
    found["rows"] += run_measurements(again, 1, repeats=repeats)["rows"]
    slower_sets = found["info"]["instruction_sets"][1:]
    for instruction_set in slower_sets[:1] if quick else slower_sets:
        announce(f"with 2 threads and {instruction_set}")
        found["rows"] += run_measurements(again, 2, instruction_set, repeats)["rows"]
    return found


def rate(row: Row, result: Row) -> float:
    """Millions of elements a second."""
    return row["elements"] / result["median"] / 1e6


def fastest(row: Row, side: str) -> Row | None:
    results = [result for result in row["results"] if result["side"] == side]
    return min(results, key=lambda result: result["median"], default=None)


def named(row: Row, name: str) -> Row | None:
    return next((result for result in row["results"] if result["name"] == name), None)


def print_details(row: Row) -> None:
    """Every contender of one case."""
    print(f"\n{row['title']}; threads: {row['threads']}, {row['instruction_set']}")
    for result in row["results"]:
        low, high = (1000 * quartile for quartile in result["quartiles"])
        name = f"{result['side']}: {result['name']}"
        print(
            f"  {name:<28}{rate(row, result):8,.0f} M/s {1000 * result['median']:11.3f} ms "
            f"[{low:.3f} - {high:.3f}], {result['samples']} samples"
        )


def summary(row: Row) -> list[str]:
    """The cells of a case in the closing table."""
    ours, stock = fastest(row, "flatnoise"), fastest(row, "stock")
    cells = [row["title"], str(row["threads"]), row["instruction_set"]]
    cells += [f"{rate(row, ours):,.0f}", f"{rate(row, stock):,.0f} ({stock['name']})"]
    cells.append(f"{stock['median'] / ours['median']:.1f}×")
    for name in ("x + 0 in TensorFlow", "numpy.copyto"):
        copy = named(row, name)
        cells.append("" if copy is None else f"{copy['median'] / ours['median']:.2f}")
    return cells


HEADINGS = [
    "case",
    "threads",
    "set",
    "flatnoise, M/s",
    "best stock, M/s",
    "faster",
    "of x + 0",
    "of copyto",
]


def print_table(rows: list[list[str]], markdown: bool) -> None:
    """Lines up cells, as text or as Markdown."""
    if markdown:
        for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]:
            print("| " + " | ".join(row) + " |")
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def describe(info: Row) -> str:
    return (
        f"flatnoise {info['version']}, TensorFlow {info['tensorflow_version']}, "
        f"Python {platform.python_version()}, {processor()}, {os.cpu_count()} cores"
    )


def report_times(arguments: argparse.Namespace) -> dict[str, Any]:
    found = measure_all(arguments.quick, arguments.repeats or (5 if arguments.quick else 9))
    print(describe(found["info"]))
    if not arguments.markdown:
        for row in found["rows"]:
            print_details(row)
    print("\nMillions of elements a second (M/s), medians. The last two columns: flatnoise's speed")
    print("as a share of TensorFlow's `x + 0` and of a copy into memory that is there already.\n")
    print_table([HEADINGS, *map(summary, found["rows"])], arguments.markdown)
    return found


def report_memory(arguments: argparse.Namespace) -> dict[str, Any]:
    rows = []
    found: dict[str, Any] = {}
    for case, side, name in MEMORY_CASES:
        announce(f"the memory of {side}, {name}")
        found = run_measurements([case], 2, memory=(side, name))
        rows += found["rows"]
    print(describe(found["info"]))
    print("Peak memory of the process in one call, over what it held before (Linux only).\n")
    cells = [["case", "by", "input, MB", "more, MB", "share of the input"]]
    for row in rows:
        (result,) = row["results"]
        grown, size = result["grown"] / 1e6, result["input"] / 1e6
        by = f"{result['side']} ({result['name']})"
        cells.append([row["title"], by, f"{size:.0f}", f"{grown:.0f}", f"{grown / size:.2f}"])
    print_table(cells, arguments.markdown)
    return {**found, "rows": rows}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look, in about a minute")
    parser.add_argument("--memory", action="store_true", help="peak memory in place of times")
    parser.add_argument("--repeats", type=int, help="samples of each figure (at least 2)")
    parser.add_argument("--markdown", action="store_true", help="the closing table, as Markdown")
    parser.add_argument("--json", type=pathlib.Path, help="a file for all that was measured")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    found = report_memory(arguments) if arguments.memory else report_times(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps({"processor": processor(), **found}, indent=1))


if __name__ == "__main__":
    main()
