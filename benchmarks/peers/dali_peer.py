"""NVIDIA DALI's CPU operators, in a pipeline with the rows of the input as samples."""

from typing import Any

import numpy as np
import numpy.typing as npt
import nvidia.dali
from nvidia.dali import fn, types

import cases
from cases import DROPOUT, LOC, RATE, SCALE, Case
from peers import Function, Peer, Unsupported, Variant

_DTYPES = {"float32": types.FLOAT, "float64": types.FLOAT64}


def _operators(case: Case) -> dict[str, Function]:
    """The ways to make a noise, by operator: one adds noise, others use arithmetic."""
    options = {"dtype": _DTYPES[case.dtype]}
    if case.noise == DROPOUT:
        if case.dtype == "float64":
            raise Unsupported("DALI's constants, such as the factor, have float32's precision")
        keep, factor = 1 - RATE, 1 / (1 - RATE)
        return {
            "random.coin_flip": lambda x: (
                x * fn.random.coin_flip(x, probability=keep, dtype=types.BOOL) * factor
            )
        }
    if case.noise == "uniform":
        bounds = [LOC, LOC + SCALE]
        return {"random.uniform": lambda x: x + fn.random.uniform(x, range=bounds, **options)}
    moments = {"mean": LOC, "stddev": SCALE}
    found: dict[str, Function] = {
        "random.normal": lambda x: x + fn.random.normal(x, **moments, **options)
    }
    if case.dtype == "float32":  # the only floating-point dtype that the operator supports
        found["noise.gaussian"] = lambda x: fn.noise.gaussian(x, **moments)
    return found


class Dali(Peer):
    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.version = nvidia.dali.__version__

    def variants(self, case: Case) -> list[Variant]:
        if case.dtype not in _DTYPES:
            raise Unsupported(f"DALI's operators do no arithmetic with {case.dtype}")
        x = cases.make_input(case)
        return [self._variant(case, x, *each) for each in _operators(case).items()]

    def _variant(self, case: Case, x: npt.NDArray[Any], name: str, make_noise: Function) -> Variant:
        # No prefetching, because by default, the next batch is computed in the background.
        pipeline = nvidia.dali.Pipeline(
            batch_size=x.shape[0],
            num_threads=self._threads,
            device_id=None,
            seed=cases.SEED[0],
            prefetch_queue_depth=1,
            exec_pipelined=False,
            exec_async=False,
        )
        with pipeline:
            rows = fn.external_source(source=lambda: x, batch=True, no_copy=True)
            noised = make_noise(rows)
            keeps_shape = case.result_shape == case.shape
            pipeline.set_outputs(noised if keeps_shape else fn.reshape(noised, shape=[-1]))
        pipeline.build()
        return Variant(name, lambda: pipeline.run()[0])

    def to_numpy(self, tensor: Any) -> npt.NDArray[Any]:
        return np.asarray(tensor.as_array())
