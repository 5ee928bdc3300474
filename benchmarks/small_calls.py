"""Times eager calls on a small tensor, where a call's overhead is nearly all of its time.

    python benchmarks/small_calls.py [--rounds N]

The calls alternate. Results are medians with quartiles.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tabulate
import tensorflow as tf

import flatnoise
import machine
from rounds import add_rounds

SHAPE = (8, 8)
CALLS = 100  # in a sample
RATE = 0.1


class PlusOne(keras.layers.Layer):
    """The least that a Keras layer with this signature can do."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return inputs + 1.0


def calls() -> dict[str, Callable[[], Any]]:
    """The calls by name. All add noise to the same tensor, or 1."""
    x = tf.zeros(SHAPE)
    seed = tf.constant([1, 2], tf.int64)
    layers = {
        "a layer that returns x + 1": PlusOne(),
        "flatnoise.layers.AddGaussianNoise": flatnoise.layers.AddGaussianNoise(stddev=RATE, seed=1),
        "keras.layers.GaussianNoise": keras.layers.GaussianNoise(RATE, seed=1),
        "flatnoise.layers.Dropout": flatnoise.layers.Dropout(RATE, seed=1),
        "keras.layers.Dropout": keras.layers.Dropout(RATE, seed=1),
    }
    return {
        "x + 1": lambda: x + 1.0,
        "flatten_add_normal, a tensor as seed": lambda: flatnoise.flatten_add_normal(x, seed),
        "flatten_add_normal, a list as seed": lambda: flatnoise.flatten_add_normal(x, [1, 2]),
        "x + tf.random.normal": lambda: x + tf.random.normal(SHAPE),
        "x + tf.random.stateless_normal": lambda: x + tf.random.stateless_normal(SHAPE, seed),
    } | {name: lambda layer=layer: layer(x, training=True) for name, layer in layers.items()}


def microseconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - start) / CALLS * 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add_rounds(parser, default=50)
    rounds = parser.parse_args(arguments).rounds
    found = calls()
    for call in found.values():
        microseconds(call)
    samples: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, call in found.items():
            samples[name].append(microseconds(call))
    about = machine.describe_with_keras(flatnoise.build_info(), keras.__version__)
    print(machine.title(about), "\n")
    rows = []
    for name, times in samples.items():
        first, median, third = statistics.quantiles(times, n=4)
        rows.append([name, median, first, third])
    headers = [f"eager call on {SHAPE[0]}×{SHAPE[1]}", "µs", "quartile", "quartile"]
    print(tabulate.tabulate(rows, headers, "github", floatfmt=".0f"))


if __name__ == "__main__":
    main()
