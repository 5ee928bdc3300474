"""Those who do the work: a module for each, loaded in a process of its own."""

import abc
import dataclasses
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from flatnoise.bench.cases import Case


class NotMeasured(Exception):
    """A peer can't do a case; the message says why."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way of a peer to do a case's work.

    Attributes:
        way: How it is called among the peer's ways.
        run: Does the work once, and returns when it is done.
        is_copy: Whether it only copies the input, as a measure of the memory.
    """

    way: str
    run: Callable[[], Any]
    is_copy: bool = False


class Peer(abc.ABC):
    """What does the work: a framework, set up for a number of threads on a kind of device.

    Attributes:
        tensors: How many tensors of the input's size it has at the same time.
        works: The kinds of work that are written for it.
        version: Its version.
    """

    tensors = 3.2
    works: tuple[str, ...] = ("forward",)
    version: str

    @abc.abstractmethod
    def __init__(self, threads: int, device: str) -> None:
        """Sets it up; raises `NotMeasured` if it has no such device."""

    @abc.abstractmethod
    def contenders(self, case: Case) -> list[Contender]:
        """The ways to do a case; raises `NotMeasured` if there is none."""

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """A contender's result on the host."""
        return np.asarray(result)


@dataclasses.dataclass(frozen=True)
class _Entry:
    module: str
    name: str
    needs: tuple[str, ...] = ()


_PEERS = {
    "flatnoise": _Entry("flatnoise", "Flatnoise", ("tensorflow",)),
    "tensorflow": _Entry("tensorflow", "TensorFlow", ("tensorflow",)),
    "keras": _Entry("keras", "Keras", ("tensorflow", "keras")),
    "torch": _Entry("torch", "Torch", ("torch",)),
    "jax": _Entry("jax", "Jax", ("jax",)),
    "numpy": _Entry("numpy", "NumPy"),
    "mkl_random": _Entry("mkl_random", "MklRandom", ("mkl_random",)),
    "memory": _Entry("memory", "Memory"),
}
NAMES = tuple(_PEERS)
# What is compared, and with whom first of all.
OURS, STOCK, MEMORY = "flatnoise", "tensorflow", "memory"


def why_absent(name: str) -> str | None:
    """Says which module a peer lacks here; None if it has all."""
    missing = [need for need in _PEERS[name].needs if importlib.util.find_spec(need) is None]
    return f"{missing[0]} is not installed" if missing else None


def needs_tensorflow(name: str) -> bool:
    """Whether a peer works by TensorFlow."""
    return "tensorflow" in _PEERS[name].needs


def load(name: str, threads: int, device: str) -> Peer:
    """Imports a peer and sets it up."""
    entry = _PEERS[name]
    module = importlib.import_module(f"{__name__}.{entry.module}")
    peer: Peer = getattr(module, entry.name)(threads, device)
    return peer
