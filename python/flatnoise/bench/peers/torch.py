"""PyTorch: eager, and compiled by `torch.compile`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer

Function = Callable[..., Any]


def _sum(case: Case) -> Function:
    draw = torch.randn_like if case.distribution == "normal" else torch.rand_like

    def add_noise(x: Any, loc: Any, scale: Any) -> Any:
        rows = x.flatten(1)
        return rows + (loc + scale * draw(rows))

    return add_noise


def _in_place(case: Case) -> Function:
    """As far as it goes, which outside the compiler is faster than a sum of three tensors."""

    def add_noise(x: Any, loc: float, scale: float) -> Any:
        rows = x.flatten(1)
        noise = torch.empty_like(rows)
        if case.distribution == "normal":
            noise.normal_(loc, scale)
        else:
            noise.uniform_(loc, loc + scale)
        return noise.add_(rows)

    return add_noise


# Work around the noise: each builder turns a noise function into one of x, loc and scale.


def _forward(noise: Function) -> Function:
    return lambda x, loc, scale: noise(x, LOC, SCALE)


def _per_feature(noise: Function) -> Function:
    return noise


def _chain(noise: Function) -> Function:
    return lambda x, loc, scale: noise(x * x, LOC, SCALE)


def _both_ways(noise: Function) -> Function:
    def step(*tensors: Any) -> Any:
        y = noise(*tensors)
        return y, torch.autograd.grad(y, tensors, tensors[0].detach().flatten(1))

    return step


_BUILDERS: dict[str, Callable[[Function], Function]] = {
    "forward": _forward,
    "per_feature": _per_feature,
    "chain": _chain,
    "both_ways": _both_ways,
}


def _eager(case: Case) -> Function:
    in_place = case.work in ("forward", "chain")
    return _BUILDERS[case.work](_in_place(case) if in_place else _sum(case))


def _compiled(case: Case) -> Function:
    if case.work == "both_ways":  # the compiler makes the way back of what it compiles
        return _both_ways(torch.compile(_sum(case), dynamic=False))
    compiled: Function = torch.compile(_BUILDERS[case.work](_sum(case)), dynamic=False)
    return compiled


class Torch(Peer):
    """PyTorch."""

    works = tuple(_BUILDERS)

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
        shape = [case.input_elements // case.shape[0]] if case.work == "per_feature" else []
        loc, scale = x.new_full(shape, LOC), x.new_full(shape, SCALE)
        tensors = x, loc, scale
        if case.work == "both_ways":
            tensors = tuple(tensor.requires_grad_() for tensor in tensors)
        found = [
            Contender("eager", self._to_completion(case, _eager(case), tensors)),
            Contender("compile", self._to_completion(case, _compiled(case), tensors)),
        ]
        if case.is_one_pass:
            copy = self._to_completion(case, torch.zeros_like(x).copy_, (x,))
            found.append(Contender("copy_", copy, is_copy=True))
        return found

    def _to_completion(
        self, case: Case, function: Function, tensors: tuple[Any, ...]
    ) -> Callable[[], Any]:
        without_gradients = case.work != "both_ways"

        def run() -> Any:
            with torch.inference_mode(without_gradients):
                result = function(*tensors)
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
