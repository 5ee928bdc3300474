"""flatnoise's compiled op: in eager mode, in a `tf.function`, in XLA."""

from typing import Any

import flatnoise
from flatnoise.bench.cases import Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer, on_tensorflow


def _noise(case: Case) -> on_tensorflow.Function:
    if case.distribution == "normal":
        return lambda x, seed, loc, scale: flatnoise.flatten_add_normal(
            x, seed, loc, scale, implementation="native"
        )
    return lambda x, seed, loc, scale: flatnoise.flatten_add_uniform(
        x, seed, loc, loc + scale, implementation="native"
    )


class Flatnoise(Peer):
    """flatnoise."""

    tensors = 2.1  # the input as NumPy and TensorFlow have it, then input and output
    works = on_tensorflow.WORKS

    def __init__(self, threads: int, device: str) -> None:
        """Sets TensorFlow up."""
        on_tensorflow.set_up(threads, device)
        self.version = flatnoise.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """One for each mode."""
        info = flatnoise.build_info()
        if not info["native_loaded"]:
            raise NotMeasured(f"the compiled op did not load: {info['native_error']}")
        tensors = on_tensorflow.make_tensors(case)
        return [self._contender(case, mode, tensors) for mode in on_tensorflow.modes(case)]

    def _contender(self, case: Case, mode: str, tensors: tuple[Any, ...]) -> Contender:
        reason = flatnoise.build_info()["xla_error"]
        if mode == "XLA" and reason is not None:

            def refuse() -> None:
                raise NotMeasured(f"the XLA kernels did not load: {reason}")

            return Contender(mode, refuse)
        return on_tensorflow.contender(case, _noise(case), mode, mode, tensors)
