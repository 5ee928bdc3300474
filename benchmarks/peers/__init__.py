"""Flatnoise and its peers. Each is imported in a separate process."""

import abc
import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cases import Case

# The module and class of each peer. The copy isn't a peer but the lower bound for all of them.
_PEERS = {
    "flatnoise": ("tensorflow_peers", "Flatnoise"),
    "tensorflow": ("tensorflow_peers", "TensorFlow"),
    "keras": ("tensorflow_peers", "Keras"),
    "torch": ("torch_peer", "Torch"),
    "jax": ("jax_peer", "Jax"),
    "numpy": ("numpy_peers", "NumPy"),
    "mkl_random": ("numpy_peers", "MklRandom"),
    "dali": ("dali_peer", "Dali"),
    "copy": ("numpy_peers", "Copy"),
}
NAMES = tuple(_PEERS)
OURS, STOCK, COPY = "flatnoise", "tensorflow", "copy"

Function = Callable[..., Any]


class Unsupported(Exception):
    """Raised if a peer or variant can't be measured. The message says why."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to run a workload. `run` returns when the result is ready."""

    name: str
    run: Callable[[], Any]
    is_copy: bool = False


class Peer(abc.ABC):
    """A framework, configured for a number of threads."""

    workloads: tuple[str, ...] = ("forward",)
    version: str
    instruction_set = ""  # only for flatnoise

    @abc.abstractmethod
    def __init__(self, threads: int) -> None: ...

    @abc.abstractmethod
    def variants(self, case: Case) -> list[Variant]:
        """The variants for a case. Raises `Unsupported` if there are none."""

    def to_numpy(self, tensor: Any) -> npt.NDArray[Any]:
        return np.asarray(tensor)


def load(name: str, threads: int) -> Peer:
    module, peer = _PEERS[name]
    loaded: Peer = getattr(importlib.import_module(f"peers.{module}"), peer)(threads)
    return loaded


def workload(case: Case, make_noise: Function, pull_back: Function | None = None) -> Function:
    """A case's workload around `make_noise(x, *parameters, *seed)`, with the same arguments.

    For workloads with a backward pass, the gradient of the output is the last argument:
    `pull_back(make_noise, of, arguments, upstream)` returns the output and the gradients of the
    arguments in the slice `of`.
    """
    end = 1 + len(case.parameters)
    if case.workload == "forward":  # with numbers, as in user code
        return lambda *arguments: make_noise(arguments[0], *case.parameters, *arguments[end:])
    if case.workload in ("per_feature", "diffuse"):
        return make_noise
    if case.workload == "chain":  # the result may overwrite the temporary x * x
        return lambda x, *rest: make_noise(x * x, *case.parameters, *rest[end - 1 :])
    assert pull_back
    if case.workload == "gradient":
        return lambda *args: pull_back(make_noise, slice(1, end), args[:-1], args[-1])[1:]
    return lambda *args: pull_back(make_noise, slice(0, end), args[:-1], args[-1])
