"""Benchmarks flatnoise and its peers on this machine, in one run.

    python benchmarks/compare.py --quick
    python benchmarks/compare.py --dtypes float32 --plot speed.png --json result.json

With several values for options, all combinations are measured.
"""

import argparse
import itertools
import pathlib
from collections.abc import Iterable, Sequence

import cases
import machine
import measure
import peers
import plot
import report
import results
from cases import Case
from results import Result
from worker import Setup, Worker, start

_SIZES = [(32, 28, 28, 1), (32, 64, 64, 3), (256, 64, 64, 3), (128, 224, 224, 3)]
_MEMORY_SIZES = [(512, 224, 224, 3)]
_MEMORY_WORKLOADS = ["forward", "chain", "gradient", "forward_backward"]
_PEERS = [name for name in peers.NAMES if name != peers.COPY]


def _shape(text: str) -> tuple[int, ...]:
    try:
        return cases.parse_shape(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a number from 1 on. Received: {text!r}")
    return int(text)


def _file(text: str) -> pathlib.Path:
    path = pathlib.Path(text)
    if path.suffix not in (".json", ".png", ".svg") or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"a file .json (of --json), .png or .svg in a folder that exists. Received: {text!r}"
        )
    return path


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses the options and fills in defaults."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer cases and samples: about a minute")
    add("--memory", action="store_true", help="measure peak memory instead of times")
    add("--sizes", type=_shape, nargs="+", help="such as 256x64x64x3 or 2^20 (rows of 1024)")
    add("--dtypes", choices=cases.DTYPES, nargs="+")
    add("--noises", choices=cases.NOISES, nargs="+")
    add("--workloads", choices=cases.WORKLOADS, nargs="+")
    add("--threads", type=_positive, nargs="+", help="within an op (default: all, and 1)")
    add("--instruction-sets", choices=["avx512", "avx2", "sse2", "neon"], nargs="+")
    add("--peers", choices=_PEERS, default=_PEERS, nargs="+")
    add("--variants", default=["*"], nargs="+", help="name patterns, such as 'graph*'")
    add("--samples", type=_positive, help="per figure (default: 9, or 5 with --quick)")
    add("--json", type=_file, help="write all samples in pyperf's format")
    add("--plot", type=_file, help="plot speed over size, and ratios")
    options = parser.parse_args(arguments)
    if options.memory and options.plot:
        parser.error("--plot draws times, which --memory does not take")
    brief, most = options.quick or options.memory, machine.cores()
    if options.memory:
        options.sizes = options.sizes or _MEMORY_SIZES
        options.workloads = options.workloads or _MEMORY_WORKLOADS
    options.sizes = options.sizes or (_SIZES[:3] if brief else _SIZES)
    options.workloads = options.workloads or ["forward"]
    options.dtypes = options.dtypes or cases.DTYPES[: 1 if brief else None]
    options.noises = options.noises or cases.NOISES[: 1 if brief else None]
    options.threads = options.threads or ([most] if brief else sorted({most, 1}, reverse=True))
    options.instruction_sets = options.instruction_sets or [""]
    options.samples = options.samples or (5 if options.quick else 9)
    if not _cases(options):
        given = ", ".join(options.workloads)
        parser.error(f"{cases.DROPOUT} is measured forward and backward alone. Received: {given}")
    return options


def _print(title: str, not_measured: Iterable[str]) -> None:
    reasons = [f"not measured: {reason}" for reason in not_measured]
    print(title, *reasons, sep="\n", end="\n\n", flush=True)


def _greet(workers: list[Worker], about: dict[str, str | int]) -> None:
    """Waits for the peers, removes those that don't work, and prints the title."""
    not_measured = []
    for worker in list(workers):
        try:
            facts = worker.facts()
        except peers.Unsupported as error:
            not_measured.append(f"{worker.peer}: {error}")
            workers.remove(worker)
            continue
        about |= {key: value for key, value in facts.items() if value}
    _print(machine.title(about), not_measured)


def _cases(options: argparse.Namespace) -> list[Case]:
    names = options.workloads, options.dtypes, options.noises, options.sizes
    return [
        Case(shape, dtype, noise, workload)
        for workload, dtype, noise, shape in itertools.product(*names)
        if cases.is_measured(noise, workload)
    ]


def _setups(options: argparse.Namespace) -> list[Setup]:
    return [Setup(*each) for each in itertools.product(options.threads, options.instruction_sets)]


def measure_times(options: argparse.Namespace, about: dict[str, str | int]) -> list[list[Result]]:
    """Prints a table after each case. Returns the results of each case."""
    groups = []
    for setup in _setups(options):
        with start([*options.peers, peers.COPY], setup) as workers:
            _greet(workers, about)
            for case in _cases(options):
                found, not_measured = measure.times(
                    workers, case, options.variants, options.samples
                )
                if found:
                    groups.append(found)
                _print(report.case_table(found) if found else case.title, not_measured)
    return groups


def measure_memory(options: argparse.Namespace, about: dict[str, str | int]) -> list[Result]:
    setup, *_ = _setups(options)
    with start(options.peers, setup) as workers:
        _greet(workers, about)
        names = [worker.peer for worker in workers]
    measured = []
    for case, peer in itertools.product(_cases(options), names):
        found, not_measured = measure.memory(peer, setup, case, options.variants)
        measured += found
        _print(f"{case.title}, {peer}: measured {len(found)} variants", not_measured)
    return measured


def main(arguments: Sequence[str] | None = None) -> None:
    options, about = parse(arguments), machine.describe()
    if options.memory:
        measured = measure_memory(options, about)
        print(report.memory_table(measured))
    else:
        groups = measure_times(options, about)
        measured = list(itertools.chain(*groups))
        print(report.summary(groups))
    if options.json:
        results.save(measured, about, options.json)
    if options.plot:
        plot.draw(groups, machine.title(about), options.plot)


if __name__ == "__main__":
    main()
