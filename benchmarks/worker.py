"""A process for each peer, so that none shares its threads with another: both of its sides."""

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

_TOO_SHORT = 2e-3  # seconds; for one call to tell how long a call takes


@dataclasses.dataclass(frozen=True)
class Setup:
    """What is fixed when a process starts. The instruction set is flatnoise's ("": the best)."""

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
            "NPROC": threads,  # XLA's name for it, in JAX
            "KMP_BLOCKTIME": "1",  # ms; else Intel's threads spin while others are measured
            "FLATNOISE_INSTRUCTION_SET": self.instruction_set,
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",  # for GPUs there is benchmarks/gpu
            "JAX_PLATFORMS": "cpu",
        }


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A variant whose result is right, and about how many seconds a call takes."""

    name: str
    is_copy: bool
    seconds: float


class Worker:
    """A peer's process, seen from the one that measures."""

    def __init__(self, peer: str, setup: Setup) -> None:
        """Starts it; it loads the peer while others start."""
        self.peer = peer
        self.setup = setup
        self._start()

    def _start(self) -> None:
        os.environ.update(self.setup.environment())  # which it inherits
        spawn = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(1, spawn)
        self._facts = self._executor.submit(_answer, _load, self.peer, self.setup.threads)

    def facts(self) -> dict[str, str]:
        """What the peer's figures depend on, by the names that JSON has."""
        facts: dict[str, str] = self._result(self._facts)
        return facts

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function below; raises `Unsupported` if it fails or the process ends."""
        return self._result(self._executor.submit(_answer, function, *arguments))

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except BrokenProcessPool as error:
            self._start()  # for the next case
            raise Unsupported("its process ended") from error

    def close(self) -> None:
        self._executor.shutdown()


@contextlib.contextmanager
def start(names: Sequence[str], setup: Setup) -> Iterator[list[Worker]]:
    """Workers that run until the end of the context."""
    workers = [Worker(name, setup) for name in names]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.close()


# The other side. It has one peer, and the variants of the case that it is at.

_peer: Peer
_variants: dict[str, Variant] = {}


def _answer(function: Callable[..., Any], *arguments: Any) -> Any:
    """Turns errors into one that can be unpickled where their frameworks are not imported."""
    try:
        return function(*arguments)
    except Exception as error:
        raise Unsupported(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, Unsupported) else f"{type(error).__name__}: {text}"


def _load(name: str, threads: int) -> dict[str, str]:
    global _peer
    os.dup2(2, 1)  # what frameworks print is no result
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
    """Builds variants that fit a pattern; keeps those that are right, says why others are not."""
    prepared, not_prepared = [], []
    for variant in _build(case):
        if not (variant.is_copy or fits(variant.name, patterns)):
            continue
        try:
            prepared.append(Prepared(variant.name, variant.is_copy, _check(case, variant)))
            _variants[variant.name] = variant
        except Exception as error:  # whatever a framework raises is its answer
            not_prepared.append(f"{variant.name}: {_reason(error)}")
    return prepared, not_prepared


def fits(variant: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(variant, pattern) for pattern in patterns)


def _check(case: Case, variant: Variant) -> float:
    """Calls a variant, which compiles it, and checks the result; returns the seconds of a call."""
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
        _variants[name].run()  # wakes threads, fills caches
    return _seconds(_variants[name], calls)


def peak_memory(case: Case, name: str) -> int:
    """The peak of a call in bytes, over what the process held before it.

    The call is the first with so large an input, as frameworks keep what was freed; what they load
    on first use is loaded by calls with a few rows.
    """
    small = dataclasses.replace(case, shape=(2, *case.shape[1:]))
    for _ in range(2):
        _named(small, name).run()
    variant = _named(case, name)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free already must not serve the call
    machine.forget_peak()
    before = machine.memory("VmRSS")
    variant.run()
    return max(1, machine.memory("VmHWM") - before)  # what is not above 0 is no sample to pyperf


def _named(case: Case, name: str) -> Variant:
    return next(variant for variant in _build(case) if variant.name == name)
