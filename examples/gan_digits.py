"""Trains generative adversarial networks on scikit-learn's digits, with and without noise layers.

With noise layers, the discriminator sees real and generated digits through `AddGaussianNoise`
("instance noise"; Sønderby et al., 2017), so that it can't distinguish them by details that noise
would hide. The generator's hidden layers have `LearnedGaussianNoise`, similar to the noise inputs
of StyleGAN (Karras et al., 2019). Both variants are trained for the same number of steps, with
several seeds. The program reports the Fréchet distances between generated and held-out digits in
the features of a classifier trained on real digits, and draws generated digits.
"""

import argparse
import pathlib
import statistics

import keras
import numpy as np
import scipy.linalg
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import flatnoise

CODE = 32
PIXELS = 64
HELD_OUT = 297
BATCH = 100
INSTANCE_NOISE = 0.3
FEATURES = 32


def build_generator(noisy: bool, seed: int) -> keras.Model:
    """A network from codes to flat digits in [0, 1]."""
    layers: list[keras.layers.Layer] = [keras.Input((CODE,))]
    for number in range(2):
        layers.append(keras.layers.Dense(128))
        if noisy:
            layers.append(flatnoise.layers.LearnedGaussianNoise(stddev=0.05, seed=seed + number))
        layers.append(keras.layers.LeakyReLU(0.2))
    return keras.Sequential([*layers, keras.layers.Dense(PIXELS, activation="sigmoid")])


def build_discriminator(noisy: bool, seed: int) -> keras.Model:
    """A network from flat digits to logits, which are positive for real digits."""
    layers: list[keras.layers.Layer] = [keras.Input((PIXELS,))]
    if noisy:
        layers.append(
            flatnoise.layers.AddGaussianNoise(
                stddev=INSTANCE_NOISE, training_only=True, seed=seed + 100
            )
        )
    for _ in range(2):
        layers += [keras.layers.Dense(128), keras.layers.LeakyReLU(0.2)]
    return keras.Sequential([*layers, keras.layers.Dense(1)])


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The mean loss of logits."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


class Gan(keras.Model):
    """A generator and a discriminator, trained against each other."""

    def __init__(self, noisy: bool, seed: int) -> None:
        """Initializes the networks, with or without noise layers, and the seed of their noise."""
        super().__init__()
        self.generator = build_generator(noisy, seed)
        self.discriminator = build_discriminator(noisy, seed)
        self.codes = keras.random.SeedGenerator(seed)
        self.generator_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)
        self.discriminator_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)

    def generate(self, count: int) -> tf.Tensor:
        """Generates digits."""
        return self.generator(keras.random.normal((count, CODE), seed=self.codes), training=True)

    def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        """Runs one step of each network."""
        with tf.GradientTape(persistent=True) as tape:
            generated = self.generate(BATCH)
            on_real = self.discriminator(real, training=True)
            on_generated = self.discriminator(generated, training=True)
            told_apart = cross_entropy(tf.ones_like(on_real), on_real) + cross_entropy(
                tf.zeros_like(on_generated), on_generated
            )
            fooled = cross_entropy(tf.ones_like(on_generated), on_generated)
        for loss, network, optimizer in [
            (told_apart, self.discriminator, self.discriminator_optimizer),
            (fooled, self.generator, self.generator_optimizer),
        ]:
            weights = network.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"discriminator": told_apart, "generator": fooled}


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
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """The Fréchet distance between normal fits to two sets of features."""
    means = [features.mean(axis=0) for features in (first, second)]
    covariances = [np.cov(features, rowvar=False) for features in (first, second)]
    root = np.real(scipy.linalg.sqrtm(covariances[0] @ covariances[1]))
    return float(
        np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    )


def train(noisy: bool, seed: int, real: np.ndarray, epochs: int) -> Gan:
    """Trains a pair of networks."""
    keras.utils.set_random_seed(seed)
    gan = Gan(noisy, seed)
    gan.compile(jit_compile=False)
    batches = tf.data.Dataset.from_tensor_slices(real).shuffle(len(real), seed=seed)
    gan.fit(batches.batch(BATCH, drop_remainder=True), epochs=epochs, shuffle=False, verbose=0)
    return gan


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


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Train GANs on digits, with and without noise.")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3, help="number of training pairs")
    parser.add_argument("--output", type=pathlib.Path, default="demo/gan_digits.png")
    return parser.parse_args(arguments)


def main(command_line: list[str] | None = None) -> None:
    """Trains, measures and draws."""
    arguments = parse_arguments(command_line)
    digits = load_digits()
    images, labels = digits.data.astype(np.float32) / 16, digits.target
    real, held_out = images[:-HELD_OUT], images[-HELD_OUT:]
    keras.utils.set_random_seed(0)
    classifier = build_classifier()
    classifier.fit(real, labels[:-HELD_OUT], epochs=30, verbose=0)
    accuracy = classifier.evaluate(held_out, labels[-HELD_OUT:], verbose=0)[1]
    features = keras.Model(classifier.inputs[0], classifier.layers[-2].output)

    def distance(digits: np.ndarray) -> float:
        """The distance to held-out digits."""
        return frechet_distance(features(digits).numpy(), features(held_out).numpy())

    print(f"Fréchet distances from {HELD_OUT} held-out digits, in {FEATURES} features of a")
    print(f"classifier that is right on {accuracy:.3f} of them:")
    print(f"  {'digits trained on':<24}{distance(real):8.2f}")
    untrained = Gan(True, 0).generate(len(real))
    print(f"  {'an untrained generator':<24}{distance(untrained):8.2f}")
    rows = {"held out": held_out}
    for name, noisy in {"without noise layers": False, "with noise layers": True}.items():
        distances = []
        for seed in range(1, arguments.seeds + 1):
            generated = train(noisy, seed, real, arguments.epochs).generate(len(real)).numpy()
            distances.append(distance(generated))
        each = ", ".join(f"{value:.2f}" for value in distances)
        print(f"  {name:<24}{statistics.median(distances):8.2f}   (median of {each})", flush=True)
        rows[name.replace(" noise", "\nnoise")] = generated
    draw(rows, arguments.output)
    print(f"Wrote {arguments.output}")


if __name__ == "__main__":
    main()
