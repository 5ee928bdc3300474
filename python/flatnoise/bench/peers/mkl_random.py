"""mkl_random: Intel's vectorised generators on NumPy arrays, in float64 on one thread."""

from typing import Any

import mkl_random

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer


class MklRandom(Peer):
    """mkl_random."""

    tensors = 10.2  # for float16: float64 noise is four times as large

    def __init__(self, threads: int, device: str) -> None:
        """Makes a generator."""
        if device != "cpu":
            raise NotMeasured("mkl_random works on the processor alone")
        self._state = mkl_random.MKLRandomState(cases.SEED[0], brng="philox4x32x10")
        self.version = mkl_random.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """One, in place as far as it goes."""
        x = cases.make_input(case)
        draw = self._state.normal if case.distribution == "normal" else self._state.uniform
        bounds = (LOC, SCALE) if case.distribution == "normal" else (LOC, LOC + SCALE)

        def add_noise() -> Any:
            rows = x.reshape(x.shape[0], -1)
            noise = draw(*bounds, rows.shape)
            noise += rows
            return noise.astype(x.dtype, copy=False)

        return [Contender("Philox", add_noise)]
