"""What is measured: a workload on a tensor of some shape and type; and what a right result is."""

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

LOOP_STEPS = 100
WORKLOADS = {
    "forward": "forward",
    "per_feature": "a level per feature",
    "chain": "after x * x, in place",
    "loop": f"{LOOP_STEPS} times in a loop",
    "gradient": "gradients of loc, scale",
    "forward_backward": "forward and backward",
}
DTYPES = ("float32", "float16", "bfloat16", "float64")
DISTRIBUTIONS = ("normal", "uniform")

# Normal noise has this mean and standard deviation; uniform noise starts at LOC, SCALE wide.
LOC, SCALE = 0.0, 0.1
SEED = (1, 2)

_ROW = 1024  # features in the shape of a size that is given as a power of two
_PERIOD = 2**20  # inputs repeat: drawing all of a large one would take longer than measuring it
_SIGMAS = 6


@dataclasses.dataclass(frozen=True)
class Case:
    """A workload, by its name in `WORKLOADS`, on a tensor."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    distribution: str = "normal"
    workload: str = "forward"

    @property
    def size(self) -> int:
        """How many elements the input has."""
        return math.prod(self.shape)

    @property
    def flat_shape(self) -> tuple[int, int]:
        return self.shape[0], self.size // self.shape[0]

    @property
    def parameter_shape(self) -> list[int]:
        """The shape of loc and scale."""
        return [self.flat_shape[1]] if self.workload == "per_feature" else []

    @property
    def noised_elements(self) -> int:
        return self.size * (LOOP_STEPS if self.workload == "loop" else 1)

    @property
    def input_bytes(self) -> int:
        return self.size * numpy_dtype(self.dtype).itemsize

    @property
    def is_one_pass(self) -> bool:
        """Whether a copy of the input is a fair floor for the workload's time."""
        return self.workload not in ("loop", "forward_backward")

    @property
    def title(self) -> str:
        shape = "×".join(map(str, self.shape))
        return f"{self.dtype} {shape} {self.distribution}, {WORKLOADS[self.workload]}"


def parse_shape(text: str) -> tuple[int, ...]:
    """Reads `256x64x64x3`, or `2^20` for a tensor of that many elements."""
    if power := re.fullmatch(r"2\^(\d{1,2})", text):
        elements = 2 ** int(power[1])
        row = min(_ROW, elements)
        return elements // row, row
    if re.fullmatch(r"[1-9]\d*(x[1-9]\d*)+", text):
        return tuple(map(int, text.split("x")))
    raise ValueError(
        "a size is a shape of two dimensions or more, as 256x64x64x3, or a power of two, as 2^20. "
        f"Received: {text!r}"
    )


def numpy_dtype(name: str) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def make_input(case: Case) -> npt.NDArray[Any]:
    """Random numbers from 0 to 1."""
    start = np.random.default_rng(0).random(min(_PERIOD, case.size), np.float32)
    return np.resize(start.astype(numpy_dtype(case.dtype)), case.shape)


def explain_wrong(case: Case, results: Sequence[npt.NDArray[Any]]) -> str | None:
    """Says what is wrong with the tensors that a workload gave; None if nothing is."""
    if case.workload == "gradient":
        return _explain_wrong_gradients(case, results)
    return _explain_wrong_output(case, results[0])


def _noise_moments(case: Case) -> tuple[float, float]:
    """The mean and the standard deviation of what is added to each element."""
    mean, deviation = LOC, SCALE
    if case.distribution == "uniform":
        mean, deviation = LOC + SCALE / 2, SCALE / math.sqrt(12)
    if case.workload == "loop":
        return LOOP_STEPS * mean, math.sqrt(LOOP_STEPS) * deviation
    return mean, deviation


def _explain_wrong_output(case: Case, output: npt.NDArray[Any]) -> str | None:
    expected_shape = case.shape if case.workload == "loop" else case.flat_shape
    if output.shape != expected_shape:
        return f"its result has the shape {output.shape}, expected {expected_shape}"
    if output.dtype != numpy_dtype(case.dtype):
        return f"its result is of {output.dtype}, expected {case.dtype}"
    start = make_input(case).reshape(-1)[:_PERIOD].astype(np.float64)
    if case.workload == "chain":
        start *= start
    noise = output.reshape(-1)[: start.size].astype(np.float64) - start
    mean, deviation = _noise_moments(case)
    # Sums are rounded by up to half a unit in the last place, once a step.
    unit = {"bfloat16": 2.0**-8, "float16": 2.0**-11}.get(case.dtype, 2.0**-24)
    unit *= case.noised_elements / case.size
    tolerance = _SIGMAS * deviation / math.sqrt(noise.size) + unit / 4
    if not abs(noise.mean() - mean) <= tolerance:
        return f"its noise has the mean {noise.mean():.4f}, expected {mean:.4f}"
    tolerance = _SIGMAS / math.sqrt(noise.size) + (unit / deviation) ** 2
    if not abs(noise.std() / deviation - 1) <= tolerance:
        return f"its noise has the standard deviation {noise.std():.4f}, expected {deviation:.4f}"
    return None


def _explain_wrong_gradients(case: Case, results: Sequence[npt.NDArray[Any]]) -> str | None:
    """The gradient of the output is the input: see the peers."""
    upstream = make_input(case).astype(np.float64)
    total, total_squares = upstream.sum(), (upstream**2).sum()
    mean, deviation = (0.0, 1.0) if case.distribution == "normal" else (0.5, 12**-0.5)
    of_loc, of_scale = (float(result) for result in results)
    if not math.isclose(of_loc, total, rel_tol=1e-3):
        return f"its gradient of loc is {of_loc:g}, expected {total:g}"
    tolerance = _SIGMAS * deviation * math.sqrt(total_squares) + 1e-3 * total
    if not abs(of_scale - mean * total) <= tolerance:
        return f"its gradient of scale is {of_scale:g}, expected {mean * total:g} ± {tolerance:g}"
    return None
