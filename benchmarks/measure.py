"""Measures time and peak memory. Variants alternate, so that all see the same conditions."""

import dataclasses
import random
from collections.abc import Sequence

import worker
from cases import Case
from peers import Unsupported
from results import Result
from worker import Prepared, Setup, Worker

# In seconds. Samples of short calls have several calls. Long calls have fewer samples, and the
# longest have none beyond the first call, which estimates the time.
_SHORTEST_SAMPLE = 0.02
_LONGEST_TURNS = 3.0
_TOO_LONG = 1.0


@dataclasses.dataclass
class _Contender:
    """A variant with its worker, and the seconds per call measured so far."""

    worker: Worker
    variant: Prepared
    values: list[float] = dataclasses.field(default_factory=list)

    @property
    def calls(self) -> int:
        """The number of calls per sample."""
        return max(1, round(_SHORTEST_SAMPLE / self.variant.seconds))

    def turns(self, samples: int) -> int:
        if self.variant.seconds > _TOO_LONG:
            return 0
        return min(samples, int(_LONGEST_TURNS / (self.calls * self.variant.seconds)))

    def sample(self) -> None:
        self.values.append(self.worker.call(worker.sample, self.variant.name, self.calls))

    def result(self, case: Case) -> Result:
        peer, setup, variant = self.worker.peer, self.worker.setup, self.variant
        values = self.values or [variant.seconds]
        return Result(case, setup, peer, variant.name, values, self.calls, variant.is_copy)


def times(
    workers: Sequence[Worker], case: Case, patterns: Sequence[str], samples: int
) -> tuple[list[Result], list[str]]:
    """Measures a case with all peers that support it. Returns the reasons of the others."""
    contenders: list[_Contender] = []
    not_measured: list[str] = []
    for each in workers:
        try:
            prepared, not_prepared = each.call(worker.prepare, case, patterns)
        except Unsupported as error:
            not_measured.append(f"{each.peer}: {error}")
            continue
        contenders += [_Contender(each, variant) for variant in prepared]
        not_measured += [f"{each.peer} {reason}" for reason in not_prepared]
    not_measured += _take_turns(contenders, samples)
    return [contender.result(case) for contender in contenders], not_measured


def _take_turns(contenders: list[_Contender], samples: int) -> list[str]:
    """Samples all contenders. Removes those that fail and returns the reasons."""
    failed = []
    shuffle = random.Random(0).shuffle  # the order must not matter
    for turn in range(samples):
        order = [each for each in contenders if turn < each.turns(samples)]
        shuffle(order)
        for each in order:
            try:
                each.sample()
            except Unsupported as error:
                contenders.remove(each)
                failed.append(f"{each.worker.peer} {each.variant.name}: {error}")
    return failed


def memory(
    peer: str, setup: Setup, case: Case, patterns: Sequence[str]
) -> tuple[list[Result], list[str]]:
    """Measures the peak memory of a peer's variants, each in a new process."""
    results: list[Result] = []
    try:
        with worker.start([peer], setup) as (lister,):
            variants = lister.call(worker.noisy_variants, case)
        for variant in variants:
            if worker.fits(variant, patterns):
                with worker.start([peer], setup) as (fresh,):
                    peak = fresh.call(worker.peak_memory, case, variant)
                results.append(Result(case, setup, peer, variant, [peak], unit="byte"))
    except Unsupported as error:
        return results, [f"{peer}: {error}"]
    return results, []
