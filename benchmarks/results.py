"""Results, stored as pyperf's JSON, which `python -m pyperf` can compare."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import pyperf

from cases import Case
from worker import Setup


@dataclasses.dataclass(frozen=True)
class Result:
    """The samples of a variant for a case: seconds per call, or bytes."""

    case: Case
    setup: Setup
    peer: str
    variant: str
    values: Sequence[float]
    calls: int = 1  # per sample
    is_copy: bool = False
    unit: str = "second"

    @property
    def name(self) -> str:
        return f"{self.peer} {self.variant}"

    @property
    def median(self) -> float:
        return float(np.median(self.values))

    @property
    def quartiles(self) -> tuple[float, float]:
        low, high = np.percentile(self.values, [25, 75])
        return float(low), float(high)

    def elements_per_second(self, seconds: float | None = None) -> float:
        """The number of elements noised or copied per second, by default for the median time."""
        elements = self.case.size if self.is_copy else self.case.noised_elements
        return elements / (seconds or self.median)


def fastest(results: Sequence[Result], *peers: str) -> Result | None:
    """The fastest result with noise of these peers, or None."""
    chosen = [result for result in results if result.peer in peers and not result.is_copy]
    return min(chosen, key=lambda result: result.median, default=None)


def fastest_copy(results: Sequence[Result], *variants: str) -> Result | None:
    """The fastest copy of these variants, or of all variants."""
    chosen = [
        result
        for result in results
        if result.is_copy and (not variants or result.variant in variants)
    ]
    return min(chosen, key=lambda result: result.median, default=None)


def save(results: Sequence[Result], machine: Mapping[str, str | int], path: pathlib.Path) -> None:
    benchmarks = [_benchmark(result, machine) for result in results]
    pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)


def _benchmark(result: Result, machine: Mapping[str, str | int]) -> pyperf.Benchmark:
    metadata = {
        **machine,
        "name": f"{result.case.title}; {result.setup.title}; {result.name}",
        "unit": result.unit,
        "loops": result.calls,
        "peer": result.peer,
        "variant": result.variant,
        "elements": result.case.size if result.is_copy else result.case.noised_elements,
    }
    return pyperf.Benchmark([pyperf.Run(result.values, metadata=metadata, collect_metadata=False)])
