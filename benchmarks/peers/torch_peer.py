"""PyTorch: eager and compiled by `torch.compile`."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import cases
from cases import DROPOUT, RATE, Case
from peers import Function, Peer, Variant, workload


def _sum(case: Case) -> Function:
    draw = torch.randn_like if case.noise == "normal" else torch.rand_like

    def add_noise(x: Any, loc: Any, scale: Any) -> Any:
        rows = x.flatten(1)
        return rows + (loc + scale * draw(rows))

    return add_noise


def _diffuse(x: Any, signal_rate: Any, noise_rate: Any) -> Any:
    noise = torch.randn_like(x)
    return signal_rate * x + noise_rate * noise, noise


def _diffuse_in_place(x: Any, signal_rate: Any, noise_rate: Any) -> Any:
    """Two passes after the noise, which in eager mode are faster than three."""
    noise = torch.randn_like(x)
    return (noise_rate * noise).addcmul_(signal_rate, x), noise


def _in_place(case: Case) -> Function:
    """In-place operations, which in eager mode are faster than a sum of three tensors."""

    def add_noise(x: Any, loc: float, scale: float) -> Any:
        rows = x.flatten(1)
        noise = torch.empty_like(rows)
        if case.noise == "normal":
            noise.normal_(loc, scale)
        else:
            noise.uniform_(loc, loc + scale)
        return noise.add_(rows)

    return add_noise


def _drop(x: Any) -> Any:
    return torch.nn.functional.dropout(x, RATE)


def _eager(case: Case) -> Function:
    if case.workload == "diffuse":
        return _diffuse_in_place
    is_sum = case.noise != DROPOUT and case.workload in ("forward", "chain")
    return _in_place(case) if is_sum else _fusible(case)


def _fusible(case: Case) -> Function:
    """The form that the compiler optimizes best."""
    if case.noise == DROPOUT:
        return _drop
    return _diffuse if case.workload == "diffuse" else _sum(case)


def _pull_back(
    make_noise: Function, of: slice, arguments: tuple[Any, ...], upstream: Any
) -> tuple[Any, ...]:
    y = make_noise(*arguments)
    return y, *torch.autograd.grad(y, arguments[of], upstream)


def _tensor(array: npt.NDArray[Any], case: Case) -> Any:
    # Via float64, because PyTorch doesn't support NumPy's bfloat16.
    return torch.from_numpy(array.astype(np.float64)).to(getattr(torch, case.dtype))


class Torch(Peer):
    workloads = ("forward", "per_feature", "chain", "forward_backward", "diffuse")

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch._dynamo.config.cache_size_limit = 10_000  # every shape is compiled separately
        self.version = torch.__version__

    def variants(self, case: Case) -> list[Variant]:
        x = _tensor(cases.make_input(case), case)
        tensors = x, *(x.new_full(case.parameter_shape, value) for value in case.parameters)
        backward = case.is_backward
        for tensor in tensors:
            tensor.requires_grad_(backward)
        upstream = (_tensor(cases.make_upstream(case), case),) if backward else ()

        def variant(name: str, function: Function) -> Variant:
            def run() -> Any:
                with torch.inference_mode(not backward):
                    return function(*tensors, *upstream)

            return Variant(name, run)

        fusible = _fusible(case)
        if backward:  # the compiler also generates the backward pass
            compiled = workload(case, torch.compile(fusible, dynamic=False), _pull_back)
        else:
            compiled = torch.compile(workload(case, fusible), dynamic=False)
        found = [
            variant("eager", workload(case, _eager(case), _pull_back)),
            variant("compile", compiled),
        ]
        if case.is_one_pass:
            target = torch.zeros_like(x)
            found.append(Variant("copy_", lambda: target.copy_(x), is_copy=True))
        return found

    def to_numpy(self, tensor: Any) -> npt.NDArray[Any]:
        dtype = cases.numpy_dtype(str(tensor.dtype).removeprefix("torch."))
        values: npt.NDArray[Any] = tensor.detach().double().numpy()
        return values.astype(dtype)
