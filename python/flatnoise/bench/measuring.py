"""Times: the contenders of all peers take turns, so that all see the same machine."""

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from flatnoise.bench import peers
from flatnoise.bench.cases import Case
from flatnoise.bench.processes import PeerFailed, Process, Setup

# In seconds. Quicker calls are sampled several at a time; of slower ones fewer samples are taken,
# and of the slowest none: the call that told how slow they are has to do.
_SHORTEST_SAMPLE = 0.02
_LONGEST_TURNS = 3.0
_TOO_SLOW = 1.0


@dataclasses.dataclass
class Result:
    """The seconds per call of a contender, sample by sample."""

    peer: str
    way: str
    is_copy: bool
    first_call: float
    calls: int
    turns: int
    samples: list[float] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.peer} {self.way}"

    @property
    def median(self) -> float:
        """The median of the samples."""
        return float(np.median(self.samples))

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third quartile of the samples."""
        low, high = np.percentile(self.samples, [25, 75])
        return float(low), float(high)


@dataclasses.dataclass(frozen=True)
class NotRun:
    """A peer, or one of its ways, and why it was not measured."""

    peer: str
    way: str
    reason: str


@dataclasses.dataclass
class Row:
    """A case, what it was measured with, and what came of it."""

    case: Case
    setup: Setup
    results: list[Result] = dataclasses.field(default_factory=list)
    not_run: list[NotRun] = dataclasses.field(default_factory=list)

    def fastest(self, peer: str | None = None, copies: bool = False) -> Result | None:
        """The quickest that makes noise, or that copies; None if there is none."""
        results = [
            result
            for result in self.results
            if result.samples and result.is_copy == copies and peer in (None, result.peer)
        ]
        return min(results, key=lambda result: result.median, default=None)

    def elements_per_second(self, result: Result) -> float:
        """How many elements get noise, or are copied, in a second."""
        elements = self.case.input_elements if result.is_copy else self.case.elements
        return elements / result.median

    def bytes_per_second(self, result: Result) -> float:
        """What is read of the input and written of the output in a second."""
        return 2 * self.case.item_bytes * self.elements_per_second(result)


class Crew:
    """The processes of all peers with one setup. A context: its end ends the processes."""

    def __init__(self, names: Sequence[str], setup: Setup) -> None:
        """Starts all at the same time."""
        self.setup = setup
        self.versions: dict[str, str] = {}
        self.absent: list[NotRun] = []
        self._processes = [Process(name, setup) for name in names]

    def __enter__(self) -> "Crew":
        """Waits until all are there."""
        for process in list(self._processes):
            try:
                self.versions[process.peer] = process.greet()
            except PeerFailed as failure:
                self.absent.append(NotRun(process.peer, "", str(failure)))
                self._processes.remove(process)
                process.close()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all."""
        for process in self._processes:
            process.close()

    def present(self) -> Iterator[Process]:
        """The processes; those that have ended over a case start again for the next."""
        for index, process in enumerate(self._processes):
            if process.has_ended:
                process.close()
                self._processes[index] = Process(process.peer, self.setup)
                with contextlib.suppress(PeerFailed):  # asked again, it says the same
                    self._processes[index].greet()
            yield self._processes[index]


def _result(peer: str, ready: dict[str, Any], repeats: int) -> Result:
    seconds = ready["seconds"]
    calls = max(1, round(_SHORTEST_SAMPLE / seconds))
    fixed = peer, ready["way"], ready["is_copy"], ready["first_call"], calls
    if seconds > _TOO_SLOW:
        return Result(*fixed, turns=0, samples=[seconds])
    return Result(*fixed, turns=min(repeats, int(_LONGEST_TURNS / (calls * seconds))))


def measure(
    crew: Crew,
    case: Case,
    ways: Sequence[str],
    repeats: int,
    notice: Callable[[Row, str], None],
) -> Row:
    """Measures a case with all peers.

    Args:
        crew: The peers.
        case: The case.
        ways: Patterns for the ways to take; empty for all.
        repeats: How many samples to take of each contender.
        notice: Called with the row so far and what is done next.
    """
    row = Row(case, crew.setup, not_run=list(crew.absent))
    working: dict[str, Process] = {}
    for process in crew.present():
        notice(row, f"{process.peer} gets ready")
        try:
            answer = process.ask("prepare", case=dataclasses.asdict(case), ways=list(ways))
        except PeerFailed as failure:
            row.not_run.append(NotRun(process.peer, "", str(failure)))
            continue
        working[process.peer] = process
        row.results += [_result(process.peer, ready, repeats) for ready in answer["ready"]]
        row.not_run += [NotRun(process.peer, **entry) for entry in answer["not_run"]]
    _take_turns(row, working, repeats, notice)
    return row


def _take_turns(
    row: Row, working: dict[str, Process], repeats: int, notice: Callable[[Row, str], None]
) -> None:
    shuffle = random.Random(0).shuffle  # who comes after whom must not matter
    for turn in range(repeats):
        order = [result for result in row.results if turn < result.turns]
        shuffle(order)
        for result in order:
            try:
                answer = working[result.peer].ask("sample", way=result.way, calls=result.calls)
                result.samples.append(answer["seconds"])
            except PeerFailed as failure:
                row.results.remove(result)
                row.not_run.append(NotRun(result.peer, result.way, str(failure)))
        notice(row, f"turn {turn + 1} of {repeats}")


def importable(names: Sequence[str]) -> tuple[list[str], list[NotRun]]:
    """Parts peers into those that can be started and those that lack a module here."""
    reasons = {name: peers.why_absent(name) for name in names}
    absent = [NotRun(name, "", reason) for name, reason in reasons.items() if reason is not None]
    return [name for name in names if reasons[name] is None], absent
