"""NumPy's Generator (PCG64), which works on one thread."""

from typing import Any

import numpy as np

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer


class NumPy(Peer):
    """NumPy."""

    def __init__(self, threads: int, device: str) -> None:
        """Takes no threads."""
        if device != "cpu":
            raise NotMeasured("NumPy works on the processor alone")
        self._generator = np.random.default_rng(cases.SEED)
        self.version = np.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """One, in place as far as it goes."""
        x = cases.make_input(case)
        normal = case.distribution == "normal"
        draw: Any = self._generator.standard_normal if normal else self._generator.random
        # What it draws numbers in: for half precision the next larger type.
        wide = np.float64 if case.dtype == "float64" else np.float32

        def add_noise() -> Any:
            rows = x.reshape(x.shape[0], -1)
            noise = draw(rows.shape, wide)
            noise *= SCALE
            noise += LOC
            noise += rows
            return noise.astype(x.dtype, copy=False)

        return [Contender("Generator", add_noise)]
