"""JAX with `jax.jit` and both generators. Environment variables set the number of threads."""

from typing import Any

import jax
import numpy as np
import numpy.typing as npt

import cases
from cases import DROPOUT, RATE, Case
from peers import Function, Peer, Variant, workload


def _noise(case: Case) -> Function:
    if case.noise == DROPOUT:
        return _drop
    if case.workload == "diffuse":
        return _diffuse
    draw = getattr(jax.random, case.noise)

    def add_noise(x: Any, loc: Any, scale: Any, key: Any) -> Any:
        rows = x.reshape(x.shape[0], -1)
        return rows + (loc + scale * draw(key, rows.shape, case.dtype))

    return add_noise


def _diffuse(x: Any, signal_rate: Any, noise_rate: Any, key: Any) -> Any:
    noise = jax.random.normal(key, x.shape, x.dtype)
    return signal_rate * x + noise_rate * noise, noise


def _drop(x: Any, key: Any) -> Any:
    # A Python number would make it draw float64, because x64 is enabled.
    keep = jax.random.bernoulli(key, np.float32(1 - RATE), x.shape)
    return jax.numpy.where(keep, x / (1 - RATE), 0)


def _pull_back(
    make_noise: Function, of: slice, arguments: tuple[Any, ...], upstream: Any
) -> tuple[Any, ...]:
    before, after = arguments[: of.start], arguments[of.stop :]
    y, backward = jax.vjp(lambda *given: make_noise(*before, *given, *after), *arguments[of])
    return y, *backward(upstream)


def _array(array: npt.NDArray[Any]) -> Any:
    # Blocks, because the source array may be freed after the call.
    return jax.device_put(array).block_until_ready()


class Jax(Peer):
    workloads = ("forward", "per_feature", "chain", "gradient", "forward_backward", "diffuse")

    def __init__(self, threads: int) -> None:
        jax.config.update("jax_enable_x64", True)  # otherwise, float64 becomes float32
        self.version = jax.__version__

    def variants(self, case: Case) -> list[Variant]:
        x = _array(cases.make_input(case))
        parameters = (
            jax.numpy.full(case.parameter_shape, value, x.dtype) for value in case.parameters
        )
        arrays = x, *parameters
        upstream = (_array(cases.make_upstream(case)),) if case.is_backward else ()
        function = workload(case, _noise(case), _pull_back)

        def variant(generator: str) -> Variant:
            key, compiled = jax.random.key(cases.SEED[0], impl=generator), jax.jit(function)
            return Variant(
                f"jit {generator}", lambda: jax.block_until_ready(compiled(*arrays, key, *upstream))
            )

        return [variant(generator) for generator in ("threefry2x32", "rbg")]
