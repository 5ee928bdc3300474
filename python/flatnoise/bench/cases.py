"""What is measured: a piece of work on a tensor of some shape and type, with some noise."""

import dataclasses
import fnmatch
import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

LOOPS = 100
WORKS = {
    "forward": "forward",
    "per_feature": "a level per feature",
    "chain": "after x * x, in place",
    "loop": f"{LOOPS} times in a loop",
    "gradient": "gradients of loc, scale",
    "both_ways": "forward and backward",
}
DTYPES = ("float32", "float16", "bfloat16", "float64")
DISTRIBUTIONS = ("normal", "uniform")

# Of the noise: the mean and standard deviation of normal noise, the start and width of uniform.
LOC, SCALE = 0.0, 0.1
SEED = (1, 2)

_ROW = 1024  # features in the shape of a size that is given as a power of two
_PERIOD = 2**20  # inputs repeat themselves: random numbers for large ones would take long


@dataclasses.dataclass(frozen=True)
class Case:
    """One piece of work; `work` is a name in `WORKS`."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    distribution: str = "normal"
    work: str = "forward"

    @property
    def input_elements(self) -> int:
        """How many elements the input has."""
        return math.prod(self.shape)

    @property
    def elements(self) -> int:
        """How many elements get noise."""
        return self.input_elements * (LOOPS if self.work == "loop" else 1)

    @property
    def is_one_pass(self) -> bool:
        """Whether the work can be done in about the time of a copy."""
        return self.work not in ("loop", "both_ways")

    @property
    def item_bytes(self) -> int:
        """How large an element is."""
        return {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}[self.dtype]

    @property
    def input_bytes(self) -> int:
        """How large the input is; the output is as large."""
        return self.input_elements * self.item_bytes

    @property
    def title(self) -> str:
        """How tables call it."""
        shape = "×".join(str(size) for size in self.shape)
        return f"{self.dtype} {shape} {self.distribution}, {WORKS[self.work]}"


def parse_shape(text: str) -> tuple[int, ...]:
    """Reads `256x64x64x3`, or `2^20` for a tensor of that many elements.

    Raises:
        ValueError: If the text is neither.
    """
    if power := re.fullmatch(r"2(?:\^|\*\*)(\d{1,2})", text):
        elements = 2 ** int(power[1])
        row = min(_ROW, elements)
        return elements // row, row
    if re.fullmatch(r"[1-9]\d*(x[1-9]\d*)+", text):
        return tuple(int(size) for size in text.split("x"))
    raise ValueError(
        "a size is a shape of two dimensions or more, as 256x64x64x3, or a power of two, as 2^20. "
        f"Received: {text!r}"
    )


def matches(way: str, patterns: Sequence[str]) -> bool:
    """Whether a way's name fits one of the patterns, as `graph*`."""
    return any(fnmatch.fnmatchcase(way, pattern) for pattern in patterns)


def all_of(
    shapes: Sequence[tuple[int, ...]],
    dtypes: Sequence[str],
    distributions: Sequence[str],
    works: Sequence[str],
) -> list[Case]:
    """Every combination."""
    combinations = itertools.product(works, dtypes, distributions, shapes)
    return [Case(shape, dtype, dist, work) for work, dtype, dist, shape in combinations]


def numpy_dtype(name: str) -> np.dtype[Any]:
    """NumPy's type of that name; bfloat16 is ml_dtypes'.

    Raises:
        ImportError: If bfloat16 is asked for and ml_dtypes is not installed.
    """
    if name != "bfloat16":
        return np.dtype(name)
    import ml_dtypes

    found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return found


def input_start(case: Case) -> npt.NDArray[Any]:
    """The first elements of the input, from 0 to 1."""
    numbers = np.random.default_rng(0).random(min(_PERIOD, case.input_elements), np.float32)
    return numbers.astype(numpy_dtype(case.dtype))


def make_input(case: Case) -> npt.NDArray[Any]:
    """The input."""
    start = input_start(case)
    whole = np.empty(case.input_elements, start.dtype)
    for first in range(0, whole.size, start.size):
        part = whole[first : first + start.size]
        part[:] = start[: part.size]
    return whole.reshape(case.shape)


def expected_moments(distribution: str) -> tuple[float, float]:
    """The mean and the standard deviation of the noise."""
    if distribution == "normal":
        return LOC, SCALE
    return LOC + SCALE / 2, SCALE / math.sqrt(12)


def explain_wrong(case: Case, result: npt.NDArray[Any]) -> str | None:
    """Says what keeps `result` from being the flattened input with noise; None if nothing does."""
    flat = (case.shape[0], case.input_elements // case.shape[0])
    if result.shape != flat:
        return f"its result has the shape {result.shape}, expected {flat}"
    if result.dtype != numpy_dtype(case.dtype):
        return f"its result is of {result.dtype}, expected {case.dtype}"
    start = input_start(case)
    noise = result.reshape(-1)[: start.size].astype(np.float64) - start.astype(np.float64)
    mean, deviation = expected_moments(case.distribution)
    # Six standard errors; sums below 2 are rounded by up to half a unit in the last place.
    unit = {"bfloat16": 2.0**-8, "float16": 2.0**-11}.get(case.dtype, 2.0**-24)
    if abs(noise.mean() - mean) > 6 * deviation / math.sqrt(noise.size) + unit / 4:
        return f"its noise has the mean {noise.mean():.4f}, expected {mean:.4f}"
    if abs(noise.std() / deviation - 1) > 6 / math.sqrt(noise.size) + (unit / deviation) ** 2:
        return f"its noise has the standard deviation {noise.std():.4f}, expected {deviation:.4f}"
    return None
