"""``python -m flatnoise.bench``: measures flatnoise and its peers on this machine."""

import argparse
import importlib.util
import json
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from flatnoise.bench import cases, machine, peers

_NEEDS_EXTRA = "flatnoise.bench needs {}, which is not installed: pip install flatnoise[bench]"
_FORMATS = (".png", ".svg", ".pdf")

_SIZES = ((32, 28, 28, 1), (32, 64, 64, 3), (256, 64, 64, 3), (128, 224, 224, 3))
_MEMORY_SIZE = (512, 224, 224, 3)
_MEMORY_WORKS = ("forward", "chain", "gradient", "both_ways")


def _number(at_least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < at_least:
            raise argparse.ArgumentTypeError(f"a number from {at_least} on. Received: {text!r}")
        return int(text)

    return parse


def _shape(text: str) -> tuple[int, ...]:
    try:
        return cases.parse_shape(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _file(*suffixes: str) -> Callable[[str], pathlib.Path]:
    def parse(text: str) -> pathlib.Path:
        path = pathlib.Path(text)
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
        if path.suffix not in suffixes:
            expected = " or ".join(suffixes)
            raise argparse.ArgumentTypeError(f"a file {expected}. Received: {text!r}")
        return path

    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flatnoise.bench",
        description="Measures flatnoise and its peers on this machine, taking turns. Each of the "
        "options that take several values stands for all combinations with the others.",
    )
    several: dict[str, Any] = {"nargs": "+", "metavar": "X"}
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer sizes and samples: under a minute")
    add("--memory", action="store_true", help="peak memory in place of times (processor only)")
    add("--sizes", type=_shape, **several, help="as 256x64x64x3, or 2^20 (rows of 1024)")
    add("--types", choices=cases.DTYPES, **several, help=", ".join(cases.DTYPES))
    add("--noises", choices=cases.DISTRIBUTIONS, **several, help=", ".join(cases.DISTRIBUTIONS))
    add("--works", choices=cases.WORKS, **several, help=", ".join(cases.WORKS))
    add("--threads", type=_number(1), **several, help="threads within an op; default: all, and 1")
    add("--devices", choices=("cpu", "gpu"), **several, help="default: cpu, and gpu if there is")
    add("--instruction-sets", **several, help="flatnoise's; default: the fastest")
    others = [name for name in peers.NAMES if name != peers.MEMORY]
    add("--peers", choices=others, **several, help=", ".join(others))
    add("--ways", **several, help="patterns of the peers' ways to take, as 'graph*'")
    add("--repeats", type=_number(2), metavar="N", help="samples of each figure; default: 9")
    add("--json", type=_file(".json"), metavar="FILE", help="write all that was measured")
    add("--plot", type=_file(*_FORMATS), metavar="FILE", help="draw speed over size, and ratios")
    add("--markdown", action="store_true", help="print the closing table as Markdown")
    return parser


def _fill_in(options: argparse.Namespace) -> None:
    """Gives what was not asked for its value."""
    if options.memory:
        options.sizes = options.sizes or [_MEMORY_SIZE]
        options.works = options.works or _MEMORY_WORKS
        options.peers = options.peers or [peers.OURS, peers.STOCK]
        options.ways = options.ways or ["graph*"]
    brief = options.quick or options.memory
    options.sizes = options.sizes or (_SIZES[:3] if options.quick else _SIZES)
    options.works = options.works or ["forward"]
    options.types = options.types or (cases.DTYPES[:1] if brief else cases.DTYPES)
    options.noises = options.noises or (cases.DISTRIBUTIONS[:1] if brief else cases.DISTRIBUTIONS)
    most = machine.cores()
    options.threads = options.threads or ([most] if brief else sorted({most, 1}, reverse=True))
    options.devices = options.devices or ["cpu", *(["gpu"] if machine.gpus() else [])]
    options.peers = options.peers or [name for name in peers.NAMES if name != peers.MEMORY]
    options.ways = options.ways or []
    options.repeats = options.repeats or (5 if options.quick else 9)


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Says what can't be before anything is measured."""
    if options.memory and options.plot:
        parser.error("--plot draws times, which --memory does not take")
    if options.memory and options.devices and "gpu" in options.devices:
        parser.error("--memory tells of the processor's memory alone, not of --devices gpu")
    needs = ["rich", *(["matplotlib"] if options.plot else [])]
    missing = [need for need in needs if importlib.util.find_spec(need) is None]
    if missing:
        parser.exit(1, _NEEDS_EXTRA.format(" and ".join(missing)) + "\n")
    if options.instruction_sets:
        from flatnoise import build_info

        known = build_info()["instruction_sets"]
        for name in options.instruction_sets:
            if name not in known:
                parser.error(f"--instruction-sets: this machine has {known}. Received: {name!r}")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the options; ends the process with a message if they can't be."""
    parser = _parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    _fill_in(options)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes what is asked for."""
    options = parse(arguments)
    from flatnoise.bench import run  # not before its absence can be explained: it needs rich

    found = run.memory_of(options) if options.memory else run.times(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
