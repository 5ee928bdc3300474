"""PyTorch: eager, and compiled by `torch.compile`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer

Function = Callable[[Any], Any]


def _eager(case: Case) -> Function:
    """In place as far as it goes, which is faster than a sum of three tensors."""

    def add_noise(x: Any) -> Any:
        rows = x.flatten(1)
        noise = torch.empty_like(rows)
        if case.distribution == "normal":
            noise.normal_(LOC, SCALE)
        else:
            noise.uniform_(LOC, LOC + SCALE)
        return noise.add_(rows)

    return add_noise


def _to_compile(case: Case) -> Function:
    draw = torch.randn_like if case.distribution == "normal" else torch.rand_like

    def add_noise(x: Any) -> Any:
        rows = x.flatten(1)
        return rows + (LOC + SCALE * draw(rows))

    return add_noise


class Torch(Peer):
    """PyTorch."""

    def __init__(self, threads: int, device: str) -> None:
        """Fixes the number of threads."""
        if device == "gpu" and not torch.cuda.is_available():
            raise NotMeasured("PyTorch sees no GPU")
        torch.set_num_threads(threads)
        torch._dynamo.config.cache_size_limit = 10_000  # every shape is compiled for itself
        self._device = "cuda" if device == "gpu" else "cpu"
        self.version = torch.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """Eager and compiled, and a copy into memory that is there."""
        words = cases.make_input(case).view(f"u{case.item_bytes}")
        x = torch.from_numpy(words).view(getattr(torch, case.dtype)).to(self._device)
        compiled = torch.compile(_to_compile(case), dynamic=False)
        there = torch.zeros_like(x)
        return [
            Contender("eager", self._to_completion(_eager(case), x)),
            Contender("compile", self._to_completion(compiled, x)),
            Contender("copy_", self._to_completion(there.copy_, x), is_copy=True),
        ]

    def _to_completion(self, function: Function, x: Any) -> Callable[[], Any]:
        def run() -> Any:
            with torch.inference_mode():
                result = function(x)
            if self._device == "cuda":
                torch.cuda.synchronize()
            return result

        return run

    def to_numpy(self, result: Any) -> npt.NDArray[Any]:
        """By way of integers, as NumPy has no bfloat16 of its own."""
        name = str(result.dtype).removeprefix("torch.")
        dtype = cases.numpy_dtype(name)
        words: npt.NDArray[Any] = np.asarray(
            result.cpu().view(getattr(torch, f"int{8 * dtype.itemsize}"))
        )
        return words.view(dtype)
