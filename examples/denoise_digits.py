"""Trains a denoising autoencoder on scikit-learn's handwritten digits.

The inputs are clean images. The first layer adds the noise that the model learns to remove. A
second noise layer flattens the encoder's output and adds a little noise. Both layers only add noise
in training. The program draws held-out digits and reports the gain in peak signal-to-noise ratio
(PSNR) and the cost of a training step with these layers, with stock TensorFlow ops and without
noise.
"""

import argparse
import functools
import pathlib
import statistics
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import flatnoise

IMAGE_NOISE = 0.3
CODE_NOISE = 0.1
HELD_OUT = 297
BATCH = 100

NoiseLayer = Callable[[float, bool], keras.layers.Layer]


class StockNoise(keras.layers.Layer):
    """The usual composition of stock ops: draws a tensor of noise, adds it and reshapes."""

    def __init__(self, stddev: float, flatten: bool) -> None:
        """Initializes the layer, with the arguments of the flatnoise layers below."""
        super().__init__()
        self.stddev = stddev
        self.flatten = flatten

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Adds noise in training. Always flattens if `flatten` is set."""
        outputs = inputs
        if training:
            outputs += tf.random.normal(tf.shape(inputs), stddev=self.stddev, dtype=inputs.dtype)
        if self.flatten:
            outputs = tf.reshape(outputs, [tf.shape(inputs)[0], np.prod(inputs.shape[1:])])
        return outputs


def fused_noise(stddev: float, flatten: bool, seed: int | None = None) -> keras.layers.Layer:
    """The layer of flatnoise, with the compiled op if it is available."""
    return flatnoise.layers.AddGaussianNoise(
        stddev=stddev,
        flatten=flatten,
        training_only=True,
        seed=seed,
        implementation="native" if flatnoise.build_info()["native_loaded"] else "tensorflow",
    )


def no_noise(stddev: float, flatten: bool) -> keras.layers.Layer:
    """A layer without noise, for comparison."""
    return keras.layers.Flatten() if flatten else keras.layers.Identity()


def psnr(clean: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """The peak signal-to-noise ratio of each image in dB."""
    return tf.image.psnr(clean, images, max_val=1.0)


def build_model(noise: NoiseLayer, jit_compile: bool = False) -> keras.Model:
    """A small convolutional autoencoder with noise in training.

    XLA is off by default, so that the timed models run their own ops.
    """
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            noise(IMAGE_NOISE, False),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            noise(CODE_NOISE, True),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(64, activation="sigmoid"),
            keras.layers.Reshape((8, 8, 1)),
        ]
    )
    model.compile(optimizer="adam", loss="mse", metrics=[psnr], jit_compile=jit_compile)
    return model


def load_images() -> tuple[np.ndarray, np.ndarray]:
    """Training and held-out images in [0, 1]."""
    images = load_digits().images.astype(np.float32)[..., None] / 16
    return images[:-HELD_OUT], images[-HELD_OUT:]


def mean_psnr(clean: np.ndarray, images: np.ndarray) -> float:
    """The PSNR in dB over all pixels of all images."""
    return float(-10 * np.log10(np.mean(np.square(clean - images))))


def training_steps(
    noise: NoiseLayer, images: np.ndarray, jit_compile: bool = False
) -> Callable[[int], float]:
    """Returns a function that runs training steps and returns the seconds per step."""
    model = build_model(noise, jit_compile)
    model.make_train_function()
    batch = tf.constant(images[:BATCH])
    batches: Iterator[tf.Tensor] = iter(tf.data.Dataset.from_tensors((batch, batch)).repeat())

    def run(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            model.train_function(batches)
        return (time.perf_counter() - start) / steps

    return run


def time_steps(images: np.ndarray, rounds: int, steps: int = 5) -> dict[str, float]:
    """Median milliseconds per training step, alternating between the models."""
    runs = {
        "no noise": training_steps(no_noise, images),
        "flatnoise": training_steps(fused_noise, images),
        "stock TensorFlow": training_steps(StockNoise, images),
    }
    for run in runs.values():
        run(20)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(1000 * run(steps))
    return {name: statistics.median(of_model) for name, of_model in times.items()}


def draw(rows: dict[str, np.ndarray], path: pathlib.Path, columns: int = 12) -> None:
    """Writes a picture with one row of digits per entry."""
    figure = Figure(figsize=(columns * 0.9, len(rows) * 1.05), layout="constrained")
    axes = figure.subplots(len(rows), columns)
    for row_axes, (label, images) in zip(axes, rows.items(), strict=True):
        row_axes[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=10)
        for axis, image in zip(row_axes, images, strict=False):
            axis.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_color("0.8")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Train a denoising autoencoder on digits.")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=100, help="number of timing rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default="demo/denoised_digits.png")
    return parser.parse_args(arguments)


def describe_implementation() -> str:
    """Describes the implementation of the noise and its origin."""
    info = flatnoise.build_info()
    if not info["native_loaded"]:
        return f"stock TensorFlow ops, because {info['native_error']}"
    return f"the compiled op, instruction set {info['instruction_set']}"


def main(command_line: list[str] | None = None) -> None:
    """Trains, draws and measures."""
    arguments = parse_arguments(command_line)
    keras.utils.set_random_seed(arguments.seed)
    train, clean = load_images()
    noisy = flatnoise.flatten_add_normal(
        clean, seed=[arguments.seed, 0], stddev=IMAGE_NOISE, flatten=False
    ).numpy()

    print(f"flatnoise {flatnoise.__version__}, TensorFlow {tf.__version__}")
    print(f"Noise by {describe_implementation()}")
    print(f"{len(train)} digits to train on, {len(clean)} held out\n")
    model = build_model(functools.partial(fused_noise, seed=arguments.seed))
    model.fit(
        train, train, batch_size=BATCH, epochs=arguments.epochs, validation_data=(noisy, clean)
    )
    denoised = model.predict(noisy, verbose=0)

    before, after = mean_psnr(clean, noisy), mean_psnr(clean, denoised)
    rows = {
        "clean": clean,
        f"noisy\n{before:.1f} dB": noisy,
        f"denoised\n{after:.1f} dB": denoised,
    }
    draw(rows, arguments.output)
    print(f"\nPSNR on held-out digits: noisy {before:.2f} dB, denoised {after:.2f} dB,", end=" ")
    print(f"a gain of {after - before:.2f} dB")
    print(f"Wrote {arguments.output}")

    times = time_steps(train, arguments.rounds)
    print(f"\nTime per training step of {BATCH} digits (median, taking turns):")
    for name, milliseconds in times.items():
        extra = 1000 * (milliseconds - times["no noise"])
        print(f"  {name:<17}{milliseconds:7.3f} ms   noise costs {extra:6.0f} us")


if __name__ == "__main__":
    main()
