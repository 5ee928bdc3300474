"""Stock TensorFlow: reshape and add `tf.random`'s noise, stateful or stateless, in every mode."""

from typing import Any

import tensorflow as tf

from flatnoise.bench.cases import Case
from flatnoise.bench.peers import Contender, Peer, on_tensorflow


def _random(case: Case, stateless: bool) -> on_tensorflow.Function:
    """Noise of a shape; numbers for loc and scale go into the op, as users write it."""
    draw = getattr(tf.random, ("stateless_" if stateless else "") + case.distribution)

    def noise(shape: Any, seed: Any, loc: Any, scale: Any) -> Any:
        bounds = (loc, scale) if case.distribution == "normal" else (loc, loc + scale)
        seeds = (seed,) if stateless else ()
        if isinstance(scale, float):
            return draw(shape, *seeds, *bounds, dtype=case.dtype)
        return loc + scale * draw(shape, *seeds, dtype=case.dtype)

    return noise


def _noise(case: Case, stateless: bool) -> on_tensorflow.Function:
    random = _random(case, stateless)

    def add_noise(x: Any, seed: Any, loc: Any, scale: Any) -> Any:
        rows = tf.reshape(x, [tf.shape(x)[0], -1])
        return rows + random(tf.shape(rows), seed, loc, scale)

    return add_noise


class TensorFlow(Peer):
    """TensorFlow as it comes."""

    works = on_tensorflow.WORKS

    def __init__(self, threads: int, device: str) -> None:
        """Sets TensorFlow up."""
        on_tensorflow.set_up(threads, device)
        self.version = tf.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """Both kinds of noise in each mode, and a sum that makes no noise."""
        x, seed, loc, scale = on_tensorflow.make_tensors(case)
        tensors = x, seed, tf.cast(loc, case.dtype), tf.cast(scale, case.dtype)
        found = []
        for mode in on_tensorflow.modes(case):
            # XLA makes both kinds of noise alike, and takes seconds over large tensors.
            for kind in ("stateless",) if mode == "XLA" else ("stateful", "stateless"):
                noise = _noise(case, kind == "stateless")
                found.append(on_tensorflow.contender(case, noise, f"{mode} {kind}", mode, tensors))
        if case.is_one_pass:
            found.append(self._add_zero(x))
        return found

    def _add_zero(self, x: Any) -> Contender:
        zero = tf.zeros([], x.dtype)  # a tensor, lest the graph's optimiser leave the sum out
        function = tf.function(lambda x, zero: x + zero, autograph=False)
        return Contender("x + 0", on_tensorflow.to_completion(function, (x, zero)), is_copy=True)
