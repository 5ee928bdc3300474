"""JAX, compiled by `jax.jit`, with either of its random generators."""

from collections.abc import Callable
from typing import Any

import jax

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer

Function = Callable[..., Any]


def _noise(case: Case) -> Function:
    draw = getattr(jax.random, case.distribution)

    def add_noise(key: Any, x: Any, loc: Any, scale: Any) -> Any:
        rows = x.reshape(x.shape[0], -1)
        return rows + (loc + scale * draw(key, rows.shape, case.dtype))

    return add_noise


# Work around the noise: each builder turns a noise function into one of arrays alone.


def _forward(noise: Function) -> Function:
    return lambda key, x, loc, scale: noise(key, x, LOC, SCALE)


def _per_feature(noise: Function) -> Function:
    return noise


def _chain(noise: Function) -> Function:
    return lambda key, x, loc, scale: noise(key, x * x, LOC, SCALE)


def _gradient(noise: Function) -> Function:
    def backward(key: Any, x: Any, loc: Any, scale: Any) -> Any:
        _, pull_back = jax.vjp(lambda loc, scale: noise(key, x, loc, scale), loc, scale)
        return pull_back(x.reshape(x.shape[0], -1))

    return backward


def _both_ways(noise: Function) -> Function:
    def step(key: Any, *arrays: Any) -> Any:
        y, pull_back = jax.vjp(lambda *arrays: noise(key, *arrays), *arrays)
        return y, pull_back(arrays[0].reshape(y.shape))

    return step


_BUILDERS: dict[str, Callable[[Function], Function]] = {
    "forward": _forward,
    "per_feature": _per_feature,
    "chain": _chain,
    "gradient": _gradient,
    "both_ways": _both_ways,
}


class Jax(Peer):
    """JAX; the number of threads is in the environment."""

    works = tuple(_BUILDERS)

    def __init__(self, threads: int, device: str) -> None:
        """Chooses the device."""
        jax.config.update("jax_enable_x64", True)  # else float64 is float32
        try:
            self._device = jax.devices(device)[0]
        except RuntimeError as error:
            raise NotMeasured(f"JAX sees no {device.upper()}") from error
        self.version = jax.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """One for each generator."""
        # What it copies from is free when it is there, not before.
        x = jax.device_put(cases.make_input(case), self._device).block_until_ready()
        shape = [case.input_elements // case.shape[0]] if case.work == "per_feature" else []
        parameters = (jax.numpy.full(shape, value, x.dtype) for value in (LOC, SCALE))
        arrays = x, *(jax.device_put(value, self._device) for value in parameters)
        return [
            self._contender(case, arrays, generator, name)
            for generator, name in (("threefry2x32", "threefry"), ("rbg", "rbg"))
        ]

    def _contender(
        self, case: Case, arrays: tuple[Any, ...], generator: str, name: str
    ) -> Contender:
        key = jax.device_put(jax.random.key(cases.SEED[0], impl=generator), self._device)
        function = jax.jit(_BUILDERS[case.work](_noise(case)))
        return Contender(f"jit {name}", lambda: jax.block_until_ready(function(key, *arrays)))
