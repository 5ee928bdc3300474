"""NumPy and mkl_random, with one generator per thread, and a plain copy as the lower bound."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

import cases
from cases import DROPOUT, LOC, RATE, SCALE, Case
from peers import Peer, Unsupported, Variant

Array = npt.NDArray[Any]
MakeNoise = Callable[[int, Array, Array], None]


class Threads:
    """Runs a function on equal parts of flat arrays, one part per thread."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count)

    def run(self, function: Callable[..., Any], *arrays: Any) -> None:
        """Calls `function` with the index of the part, then the parts."""
        if self.count == 1:
            function(0, *arrays)
            return
        parts = (np.array_split(array, self.count) for array in arrays)
        list(self._pool.map(function, range(self.count), *parts))


def on_threads(name: str, case: Case, make_noise: MakeNoise, count: int) -> list[Variant]:
    """`make_noise(part, x, result)` on one thread, which is best for small arrays, and on all."""
    x = cases.make_input(case).reshape(-1)

    def variant(threads: Threads) -> Variant:
        def run() -> Array:
            result = np.empty_like(x)
            threads.run(make_noise, x, result)
            return result.reshape(case.result_shape)

        return Variant(name if threads.count == 1 else f"{name}, threads", run)

    return [variant(Threads(number)) for number in sorted({1, count})]


def drop(numbers: Array, factor: Array, x: Array, result: Array) -> None:
    """Drops elements whose number in [0, 1) is below the rate. Overwrites `factor`.

    The comparison writes 0 and 1 as floats, which saves a pass compared with a mask or
    `numpy.where`.
    """
    np.greater_equal(numbers, RATE, out=factor, casting="unsafe")
    factor *= 1 / (1 - RATE)
    factor *= x
    if factor is not result:
        result[:] = factor


class NumPy(Peer):
    def __init__(self, threads: int) -> None:
        self._generators = np.random.default_rng(cases.SEED).spawn(threads)
        self.version = np.__version__

    def variants(self, case: Case) -> list[Variant]:
        make_noise = self._drop if case.noise == DROPOUT else self._sum(case)
        return on_threads("Generator", case, make_noise, len(self._generators))

    def _drop(self, part: int, x: Array, result: Array) -> None:
        numbers = result if result.dtype == np.float32 else np.empty(result.shape, np.float32)
        self._generators[part].random(out=numbers, dtype=np.float32)
        drop(numbers, result if result.dtype == np.float64 else numbers, x, result)

    def _sum(self, case: Case) -> MakeNoise:
        # The dtypes that it can draw. Half precision is rounded from float32.
        drawn = np.float64 if case.dtype == "float64" else np.float32

        def add_noise(part: int, x: Array, result: Array) -> None:
            generator = self._generators[part]
            draw: Any = generator.random
            if case.noise == "normal":
                draw = generator.standard_normal
            noise = result if result.dtype == drawn else np.empty(result.shape, drawn)
            draw(out=noise, dtype=drawn)
            noise *= SCALE
            noise += x
            if noise is not result:
                result[:] = noise

        assert LOC == 0  # adding 0 would be a pass that no user would make
        return add_noise


class MklRandom(Peer):
    """Intel's vectorized generators, in float64."""

    def __init__(self, threads: int) -> None:
        import mkl_random  # not imported in NumPy's process

        self._states = [
            mkl_random.MKLRandomState(cases.SEED[0] + part, brng="philox4x32x10")
            for part in range(threads)
        ]
        self.version = mkl_random.__version__

    def variants(self, case: Case) -> list[Variant]:
        make_noise = self._drop if case.noise == DROPOUT else self._sum(case)
        return on_threads("Philox", case, make_noise, len(self._states))

    def _drop(self, part: int, x: Array, result: Array) -> None:
        numbers = self._states[part].random_sample(x.shape)
        drop(numbers, numbers, x, result)

    def _sum(self, case: Case) -> MakeNoise:
        bounds = (LOC, SCALE) if case.noise == "normal" else (LOC, LOC + SCALE)

        def add_noise(part: int, x: Array, result: Array) -> None:
            state: Any = self._states[part]
            draw = state.normal if case.noise == "normal" else state.uniform
            noise = draw(*bounds, x.shape)
            noise += x
            result[:] = noise

        return add_noise


class Copy(Peer):
    """`numpy.copyto` into resident memory."""

    workloads = tuple(cases.WORKLOADS)

    def __init__(self, threads: int) -> None:
        self._threads = Threads(threads)
        self.version = ""  # NumPy's version is already listed

    def variants(self, case: Case) -> list[Variant]:
        if not case.is_one_pass:
            raise Unsupported("the workload takes more than one pass over the memory")
        # NumPy copies unsigned integers fastest.
        words = f"u{cases.numpy_dtype(case.dtype).itemsize}"
        source = cases.make_input(case).reshape(-1).view(words)
        target = np.full_like(source, 1)  # written, so that the memory is resident

        def copy(part: int, target: Array, source: Array) -> None:
            np.copyto(target, source)

        return [Variant("copyto", lambda: self._threads.run(copy, target, source), is_copy=True)]
