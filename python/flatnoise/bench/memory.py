"""Peak memory: by how much a call's stands above what its process held before."""

import dataclasses
from collections.abc import Callable, Sequence

from flatnoise.bench import cases
from flatnoise.bench.cases import Case
from flatnoise.bench.measuring import NotRun
from flatnoise.bench.processes import PeerFailed, Process, Setup


@dataclasses.dataclass(frozen=True)
class Grown:
    """What one way of a peer takes beside its input, in bytes."""

    case: Case
    peer: str
    way: str
    input_bytes: int
    grown_bytes: int


def _ways(peer: str, case: Case, patterns: Sequence[str], setup: Setup) -> list[str]:
    process = Process(peer, setup)
    try:
        process.greet()
        ways: list[str] = process.ask("ways", case=dataclasses.asdict(case))["ways"]
    finally:
        process.close()
    return [way for way in ways if not patterns or cases.matches(way, patterns)]


def _measure_way(peer: str, case: Case, way: str, setup: Setup) -> Grown:
    """In a new process: what frameworks have once taken, they may keep."""
    process = Process(peer, setup)
    try:
        process.greet()
        found = process.ask("memory", case=dataclasses.asdict(case), way=way)
    finally:
        process.close()
    return Grown(case, peer, way, found["input"], found["grown"])


def measure(
    names: Sequence[str],
    case: Case,
    ways: Sequence[str],
    setup: Setup,
    notice: Callable[[str], None],
) -> tuple[list[Grown], list[NotRun]]:
    """Measures a case with all ways, that fit the patterns, of the peers."""
    found: list[Grown] = []
    not_run: list[NotRun] = []
    for peer in names:
        way = ""
        try:
            for way in _ways(peer, case, ways, setup):
                notice(f"the memory of {peer} {way}")
                found.append(_measure_way(peer, case, way, setup))
        except PeerFailed as failure:
            not_run.append(NotRun(peer, way, str(failure)))
    return found, not_run
