"""The memory's own speed: `numpy.copyto` into memory that is there already, on threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from flatnoise.bench import cases
from flatnoise.bench.cases import Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer


class Memory(Peer):
    """A plain copy of the input."""

    tensors = 2.1
    works = tuple(cases.WORKS)

    def __init__(self, threads: int, device: str) -> None:
        """Starts the threads."""
        if device != "cpu":
            raise NotMeasured("NumPy works on the processor alone")
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self.version = np.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """One, in equal parts on each thread."""
        if not case.is_one_pass:
            raise NotMeasured("the work takes more than one pass over the memory")
        # NumPy copies unsigned integers fastest.
        source = cases.make_input(case).reshape(-1).view(f"u{case.item_bytes}")
        target = np.zeros_like(source)
        target.fill(0)  # zeros alone would take the memory at the first copy
        if self._threads == 1:
            return [Contender("numpy.copyto", lambda: np.copyto(target, source), is_copy=True)]
        targets = np.array_split(target, self._threads)
        sources = np.array_split(source, self._threads)

        def copy() -> None:
            list(self._pool.map(np.copyto, targets, sources))

        return [Contender("numpy.copyto", copy, is_copy=True)]
