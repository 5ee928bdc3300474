"""The cost of noise in a training step: rate 0, Keras's layers, and patched Keras layers.

    python benchmarks/training.py [--models encoder mlp autoencoder] [--rounds N]

The models only use Keras layers. All three variants of a model alternate step by step in one
process. Peak memory is measured in a separate process per variant, during steps. The cost of noise
is the median difference to rate 0 within a round.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tabulate
import tensorflow as tf

import flatnoise
import machine
from rounds import add_rounds

Data = tuple[Any, Any]
Step = Callable[[], Any]

RATE = 0.1
RATE_0, KERAS, PATCHED = "rate 0", "Keras", "patched"
VARIANTS = (RATE_0, KERAS, PATCHED)


def encoder(rate: float) -> keras.Model:
    """A transformer encoder with 4 layers, width 256 and 128 tokens, with dropout in attention."""
    length, width, heads = 128, 256, 8
    tokens = keras.Input((length,), dtype="int32")
    x = keras.layers.Embedding(1000, width)(tokens)
    x = keras.layers.Dropout(rate)(x)
    for _ in range(4):
        attended = keras.layers.MultiHeadAttention(heads, width // heads, dropout=rate)(x, x)
        x = keras.layers.LayerNormalization()(x + keras.layers.Dropout(rate)(attended))
        inner = keras.layers.Dense(4 * width, activation="gelu")(x)
        inner = keras.layers.Dense(width)(keras.layers.Dropout(rate)(inner))
        x = keras.layers.LayerNormalization()(x + keras.layers.Dropout(rate)(inner))
    return keras.Model(tokens, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(x)))


def encoder_data(rng: np.random.Generator) -> Data:
    tokens = rng.integers(0, 1000, (16, 128))
    return tokens, (tokens < 500).mean(axis=1) > 0.5


def mlp(rate: float) -> keras.Model:
    """Three hidden layers of width 1024, each with dropout."""
    layers: list[Any] = [keras.Input((784,))]
    for _ in range(3):
        layers += [keras.layers.Dense(1024, activation="relu"), keras.layers.Dropout(rate)]
    return keras.Sequential([*layers, keras.layers.Dense(10)])


def mlp_data(rng: np.random.Generator) -> Data:
    x = rng.normal(size=(512, 784)).astype(np.float32)
    return x, np.argmax(x[:, :10], axis=1)


def autoencoder(rate: float) -> keras.Model:
    """A convolutional autoencoder for images [64, 64, 3] with Gaussian noise."""

    def convolution(filters: int) -> keras.layers.Layer:
        return keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")

    def transposed(filters: int) -> keras.layers.Layer:
        return keras.layers.Conv2DTranspose(
            filters, 3, strides=2, padding="same", activation="relu"
        )

    return keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            keras.layers.GaussianNoise(rate),
            convolution(16),
            keras.layers.GaussianNoise(rate),
            convolution(32),
            keras.layers.GaussianNoise(rate),
            transposed(16),
            transposed(3),
        ]
    )


def autoencoder_data(rng: np.random.Generator) -> Data:
    x, y = np.meshgrid(np.linspace(0, 3, 64), np.linspace(0, 3, 64))
    phases = rng.uniform(0, 6, (64, 1, 1, 3))
    images = 0.5 + 0.5 * np.sin(phases + (x * y)[None, :, :, None])
    return images.astype(np.float32), images.astype(np.float32)


CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
MODELS = {
    "encoder": (encoder, encoder_data, CROSSENTROPY),
    "mlp": (mlp, mlp_data, CROSSENTROPY),
    "autoencoder": (autoencoder, autoencoder_data, keras.losses.MeanSquaredError()),
}


def training_step(name: str, variant: str, jit_compile: bool) -> Step:
    """One step on one batch, already traced and run once, so that the patch is in its graph."""
    make, make_data, loss = MODELS[name]
    x, y = make_data(np.random.default_rng(1))
    batch = tf.constant(x), tf.constant(y)
    keras.utils.set_random_seed(1)
    model = make(0.0 if variant == RATE_0 else RATE)
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit_compile)
    with flatnoise.patch_keras() if variant == PATCHED else contextlib.nullcontext():
        model.train_on_batch(*batch)
    return lambda: model.train_on_batch(*batch)


def seconds(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def peak_memory(name: str, variant: str, jit_compile: bool) -> float:
    """The peak memory in MB of a process that runs the traced step."""
    program = f"import training; training.print_peak({name!r}, {variant!r}, {jit_compile})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=os.path.dirname(os.path.abspath(__file__)),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def print_peak(name: str, variant: str, jit_compile: bool) -> None:
    step = training_step(name, variant, jit_compile)
    for _ in range(3):
        step()
    machine.forget_peak()
    for _ in range(3):
        step()
    print(machine.memory("VmHWM") / 1e6)


def rows(name: str, jit_compile: bool, rounds: int) -> list[list[Any]]:
    steps = {variant: training_step(name, variant, jit_compile) for variant in VARIANTS}
    for step in steps.values():
        seconds(step)
    times: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for _ in range(rounds):
        for variant, step in steps.items():
            times[variant].append(1000 * seconds(step))
    costs = {
        variant: [a - b for a, b in zip(times[variant], times[RATE_0], strict=True)]
        for variant in (KERAS, PATCHED)
    }
    of_keras = statistics.median(costs[KERAS])
    found = []
    for variant in VARIANTS:
        first, median, third = statistics.quantiles(times[variant], n=4)
        row = [name, "XLA" if jit_compile else "graph", variant, median, first, third]
        if variant != RATE_0:
            cost = statistics.median(costs[variant])
            row += [cost, of_keras / cost if cost > 0 else float("inf")]
        found.append([*row, *[None] * (8 - len(row)), peak_memory(name, variant, jit_compile)])
    return found


HEADERS = (
    *("model", "mode", "noise", "ms a step", "quartile", "quartile"),
    *("cost of noise, ms", "Keras's cost / this", "peak memory, MB"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--models", choices=MODELS, nargs="+", default=list(MODELS))
    add_rounds(parser, default=30)
    options = parser.parse_args(arguments)
    about = machine.describe_with_keras(flatnoise.build_info(), keras.__version__)
    print(machine.title(about), "\n", flush=True)
    for name in options.models:
        found = [row for jit in (False, True) for row in rows(name, jit, options.rounds)]
        print(tabulate.tabulate(found, HEADERS, "github", floatfmt=".1f", missingval=""))
        print(flush=True)


if __name__ == "__main__":
    main()
