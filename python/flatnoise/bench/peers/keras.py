"""Keras's own layers, GaussianNoise and Flatten, on TensorFlow."""

from typing import Any

import keras
import tensorflow as tf

from flatnoise.bench import cases
from flatnoise.bench.cases import Case
from flatnoise.bench.peers import Contender, NotMeasured, Peer, on_tensorflow


class Keras(Peer):
    """Keras."""

    def __init__(self, threads: int, device: str) -> None:
        """Sets TensorFlow up."""
        on_tensorflow.set_up(threads, device)
        self.version = keras.__version__

    def contenders(self, case: Case) -> list[Contender]:
        """The two layers in each mode."""
        if case.distribution != "normal":
            raise NotMeasured(f"Keras has no layer that adds {case.distribution} noise")
        noise = keras.layers.GaussianNoise(cases.SCALE, dtype=case.dtype)
        flatten = keras.layers.Flatten(dtype=case.dtype)

        def layers(x: Any) -> Any:
            return flatten(noise(x, training=True))

        x = tf.constant(cases.make_input(case))
        return [
            Contender(mode, on_tensorflow.to_completion(on_tensorflow.in_mode(layers, mode), (x,)))
            for mode in on_tensorflow.modes(case)
        ]
