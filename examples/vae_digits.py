"""Trains a variational autoencoder on scikit-learn's handwritten digits.

The sampling step, `mean + exp(log_var / 2) * noise`, is one pass of flatnoise's op. The decoder's
inputs are codes with additional noise, whose level is learned for each element of the code. The
program reports the evidence lower bound (ELBO) on held-out digits and the cost of the sampling step
compared with stock TensorFlow, and draws reconstructed and generated digits.
"""

import argparse
import pathlib
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import flatnoise

PIXELS = 64
CODE = 8
HELD_OUT = 297
BATCH = 100

Sample = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def sample(mean: tf.Tensor, log_var: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Samples one normal distribution per element. Differentiable in both parameters.

    The op accepts one standard deviation per feature. In a single row, every element is a feature.
    """
    stddev = tf.reshape(tf.exp(log_var / 2), [-1])
    row = flatnoise.flatten_add_normal(tf.reshape(mean, [1, -1]), seed, stddev=stddev)
    return tf.reshape(row, tf.shape(mean))


def stock_sample(mean: tf.Tensor, log_var: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """The same with stock ops. The noise is a separate tensor, kept for the backward pass."""
    noise = tf.random.stateless_normal(tf.shape(mean), seed, alg="philox")
    return mean + tf.exp(log_var / 2) * noise


class Sampling(keras.layers.Layer):
    """Samples codes, and adds the divergence of their distribution from the prior to the loss."""

    def __init__(self, seed: int) -> None:
        """Initializes the seed of the noise."""
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Samples codes from their means and log variances."""
        mean, log_var = inputs
        divergence = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_var) - 1 - log_var, -1)
        self.add_loss(tf.reduce_mean(divergence))
        return sample(mean, log_var, self.seed_generator.next())


def negative_log_likelihood(images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The negative log-likelihood in nats per image, with pixels as probabilities."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
    return tf.reduce_sum(losses, -1)


def build_model(seed: int) -> tuple[keras.Model, keras.Model]:
    """The autoencoder and its decoder."""
    decoder = keras.Sequential(
        [
            keras.Input((CODE,)),
            flatnoise.layers.LearnedGaussianNoise(stddev=0.1, training_only=True, seed=seed),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(PIXELS),
        ]
    )
    images = keras.Input((PIXELS,))
    hidden = keras.layers.Dense(128, activation="relu")(images)
    mean, log_var = keras.layers.Dense(CODE)(hidden), keras.layers.Dense(CODE)(hidden)
    model = keras.Model(images, decoder(Sampling(seed)((mean, log_var))))
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss=negative_log_likelihood)
    return model, decoder


def load_images() -> tuple[np.ndarray, np.ndarray]:
    """Flat training and held-out images in [0, 1]."""
    images = load_digits().data.astype(np.float32) / 16
    return images[:-HELD_OUT], images[-HELD_OUT:]


def elbo(model: keras.Model, images: np.ndarray) -> float:
    """The evidence lower bound in nats per image."""
    return -float(model.evaluate(images, images, batch_size=len(images), verbose=0))


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
    figure.savefig(path, dpi=160)


def sampling_function(function: Sample, shape: tuple[int, int]) -> Callable[[], None]:
    """Returns a function that samples once, forward and backward."""
    mean, log_var = tf.zeros(shape), tf.zeros(shape)

    @tf.function
    def run(mean: tf.Tensor, log_var: tf.Tensor, seed: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([mean, log_var])
            code = function(mean, log_var, seed)
        return tape.gradient(code, [mean, log_var], output_gradients=mean)

    seed = tf.constant([1, 2])
    return lambda: run(mean, log_var, seed)


def time_sampling(shape: tuple[int, int] = (4096, 1024), rounds: int = 15) -> dict[str, float]:
    """Median milliseconds of a forward and backward sampling step, alternating between both."""
    runs = {
        "flatnoise": sampling_function(sample, shape),
        "stock TensorFlow": sampling_function(stock_sample, shape),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number > 0:  # the first run traces
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(samples) for name, samples in times.items()}


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Train a variational autoencoder on digits.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default="demo/vae_digits.png")
    return parser.parse_args(arguments)


def main(command_line: list[str] | None = None) -> None:
    """Trains, draws and measures."""
    arguments = parse_arguments(command_line)
    keras.utils.set_random_seed(arguments.seed)
    train, held_out = load_images()
    model, decoder = build_model(arguments.seed)
    before = elbo(model, held_out)
    model.fit(train, train, batch_size=BATCH, epochs=arguments.epochs, verbose=2)
    print(f"\nELBO on held-out digits: {before:.2f} nats before, {elbo(model, held_out):.2f} after")
    print(f"Learned levels of noise: {np.round(decoder.layers[0].stddev, 3)}")

    codes = flatnoise.flatten_add_normal(np.zeros((12, CODE), np.float32), [arguments.seed, 0])
    rows = {
        "held out": held_out,
        "reconstructed": keras.ops.sigmoid(model.predict(held_out, verbose=0)),
        "invented": keras.ops.sigmoid(decoder(codes)),
    }
    draw({name: np.asarray(images) for name, images in rows.items()}, arguments.output)
    print(f"Wrote {arguments.output}")

    shape = (4096, 1024)
    print(f"\nSampling {shape[0]}×{shape[1]} codes, forward and backward (median, taking turns):")
    for name, milliseconds in time_sampling(shape).items():
        print(f"  {name:<17}{milliseconds:7.2f} ms")


if __name__ == "__main__":
    main()
