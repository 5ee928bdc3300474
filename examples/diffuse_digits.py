"""Trains a diffusion model on scikit-learn's handwritten digits, and generates digits.

The method is that of denoising diffusion implicit models (Song, Meng and Ermon, 2020) with a cosine
schedule. In training, one pass of flatnoise's op mixes each digit with noise according to its
diffusion time. The same pass returns the noise, which the network learns to predict. Digits are
generated from pure noise in a few deterministic steps. The program reports the prediction error on
held-out digits and the Fréchet distance between generated and held-out digits in the features of a
classifier trained on real digits. It also draws digits at several steps of the generation.
"""

import argparse
import pathlib
import time

import keras
import numpy as np
import scipy.linalg
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import flatnoise

PIXELS = 64
HELD_OUT = 297
BATCH = 100
FEATURES = 32
WIDTH = 256
BLOCKS = 3
FREQUENCIES = np.geomspace(1, 100, 16, dtype=np.float32)
MAX_SIGNAL_RATE = 0.98
MIN_SIGNAL_RATE = 0.02


def rates(times: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Signal and noise rates at diffusion times in [0, 1]. Their squares sum to 1."""
    start, end = np.arccos(MAX_SIGNAL_RATE), np.arccos(MIN_SIGNAL_RATE)
    angles = start + times * (end - start)
    return tf.cos(angles), tf.sin(angles)


def embed(noise_rates: tf.Tensor) -> tf.Tensor:
    """Sinusoidal features of noise rates, with frequencies from low to high."""
    angles = noise_rates * FREQUENCIES
    return tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)


def build_network() -> keras.Model:
    """A network of residual dense blocks that predicts noise from digits and noise rates."""
    digits, embedded = keras.Input((PIXELS,)), keras.Input((2 * len(FREQUENCIES),))
    hidden = keras.layers.Dense(WIDTH)(digits)
    for _ in range(BLOCKS):
        branch = keras.layers.LayerNormalization()(hidden)
        branch = keras.layers.Dense(WIDTH)(branch) + keras.layers.Dense(WIDTH)(embedded)
        branch = keras.layers.Dense(WIDTH, kernel_initializer="zeros")(keras.ops.silu(branch))
        hidden = hidden + branch
    noise = keras.layers.Dense(PIXELS, kernel_initializer="zeros")(hidden)
    return keras.Model([digits, embedded], noise)


class DiffusionModel(keras.Model):
    """Learns to predict the noise in noisy digits, and removes it step by step."""

    def __init__(self, seed: int) -> None:
        """Initializes the model, with the seed for diffusion times and noise in training."""
        super().__init__()
        self.network = build_network()
        self.seed_generator = keras.random.SeedGenerator(seed)

    def predict_noise(self, noisy: tf.Tensor, noise_rates: tf.Tensor) -> tf.Tensor:
        """Predicts the noise (with standard deviation 1) in digits with these noise rates."""
        return self.network([noisy, embed(noise_rates)])

    def prediction_error(self, digits: tf.Tensor) -> tf.Tensor:
        """The mean squared error of the predicted noise, at random diffusion times."""
        times = flatnoise.uniform([tf.shape(digits)[0], 1], self.seed_generator)
        signal_rates, noise_rates = rates(times)
        noisy, noise = flatnoise.diffuse(
            digits, self.seed_generator, signal_rates, noise_rates, return_noise=True
        )
        return tf.reduce_mean(tf.square(noise - self.predict_noise(noisy, noise_rates)))

    def train_step(self, digits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Runs one step of the optimizer."""
        with tf.GradientTape() as tape:
            error = self.prediction_error(digits)
        weights = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(error, weights), weights, strict=True))
        return {"error": error}

    def generate(self, count: int, seed: int, steps: int) -> list[tf.Tensor]:
        """Generates digits from noise. Returns the noise and the state after each step."""
        states = [flatnoise.normal([count, PIXELS], seed)]
        times = tf.linspace(1.0, 0.0, steps + 1)[:, None, None]
        signal_rates, noise_rates = rates(tf.tile(times, [1, count, 1]))
        for step in range(steps):
            noise = self.predict_noise(states[-1], noise_rates[step])
            digits = (states[-1] - noise_rates[step] * noise) / signal_rates[step]
            states.append(signal_rates[step + 1] * digits + noise_rates[step + 1] * noise)
        return [*states[:-1], digits]


def train(digits: np.ndarray, epochs: int, seed: int) -> DiffusionModel:
    """Trains a model. Its weights are moving averages of the trained weights."""
    model = DiffusionModel(seed)
    decay = keras.optimizers.schedules.CosineDecay(3e-3, max(1, epochs * len(digits) // BATCH))
    model.compile(
        optimizer=keras.optimizers.AdamW(decay, weight_decay=0.01, use_ema=True, ema_momentum=0.99)
    )
    model.fit(digits, batch_size=BATCH, epochs=epochs, verbose=2)
    return model


def build_classifier() -> keras.Model:
    """A classifier whose second-to-last layer returns the features."""
    model = keras.Sequential(
        [
            keras.Input((PIXELS,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(FEATURES, activation="tanh"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """The Fréchet distance between normal fits to two sets of features."""
    means = [features.mean(axis=0) for features in (first, second)]
    covariances = [np.cov(features, rowvar=False) for features in (first, second)]
    root = np.real(scipy.linalg.sqrtm(covariances[0] @ covariances[1]))
    return float(
        np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    )


def draw(rows: dict[str, np.ndarray], path: pathlib.Path, columns: int = 12) -> None:
    """Writes a picture with one row of digits per entry."""
    figure = Figure(figsize=(columns * 0.9, len(rows) * 1.05), layout="constrained")
    axes = figure.subplots(len(rows), columns)
    for row_axes, (label, images) in zip(axes, rows.items(), strict=True):
        row_axes[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=10)
        for axis, image in zip(row_axes, images, strict=False):
            axis.imshow(np.reshape(image, (8, 8)), cmap="gray_r", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_color("0.8")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def to_images(digits: tf.Tensor) -> np.ndarray:
    """Converts digits from the model's range [-1, 1] to [0, 1]."""
    return np.clip((np.asarray(digits) + 1) / 2, 0, 1)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Train a diffusion model on digits.")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--steps", type=int, default=20, help="denoising steps per digit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default="demo/generated_digits.png")
    return parser.parse_args(arguments)


def main(command_line: list[str] | None = None) -> None:
    """Trains, generates, measures and draws."""
    arguments = parse_arguments(command_line)
    digits = load_digits()
    images, labels = digits.data.astype(np.float32) / 16, digits.target
    real, held_out = images[:-HELD_OUT], images[-HELD_OUT:]
    keras.utils.set_random_seed(0)
    classifier = build_classifier()
    classifier.fit(real, labels[:-HELD_OUT], epochs=30, verbose=0)
    features = keras.Model(classifier.inputs[0], classifier.layers[-2].output)

    keras.utils.set_random_seed(arguments.seed)
    start = time.perf_counter()
    model = train(2 * real - 1, arguments.epochs, arguments.seed)
    print(f"\nTrained in {time.perf_counter() - start:.0f} s")
    error = float(model.prediction_error(np.tile(2 * held_out - 1, [20, 1])))
    print(f"Mean squared error of the noise predicted in held-out digits: {error:.3f} of 1")

    states = [
        to_images(state) for state in model.generate(len(real), arguments.seed, arguments.steps)
    ]
    print(f"Fréchet distances from {HELD_OUT} held-out digits:")
    for name, each in {"trained on": real, "noise": states[0], "generated": states[-1]}.items():
        distance = frechet_distance(features(each).numpy(), features(held_out).numpy())
        print(f"  {name:<11}{distance:8.2f}")

    shown = sorted({round(part * arguments.steps / 4) for part in range(4)})
    rows = {"noise" if step == 0 else f"step {step}": states[step] for step in shown}
    rows |= {"generated": states[-1], "more": states[-1][12:], "held out": held_out}
    draw(rows, arguments.output)
    print(f"Wrote {arguments.output}")


if __name__ == "__main__":
    main()
