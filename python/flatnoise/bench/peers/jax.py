"""JAX, compiled by `jax.jit`, with either of its random generators."""

from typing import Any

import jax

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer


def _function(case: Case) -> Any:
    draw = getattr(jax.random, case.distribution)

    def add_noise(x: Any, key: Any) -> Any:
        rows = x.reshape(x.shape[0], -1)
        return rows + (LOC + SCALE * draw(key, rows.shape, case.dtype))

    return jax.jit(add_noise)


class Jax(Peer):
    """JAX; the number of threads is in the environment."""

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
        x = jax.device_put(cases.make_input(case), self._device)
        return [
            self._contender(case, x, generator, name)
            for generator, name in (("threefry2x32", "threefry"), ("rbg", "rbg"))
        ]

    def _contender(self, case: Case, x: Any, generator: str, name: str) -> Contender:
        key = jax.device_put(jax.random.key(cases.SEED[0], impl=generator), self._device)
        function = _function(case)
        return Contender(f"jit {name}", lambda: function(x, key).block_until_ready())
