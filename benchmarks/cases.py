"""The benchmark cases (a noise and a workload on a tensor), and checks of their results."""

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
    "diffuse": "diffused by a rate per sample, and the noise",
}
DTYPES = ("float32", "float16", "bfloat16", "float64")
DROPOUT = "dropout"
NOISES = ("normal", "uniform", DROPOUT)

# The mean and standard deviation of normal noise, or the start and width of uniform noise.
LOC, SCALE = 0.0, 0.1
RATE = 0.1  # for dropout
SIGNAL_RATE, NOISE_RATE = 0.8, 0.6  # for diffusion
SEED = (1, 2)

_OF_DROPOUT = ("forward", "forward_backward")
_ROW = 1024  # features, if the size is given as a power of two
_PERIOD = 2**20  # inputs repeat, because drawing large ones would take longer than measuring
_SIGMAS = 6


@dataclasses.dataclass(frozen=True)
class Case:
    """A workload, named as in `WORKLOADS`, on a tensor."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    noise: str = "normal"
    workload: str = "forward"

    @property
    def size(self) -> int:
        """The number of elements in the input."""
        return math.prod(self.shape)

    @property
    def flat_shape(self) -> tuple[int, int]:
        return self.shape[0], self.size // self.shape[0]

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The result's shape. Dropout keeps the shape, as in all frameworks. Sums are flattened."""
        keeps_shape = self.noise == DROPOUT or self.workload in ("loop", "diffuse")
        return self.shape if keeps_shape else self.flat_shape

    @property
    def parameters(self) -> tuple[float, ...]:
        """The parameters besides x: loc and scale, the rates of diffusion, or none."""
        if self.workload == "diffuse":
            return SIGNAL_RATE, NOISE_RATE
        return () if self.noise == DROPOUT else (LOC, SCALE)

    @property
    def parameter_shape(self) -> list[int]:
        """The shape of each parameter."""
        if self.workload == "diffuse":
            return [self.shape[0]] + [1] * (len(self.shape) - 1)
        return [self.flat_shape[1]] if self.workload == "per_feature" else []

    @property
    def is_backward(self) -> bool:
        return self.workload in ("gradient", "forward_backward")

    @property
    def noised_elements(self) -> int:
        return self.size * (LOOP_STEPS if self.workload == "loop" else 1)

    @property
    def input_bytes(self) -> int:
        return self.size * numpy_dtype(self.dtype).itemsize

    @property
    def is_one_pass(self) -> bool:
        """Whether the time of a copy is a fair lower bound for the workload."""
        return self.workload not in ("loop", "forward_backward")

    @property
    def title(self) -> str:
        shape = "×".join(map(str, self.shape))
        return f"{self.dtype} {shape} {self.noise}, {WORKLOADS[self.workload]}"


def is_measured(noise: str, workload: str) -> bool:
    """Whether a noise supports a workload. Diffusion is normal. Most others need loc and scale."""
    if workload == "diffuse":
        return noise == "normal"
    return noise != DROPOUT or workload in _OF_DROPOUT


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
    """Creates random inputs from 0 to 1."""
    start = np.random.default_rng(0).random(min(_PERIOD, case.size), np.float32)
    return np.resize(start.astype(numpy_dtype(case.dtype)), case.shape)


def make_upstream(case: Case) -> npt.NDArray[Any]:
    """The gradient of the output: a copy of the input's numbers.

    If it were the input itself, dropout and its gradient would be the same op with the same
    arguments, which a compiler would run only once.
    """
    return make_input(case).reshape(case.result_shape)


def explain_wrong(case: Case, results: Sequence[npt.NDArray[Any]]) -> str | None:
    """Explains what is wrong with a workload's results, or returns None if they are correct."""
    if case.workload == "gradient":
        return _explain_wrong_gradients(case, results)
    output = results[0]
    if case.workload == "diffuse" and len(results) != 2:
        return f"it has {len(results)} results, expected the output and the noise"
    if output.shape != case.result_shape:
        return f"its result has the shape {output.shape}, expected {case.result_shape}"
    if output.dtype != numpy_dtype(case.dtype):
        return f"its result is of {output.dtype}, expected {case.dtype}"
    if case.noise == DROPOUT:
        return _explain_wrong_dropout(case, results)
    if case.workload == "diffuse":
        return _explain_wrong_diffusion(case, results)
    return _explain_wrong_sum(case, output)


def _unit(case: Case) -> float:
    """Half a unit in the last place, relative to a number: the largest rounding error."""
    return float(ml_dtypes.finfo(numpy_dtype(case.dtype)).eps) / 2


def _first_period(tensor: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return tensor.reshape(-1)[:_PERIOD].astype(np.float64)


def _noise_moments(case: Case) -> tuple[float, float]:
    """The mean and standard deviation of the noise added to each element."""
    mean, deviation = LOC, SCALE
    if case.noise == "uniform":
        mean, deviation = LOC + SCALE / 2, SCALE / math.sqrt(12)
    if case.workload == "loop":
        return LOOP_STEPS * mean, math.sqrt(LOOP_STEPS) * deviation
    return mean, deviation


def _explain_wrong_sum(case: Case, output: npt.NDArray[Any]) -> str | None:
    start = _first_period(make_input(case))
    if case.workload == "chain":
        start *= start
    noise = _first_period(output) - start
    mean, deviation = _noise_moments(case)
    unit = _unit(case) * case.noised_elements / case.size  # sums are rounded in every step
    tolerance = _SIGMAS * deviation / math.sqrt(noise.size) + unit / 4
    if not abs(noise.mean() - mean) <= tolerance:
        return f"its noise has the mean {noise.mean():.4f}, expected {mean:.4f}"
    tolerance = _SIGMAS / math.sqrt(noise.size) + (unit / deviation) ** 2
    if not abs(noise.std() / deviation - 1) <= tolerance:
        return f"its noise has the standard deviation {noise.std():.4f}, expected {deviation:.4f}"
    return None


def _explain_wrong_diffusion(case: Case, results: Sequence[npt.NDArray[Any]]) -> str | None:
    output, noise = (_first_period(result) for result in results)
    expected = SIGNAL_RATE * _first_period(make_input(case)) + NOISE_RATE * noise
    # Some frameworks round the rates, each product and the sum.
    tolerance = 5 * _unit(case) * (1 + NOISE_RATE * np.abs(noise))
    if not (np.abs(output - expected) <= tolerance).all():
        return f"is off its own noise by up to {np.abs(output - expected).max():.2g}"
    for name, found, right in (("mean", noise.mean(), 0), ("deviation", noise.std(), 1)):
        if not abs(found - right) <= _SIGMAS / math.sqrt(noise.size) + _unit(case):
            return f"its noise has the {name} {found:.4f}, expected {right}"
    return None


def _explain_wrong_dropout(case: Case, results: Sequence[npt.NDArray[Any]]) -> str | None:
    """Checks the result, and the gradient of x if there is one. See `make_upstream`."""
    x = _first_period(make_input(case))
    tensors = [_first_period(result) for result in results]
    for name, tensor in zip(("result", "gradient of x"), tensors, strict=False):
        if wrong := _explain_wrong_drops(case, x, tensor):
            return f"its {name} {wrong}"
    if any(((tensor == 0) != (tensors[0] == 0)).any() for tensor in tensors):
        return "its gradient of x drops other elements than its result"
    return None


def _explain_wrong_drops(
    case: Case, x: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> str | None:
    expected, kept = x / (1 - RATE), values != 0
    # Some frameworks round the rate, the factor and the product. Half precision has subnormals
    # here.
    smallest = float(ml_dtypes.finfo(numpy_dtype(case.dtype)).smallest_subnormal)
    errors = np.abs(values - expected)[kept]
    if not (errors <= 3 * _unit(case) * expected[kept] + smallest).all():
        return f"is off x / {1 - RATE:g} by up to {errors.max():.2g} where elements are kept"
    share = 1 - kept[x != 0].mean()
    # Stock TensorFlow compares numbers in the input's dtype, with a spacing of 2 units in half
    # precision.
    tolerance = _SIGMAS * math.sqrt(RATE * (1 - RATE) / x.size) + 2 * _unit(case)
    if not abs(share - RATE) <= tolerance:
        return f"has a share of {share:.4f} dropped, expected {RATE:.4f}"
    return None


def _explain_wrong_gradients(case: Case, results: Sequence[npt.NDArray[Any]]) -> str | None:
    """Checks the gradients. The gradient of the output is the input. See `make_upstream`."""
    upstream = make_input(case).astype(np.float64)
    total, total_squares = upstream.sum(), (upstream**2).sum()
    mean, deviation = (0.0, 1.0) if case.noise == "normal" else (0.5, 12**-0.5)
    of_loc, of_scale = (float(result) for result in results)
    if not math.isclose(of_loc, total, rel_tol=1e-3):
        return f"its gradient of loc is {of_loc:g}, expected {total:g}"
    tolerance = _SIGMAS * deviation * math.sqrt(total_squares) + 1e-3 * total
    if not abs(of_scale - mean * total) <= tolerance:
        return f"its gradient of scale is {of_scale:g}, expected {mean * total:g} ± {tolerance:g}"
    return None
