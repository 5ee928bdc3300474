"""Measures and draws how exact log, sin, cos and the normal numbers are.

    python tools/accuracy.py --output docs/images/accuracy.png

Compiles the core's own headers, so what is measured is what the op is built from. In float32 the
functions are given every value that the stream can give them and are compared with NumPy's in
float64; in float64 they are given random values, more of them where they are hardest, and are
compared with mpmath's in 100 bits. Errors are in units in the last place (ULP) of the exact value;
those of sine and cosine in those of 1, those of a normal number z in those of max(|z|, 1).
"""

import argparse
import ctypes
import pathlib
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from matplotlib.figure import Figure

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALLEST = {np.float32: np.float32(1e-7), np.float64: np.float64(1e-7)}
BITS = {np.float32: np.uint32, np.float64: np.uint64}
FRACTION_BITS = {np.float32: 23, np.float64: 52}
SUFFIX = {np.float32: "Float", np.float64: "Double"}
FUNCTIONS = ("-2 log u", "sin 2πu", "cos 2πu", "normal")

Real = Any
Errors = dict[str, tuple[np.ndarray, np.ndarray]]  # by function: where, and by how many ULP


def compile_core(folder: str) -> ctypes.CDLL:
    """The core's functions as a library, with the flags that the op is built with."""
    library = pathlib.Path(folder) / "accuracy.so"
    flags = ["-std=c++17", "-O2", "-ffp-contract=off", "-fPIC", "-shared"]
    source = ROOT / "tools" / "accuracy.cc"
    subprocess.run(["c++", *flags, f"-I{ROOT / 'cc'}", source, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def call(function: Any, inputs: list[np.ndarray], outputs: int, dtype: Real) -> list[np.ndarray]:
    """Has a function of the library fill arrays as long as its inputs."""
    results = [np.empty(len(inputs[0]), dtype) for _ in range(outputs)]

    def pointer(array: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    count = ctypes.c_int64(len(inputs[0]))
    function(*map(pointer, inputs), count, *map(pointer, results))
    return results


def in_mpmath(function: Callable[[Any], Any], u: np.ndarray) -> np.ndarray:
    """A function of 100 bits over an array of float64, as mpmath's numbers."""
    return np.array([function(mpmath.mpf(float(value))) for value in u], dtype=object)


def exact(dtype: Real, u: np.ndarray, angle: np.ndarray) -> list[np.ndarray]:
    """-2 log u, and sine and cosine of the angle, more exact than `dtype`."""
    if dtype == np.float32:
        wide = angle.astype(np.float64)
        return [-2 * np.log(u.astype(np.float64)), np.sin(wide), np.cos(wide)]
    return [
        in_mpmath(lambda value: -2 * mpmath.log(value), u),
        in_mpmath(mpmath.sin, angle),
        in_mpmath(mpmath.cos, angle),
    ]


def in_ulp(got: np.ndarray, expected: np.ndarray, size: np.ndarray, dtype: Real) -> np.ndarray:
    """The error of `got`, in units in the last place of `size`."""
    error = (got.astype(expected.dtype) - expected).astype(np.float64)
    return error / np.spacing(size.astype(dtype)).astype(np.float64)


def sample(dtype: Real, count: int) -> np.ndarray:
    """The fractions of uniform numbers: all of float32's, or some of float64's."""
    if dtype == np.float32:
        return np.arange(1, 2**23, dtype=np.uint32)
    rng = np.random.default_rng(20)
    fractions = rng.integers(1, 2**52, count, dtype=np.uint64)
    # Half of them near 0 or 1, where the logarithm is hardest.
    fractions[::4] &= np.uint64(2**20 - 1)
    fractions[1::4] |= np.uint64(2**52 - 2**20)
    return np.maximum(fractions, np.uint64(1))


def uniform(dtype: Real, fractions: np.ndarray) -> np.ndarray:
    """What the bits of fractions stand for in [0, 1), exactly."""
    return (fractions / BITS[dtype](2) ** FRACTION_BITS[dtype]).astype(dtype)


def measure(core: ctypes.CDLL, dtype: Real, count: int) -> Errors:
    """The errors of all functions for a type."""
    fractions = sample(dtype, count)
    u = uniform(dtype, fractions)
    # The angle is rounded once to the type, as in TensorFlow: that is part of the definition.
    angle = (2 * np.pi * u.astype(np.float64)).astype(dtype)
    elementary = getattr(core, f"Elementary{SUFFIX[dtype]}")
    got = call(elementary, [u], 3, dtype)
    expected = exact(dtype, u, angle)
    one = np.ones_like(u)
    sizes = [np.abs(expected[0]), one, one]
    errors: Errors = {
        name: (u, in_ulp(*each, dtype))
        for name, *each in zip(FUNCTIONS[:3], got, expected, sizes, strict=True)
    }
    errors["normal"] = measure_normal(core, dtype, fractions)
    return errors


def measure_normal(
    core: ctypes.CDLL, dtype: Real, fractions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The errors of normal numbers, for each of the fractions with a random other one."""
    partners = np.random.default_rng(21).permutation(fractions)
    function = getattr(core, f"Normal{SUFFIX[dtype]}")
    z = np.concatenate(call(function, [fractions, partners], 2, dtype))
    radius_of = np.maximum(uniform(dtype, fractions), SMALLEST[dtype])
    partner = uniform(dtype, partners).astype(np.float64)
    angle = (2 * np.pi * partner).astype(dtype)
    squared, _, _ = exact(dtype, radius_of, angle[:0])
    _, sine, cosine = exact(dtype, radius_of[:0], angle)
    radius = np.sqrt(squared) if dtype == np.float32 else in_mpmath_roots(squared)
    expected = np.concatenate([radius * sine, radius * cosine])
    return z, in_ulp(z, expected, np.maximum(np.abs(z), dtype(1)), dtype)


def in_mpmath_roots(values: np.ndarray) -> np.ndarray:
    """The square roots of mpmath's numbers."""
    return np.array([mpmath.sqrt(value) for value in values], dtype=object)


def envelope(where: np.ndarray, errors: np.ndarray, bins: int = 400) -> tuple[np.ndarray, ...]:
    """The middles of equal intervals, and the least and greatest error in each."""
    edges = np.linspace(where.min(), where.max(), bins + 1)
    places = np.clip(np.digitize(where, edges) - 1, 0, bins - 1)
    least, greatest = np.full(bins, np.nan), np.full(bins, np.nan)
    np.fmin.at(least, places, errors)
    np.fmax.at(greatest, places, errors)
    return (edges[1:] + edges[:-1]) / 2, least, greatest


def draw(by_type: dict[Real, Errors], path: pathlib.Path) -> None:
    """Writes a picture: the range of the errors over the argument, a column for each type."""
    figure = Figure(figsize=(10, 9), layout="constrained")
    axes = figure.subplots(len(FUNCTIONS), len(by_type), squeeze=False)
    for column, (dtype, errors) in zip(axes.T, by_type.items(), strict=True):
        for axis, name in zip(column, FUNCTIONS, strict=True):
            middles, least, greatest = envelope(*errors[name])
            axis.fill_between(middles, least, greatest, step="mid", linewidth=0)
            axis.axhline(0, color="0.4", linewidth=0.6)
            largest = np.max(np.abs(errors[name][1]))
            axis.set_title(f"{name}, {np.dtype(dtype).name}: at most {largest:.2f} ULP", fontsize=9)
            axis.set(xlabel="z" if name == "normal" else "u", ylabel="error, ULP")
            axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def as_table(by_type: dict[Real, Errors]) -> str:
    """The largest and the root-mean-square errors, as a table of Markdown."""
    lines = [
        "| function | type | values | largest error, ULP | root mean square, ULP |",
        "| --- | --- | --- | --- | --- |",
    ]
    for dtype, errors in by_type.items():
        for name in FUNCTIONS:
            error = errors[name][1]
            rms = np.sqrt(np.mean(error**2))
            cells = [name, f"`{np.dtype(dtype).name}`", f"{len(error):,}"]
            cells += [f"{np.max(np.abs(error)):.2f}", f"{rms:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, draws."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200_000, help="values of float64")
    parser.add_argument("--output", type=pathlib.Path, help="a file for the picture")
    arguments = parser.parse_args()
    mpmath.mp.prec = 100
    with tempfile.TemporaryDirectory() as folder:
        core = compile_core(folder)
        by_type = {
            dtype: measure(core, dtype, arguments.count) for dtype in (np.float32, np.float64)
        }
    print(as_table(by_type))
    if arguments.output:
        draw(by_type, arguments.output)


if __name__ == "__main__":
    main()
