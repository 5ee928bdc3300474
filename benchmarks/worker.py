"""A separate process for each peer, so that peers don't share threads: both sides of it."""

import contextlib
import ctypes
import dataclasses
import fnmatch
import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cases
import machine
import peers
from cases import Case
from peers import Peer, Unsupported, Variant

_TOO_SHORT = 2e-3  # seconds; too short to estimate the time of a call from one call


@dataclasses.dataclass(frozen=True)
class Setup:
    """Settings that are fixed at process start. `instruction_set` is flatnoise's ("": the best)."""

    threads: int
    instruction_set: str = ""

    @property
    def title(self) -> str:
        threads = f"{self.threads} threads" if self.threads > 1 else "1 thread"
        return f"{threads}, {self.instruction_set}" if self.instruction_set else threads

    def environment(self) -> dict[str, str]:
        threads = str(self.threads)
        return {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "NPROC": threads,  # read by XLA in JAX
            "KMP_BLOCKTIME": "1",  # ms; otherwise, Intel's threads spin while others are measured
            "FLATNOISE_INSTRUCTION_SET": self.instruction_set,
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",  # benchmarks/gpu is for GPUs
            "JAX_PLATFORMS": "cpu",
        }


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A variant with a correct result, and the approximate seconds per call."""

    name: str
    is_copy: bool
    seconds: float


class Worker:
    """A peer's process, as seen by the main process."""

    def __init__(self, peer: str, setup: Setup) -> None:
        """Starts the process, which loads the peer while other processes start."""
        self.peer = peer
        self.setup = setup
        self._start()

    def _start(self) -> None:
        os.environ.update(self.setup.environment())  # the process inherits it
        spawn = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(1, spawn)
        self._facts = self._executor.submit(_answer, _load, self.peer, self.setup.threads)

    def facts(self) -> dict[str, str]:
        """Facts that affect the peer's results, by their names in JSON."""
        facts: dict[str, str] = self._result(self._facts)
        return facts

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function below. Raises `Unsupported` if it fails or the process ends."""
        return self._result(self._executor.submit(_answer, function, *arguments))

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except BrokenProcessPool as error:
            self._start()  # restarts for the next case
            raise Unsupported("its process ended") from error

    def close(self) -> None:
        self._executor.shutdown()


@contextlib.contextmanager
def start(names: Sequence[str], setup: Setup) -> Iterator[list[Worker]]:
    """Workers that run until the context exits."""
    workers = [Worker(name, setup) for name in names]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.close()


# The other side, in the peer's process. It has one peer and the variants of the current case.

_peer: Peer
_variants: dict[str, Variant] = {}


def _answer(function: Callable[..., Any], *arguments: Any) -> Any:
    """Turns errors into one that can be unpickled without importing the framework."""
    try:
        return function(*arguments)
    except Exception as error:
        raise Unsupported(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, Unsupported) else f"{type(error).__name__}: {text}"


def _load(name: str, threads: int) -> dict[str, str]:
    global _peer
    os.dup2(2, 1)  # keeps frameworks' output out of the results
    _peer = peers.load(name, threads)
    return {f"{name}_version": _peer.version, "instruction_set": _peer.instruction_set}


def _build(case: Case) -> list[Variant]:
    _variants.clear()
    gc.collect()
    if case.workload not in _peer.workloads:
        raise Unsupported(f"{case.workload} is not written for it")
    return _peer.variants(case)


def noisy_variants(case: Case) -> list[str]:
    return [variant.name for variant in _build(case) if not variant.is_copy]


def prepare(case: Case, patterns: Sequence[str]) -> tuple[list[Prepared], list[str]]:
    """Builds variants that match a pattern. Keeps correct ones and returns the others' errors."""
    prepared, not_prepared = [], []
    for variant in _build(case):
        if not (variant.is_copy or fits(variant.name, patterns)):
            continue
        try:
            prepared.append(Prepared(variant.name, variant.is_copy, _check(case, variant)))
            _variants[variant.name] = variant
        except Exception as error:  # frameworks may raise anything
            not_prepared.append(f"{variant.name}: {_reason(error)}")
    return prepared, not_prepared


def fits(variant: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(variant, pattern) for pattern in patterns)


def _check(case: Case, variant: Variant) -> float:
    """Calls a variant, which compiles it, and checks the result. Returns the seconds per call."""
    result = variant.run()
    if not variant.is_copy:
        tensors = result if isinstance(result, tuple | list) else [result]
        wrong = cases.explain_wrong(case, [_peer.to_numpy(tensor) for tensor in tensors])
        if wrong is not None:
            raise Unsupported(wrong)
    del result
    seconds = _seconds(variant, 1)
    return seconds if seconds > _TOO_SHORT else _seconds(variant, 10)


def _seconds(variant: Variant, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        variant.run()
    return (time.perf_counter() - start) / calls


def sample(name: str, calls: int) -> float:
    """Seconds per call."""
    if name not in _variants:
        raise Unsupported("its process ended over another variant")
    if calls > 1:
        _variants[name].run()  # warms up threads and caches
    return _seconds(_variants[name], calls)


def peak_memory(case: Case, name: str) -> int:
    """The peak memory of a call in bytes, minus the memory before it.

    This must be the first call with such a large input, because frameworks cache freed memory.
    Calls with a few rows load everything that is loaded on first use.
    """
    small = dataclasses.replace(case, shape=(2, *case.shape[1:]))
    for _ in range(2):
        _named(small, name).run()
    variant = _named(case, name)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # the call must not reuse freed memory
    machine.forget_peak()
    before = machine.memory("VmRSS")
    variant.run()
    return max(1, machine.memory("VmHWM") - before)  # pyperf only accepts positive samples


def _named(case: Case, name: str) -> Variant:
    return next(variant for variant in _build(case) if variant.name == name)
