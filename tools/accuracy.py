"""Measures and plots the accuracy of log, sin, cos and the distributions' numbers.

    python tools/accuracy.py --output docs/images

Compiles the core's headers, which the op is built from. In float32, the functions get every value
that the stream can produce, and results are compared with NumPy's float64 functions. In float64,
the functions get random values, with more values in difficult ranges, and results are compared with
mpmath in 100 bits. Errors are in units in the last place (ULP) of the exact value. Errors of sine
and cosine are in ULP of 1, those of a random number z in ULP of max(|z|, 1).
"""

import argparse
import ctypes
import dataclasses
import functools
import math
import pathlib
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from matplotlib.figure import Figure

import plots

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALLEST = {np.float32: np.float32(1e-7), np.float64: np.float64(1e-7)}
BITS = {np.float32: np.uint32, np.float64: np.uint64}
FRACTION_BITS = {np.float32: 23, np.float64: 52}
SUFFIX = {np.float32: "Float", np.float64: "Double"}
FUNCTIONS = ("-2 log u", "sin 2πu", "cos 2πu", "normal")
INVERSIONS = ("Laplace", "Gumbel", "logistic", "truncated normal")
# The pictures and their content.
PICTURES = {"accuracy.png": FUNCTIONS, "accuracy-inversions.png": INVERSIONS}

Real = Any
Errors = dict[str, tuple[np.ndarray, np.ndarray]]  # by function: arguments and errors in ULP


def compile_core(folder: str) -> ctypes.CDLL:
    """Compiles the core's functions to a library, with the op's compiler flags."""
    library = pathlib.Path(folder) / "accuracy.so"
    flags = ["-std=c++17", "-O2", "-ffp-contract=off", "-fPIC", "-shared"]
    source = ROOT / "tools" / "accuracy.cc"
    subprocess.run(["c++", *flags, f"-I{ROOT / 'cc'}", source, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def call(function: Any, inputs: list[np.ndarray], outputs: int, dtype: Real) -> list[np.ndarray]:
    """Calls a library function that fills arrays with the length of its inputs."""
    results = [np.empty(len(inputs[0]), dtype) for _ in range(outputs)]

    def pointer(array: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    count = ctypes.c_int64(len(inputs[0]))
    function(*map(pointer, inputs), count, *map(pointer, results))
    return results


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """Numbers and array functions that are more precise than a type."""

    widened: Callable[[np.ndarray], np.ndarray]
    pi: Any
    sqrt: Callable[[Any], Any]
    log: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    erf: Callable[[Any], Any]


def each(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Vectorizes a function of numbers for object arrays."""
    return np.frompyfunc(function, 1, 1)


MORE_EXACT = {
    np.float32: Arithmetic(
        widened=lambda array: array.astype(np.float64),
        pi=math.pi,
        sqrt=np.sqrt,
        log=np.log,
        exp=np.exp,
        sin=np.sin,
        cos=np.cos,
        erf=lambda array: each(math.erf)(array).astype(np.float64),
    ),
    np.float64: Arithmetic(
        widened=lambda array: each(lambda value: mpmath.mpf(float(value)))(array),
        pi=mpmath.pi,
        sqrt=each(mpmath.sqrt),
        log=each(mpmath.log),
        exp=each(mpmath.exp),
        sin=each(mpmath.sin),
        cos=each(mpmath.cos),
        erf=each(mpmath.erf),
    ),
}


def in_ulp(got: np.ndarray, expected: np.ndarray, size: np.ndarray, dtype: Real) -> np.ndarray:
    """The error of `got`, in units in the last place of `size`."""
    error = (got.astype(expected.dtype) - expected).astype(np.float64)
    return error / np.spacing(size.astype(dtype)).astype(np.float64)


def sample(dtype: Real, count: int) -> np.ndarray:
    """The fractions of uniform numbers: all for float32, or a sample for float64."""
    if dtype == np.float32:
        return np.arange(1, 2**23, dtype=np.uint32)
    rng = np.random.default_rng(20)
    fractions = rng.integers(1, 2**52, count, dtype=np.uint64)
    # Half of them are near 0 or 1, which is hardest for the logarithm.
    fractions[::4] &= np.uint64(2**20 - 1)
    fractions[1::4] |= np.uint64(2**52 - 2**20)
    return np.maximum(fractions, np.uint64(1))


def uniform(dtype: Real, fractions: np.ndarray) -> np.ndarray:
    """The exact values in [0, 1) of fractions."""
    return (fractions / BITS[dtype](2) ** FRACTION_BITS[dtype]).astype(dtype)


def measure(core: ctypes.CDLL, dtype: Real, count: int) -> Errors:
    """The errors of all functions for a type."""
    fractions = sample(dtype, count)
    return {
        **measure_elementary(core, dtype, fractions),
        "normal": measure_normal(core, dtype, fractions),
        **measure_inversions(core, dtype, fractions),
    }


def measure_elementary(core: ctypes.CDLL, dtype: Real, fractions: np.ndarray) -> Errors:
    """The errors of the logarithm, of sine and of cosine."""
    exact = MORE_EXACT[dtype]
    u = uniform(dtype, fractions)
    got = call(getattr(core, f"Elementary{SUFFIX[dtype]}"), [u], 3, dtype)
    angle = exact.widened(angle_of(dtype, u))
    expected = [-2 * exact.log(exact.widened(u)), exact.sin(angle), exact.cos(angle)]
    one = np.ones_like(u)
    sizes = [np.abs(expected[0]), one, one]
    return {
        name: (u, in_ulp(*values, dtype))
        for name, *values in zip(FUNCTIONS[:3], got, expected, sizes, strict=True)
    }


def angle_of(dtype: Real, u: np.ndarray) -> np.ndarray:
    """2 pi u, rounded once to the type. As in TensorFlow, this is part of the definition."""
    return (2 * np.pi * u.astype(np.float64)).astype(dtype)


def measure_normal(
    core: ctypes.CDLL, dtype: Real, fractions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The errors of normal numbers, with each fraction paired with a random one."""
    exact = MORE_EXACT[dtype]
    partners = np.random.default_rng(21).permutation(fractions)
    function = getattr(core, f"Normal{SUFFIX[dtype]}")
    z = np.concatenate(call(function, [fractions, partners], 2, dtype))
    radius_of = np.maximum(uniform(dtype, fractions), SMALLEST[dtype])
    radius = exact.sqrt(-2 * exact.log(exact.widened(radius_of)))
    angle = exact.widened(angle_of(dtype, uniform(dtype, partners)))
    expected = np.concatenate([radius * exact.sin(angle), radius * exact.cos(angle)])
    return z, in_ulp(z, expected, np.maximum(np.abs(z), dtype(1)), dtype)


def measure_inversions(core: ctypes.CDLL, dtype: Real, fractions: np.ndarray) -> Errors:
    """The errors of numbers from inversion."""
    # 0 is valid here, because it stands for the midpoint of its interval.
    u = uniform(dtype, np.append(BITS[dtype](0), fractions))
    got = call(getattr(core, f"Inversions{SUFFIX[dtype]}"), [u], len(INVERSIONS), dtype)
    expected = inverted(dtype, u, truncated_normal=got[-1])
    return {
        name: (u, in_ulp(z, exactly, np.maximum(np.abs(z), dtype(1)), dtype))
        for name, z, exactly in zip(INVERSIONS, got, expected, strict=True)
    }


def inverted(dtype: Real, u: np.ndarray, truncated_normal: np.ndarray) -> list[np.ndarray]:
    """The exact numbers of INVERSIONS.

    The truncated normal numbers come from the core's by a Newton step, because there is no inverse
    error function to compare with.
    """
    exact = MORE_EXACT[dtype]
    half_step = 2.0 ** -(FRACTION_BITS[dtype] + 1)
    is_low = u < 0.5
    middle = exact.widened(u) + half_step
    rest = (1 - exact.widened(u)) - half_step
    to_end = 2 * np.where(is_low, middle, rest)
    sign = np.where(is_low, -1, 1)
    z, root = exact.widened(truncated_normal), exact.widened(np.array([2.0])) ** 0.5
    density = exact.exp(-z * z / 2) * (2 / exact.pi) ** 0.5
    beyond = exact.erf(z / root) - exact.erf(root) * sign * (1 - to_end)
    return [
        -sign * exact.log(to_end),
        -exact.log(-exact.log(middle)),
        exact.log(middle / rest),
        z - beyond / density,
    ]


def envelope(where: np.ndarray, errors: np.ndarray, bins: int = 400) -> tuple[np.ndarray, ...]:
    """The midpoints of equal intervals, and the smallest and largest error in each."""
    edges = np.linspace(where.min(), where.max(), bins + 1)
    places = np.clip(np.digitize(where, edges) - 1, 0, bins - 1)
    least, greatest = np.full(bins, np.nan), np.full(bins, np.nan)
    np.fmin.at(least, places, errors)
    np.fmax.at(greatest, places, errors)
    return (edges[1:] + edges[:-1]) / 2, least, greatest


def draw(by_type: dict[Real, Errors], names: Sequence[str]) -> Figure:
    """The error range as a function of the argument, with a column per type."""
    figure = Figure(figsize=(10, 2.25 * len(names)), dpi=110, layout="constrained")
    axes = figure.subplots(len(names), len(by_type), squeeze=False)
    for column, (dtype, errors) in zip(axes.T, by_type.items(), strict=True):
        for axis, name in zip(column, names, strict=True):
            middles, least, greatest = envelope(*errors[name])
            axis.fill_between(middles, least, greatest, step="mid", linewidth=0)
            axis.axhline(0, color="0.5", linewidth=0.6)
            largest = np.max(np.abs(errors[name][1]))
            axis.set_title(f"{name}, {np.dtype(dtype).name}: at most {largest:.2f} ULP", fontsize=9)
            axis.set(xlabel="z" if name == "normal" else "u", ylabel="error, ULP")
            axis.grid(alpha=0.3)
    return figure


def as_table(by_type: dict[Real, Errors]) -> str:
    """The largest and the root-mean-square errors, as a Markdown table."""
    lines = [
        "| function | type | values | largest error, ULP | root mean square, ULP |",
        "| --- | --- | --- | --- | --- |",
    ]
    for dtype, errors in by_type.items():
        for name in (*FUNCTIONS, *INVERSIONS):
            error = errors[name][1]
            rms = np.sqrt(np.mean(error**2))
            cells = [name, f"`{np.dtype(dtype).name}`", f"{len(error):,}"]
            cells += [f"{np.max(np.abs(error)):.2f}", f"{rms:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints and plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200_000, help="number of float64 values")
    parser.add_argument("--output", type=pathlib.Path, help="folder for the plots")
    arguments = parser.parse_args()
    mpmath.mp.prec = 100
    with tempfile.TemporaryDirectory() as folder:
        core = compile_core(folder)
        by_type = {
            dtype: measure(core, dtype, arguments.count) for dtype in (np.float32, np.float64)
        }
    print(as_table(by_type))
    if arguments.output:
        for name, functions in PICTURES.items():
            plots.write(functools.partial(draw, by_type, functions), arguments.output / name)


if __name__ == "__main__":
    main()
