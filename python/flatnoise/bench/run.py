"""Goes through all that is asked for, and shows it."""

import argparse
from typing import Any

from flatnoise import build_info
from flatnoise.bench import cases, machine, measuring, memory, peers, report, tables
from flatnoise.bench.display import Display
from flatnoise.bench.measuring import Crew, NotRun, Row
from flatnoise.bench.processes import Setup


def _setups(options: argparse.Namespace) -> list[Setup]:
    """Threads and instruction sets are the processor's; a GPU needs neither."""
    sets = options.instruction_sets or [build_info()["instruction_set"] or ""]
    found = [
        Setup("cpu", threads, name)
        for threads in options.threads
        for name in sets
        if "cpu" in options.devices
    ]
    if "gpu" in options.devices:
        found.append(Setup("gpu", machine.cores()))
    return found


def _cases(options: argparse.Namespace) -> list[cases.Case]:
    return cases.all_of(options.sizes, options.types, options.noises, options.works)


def _close(display: Display, title: str, absent: list[NotRun]) -> None:
    display.console.print(title, soft_wrap=True)
    for line in tables.of_not_run(absent):
        display.console.print(line, markup=False, soft_wrap=True)
    display.console.print()


def times(options: argparse.Namespace) -> dict[str, Any]:
    """Measures times; returns what `report.as_json` does."""
    about, chosen, setups = machine.describe(), _cases(options), _setups(options)
    names, absent = measuring.importable([*options.peers, peers.MEMORY])
    versions: dict[str, str] = {}
    rows: list[Row] = []
    with Display(len(chosen) * len(setups)) as display:
        for setup in setups:
            display.say(f"starting the peers: {setup.title}")
            with Crew(names, setup) as crew:
                versions |= crew.versions
                for case in chosen:
                    row = measuring.measure(
                        crew, case, options.ways, options.repeats, display.notice
                    )
                    display.advance(row)
                    rows.append(row)
    title = report.title(about, versions)
    _close(display, title, absent)
    display.console.print(tables.of_all(rows, _style(options, display)))
    if options.plot:
        from flatnoise.bench import plot

        plot.draw(rows, title, options.plot)
    return report.as_json(about, versions, rows, [], absent)


def _style(options: argparse.Namespace, display: Display) -> Any:
    return tables.MARKDOWN if options.markdown else display.style


def _memory_of_all(
    options: argparse.Namespace, names: list[str], setup: Setup, display: Display
) -> tuple[list[memory.Grown], list[NotRun]]:
    found: list[memory.Grown] = []
    not_run: list[NotRun] = []
    for case in _cases(options):
        grown, failed = memory.measure(names, case, options.ways, setup, display.say)
        found += grown
        not_run += failed
        display.advance()
    return found, not_run


def memory_of(options: argparse.Namespace) -> dict[str, Any]:
    """Measures peaks of memory; returns what `report.as_json` does."""
    about, (setup, *_) = machine.describe(), _setups(options)
    names, absent = measuring.importable(options.peers)
    with Crew(names, setup) as crew:
        versions, absent = crew.versions, absent + crew.absent
    with Display(len(_cases(options))) as display:
        found, failed = _memory_of_all(options, list(versions), setup, display)
    _close(display, report.title(about, versions), absent + failed)
    display.console.print(tables.of_memory(found, _style(options, display)))
    return report.as_json(about, versions, [], found, absent + failed)
