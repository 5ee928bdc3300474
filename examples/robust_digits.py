"""Trains noise-robust classifiers on scikit-learn's digits, with a learned noise level.

Three networks with the same architecture are trained on the same clean digits: one without noise,
one with noise of a fixed level (`AddGaussianNoise`) and one with a learned noise level per pixel
(`LearnedGaussianNoise`). A regularizer rewards noise, and the loss limits it where it hurts
accuracy. The program reports the accuracies on held-out digits for increasing noise, and draws the
learned levels.
"""

import argparse
import pathlib

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import flatnoise

START = 0.2
HELD_OUT = 297
BATCH = 100
TEST_LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8)
DRAWS = 10


@keras.saving.register_keras_serializable(package="robust_digits")
def noise_layers(seed: int) -> dict[str, keras.layers.Layer]:
    """The first layers of the three networks."""
    return {
        "no noise": keras.layers.Identity(),
        "fixed noise": flatnoise.layers.AddGaussianNoise(
            stddev=START, training_only=True, seed=seed
        ),
        "learned noise": flatnoise.layers.LearnedGaussianNoise(
            stddev=START,
            axis=(1, 2, 3),
            stddev_regularizer=flatnoise.regularizers.NoiseEntropy(4e-3),
            training_only=True,
            seed=seed,
        ),
    }


def build_model(noise: keras.layers.Layer) -> keras.Model:
    """A small convolutional classifier after a noise layer."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            noise,
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss=loss, metrics=["accuracy"])
    return model


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Images in [0, 1] and their labels."""
    digits = load_digits()
    return digits.images.astype(np.float32)[..., None] / 16, digits.target


def accuracy_under_noise(
    model: keras.Model, images: np.ndarray, labels: np.ndarray, stddev: float
) -> float:
    """The mean accuracy over several draws of noise, the same for every model."""
    repeated = np.repeat(images, DRAWS, axis=0)
    noisy = flatnoise.flatten_add_normal(repeated, seed=[17, 0], stddev=stddev, flatten=False)
    predicted = np.argmax(model.predict(noisy, batch_size=1000, verbose=0), axis=-1)
    return float(np.mean(predicted == np.repeat(labels, DRAWS)))


def draw(mean_digit: np.ndarray, stddev: np.ndarray, path: pathlib.Path) -> None:
    """Writes a picture of the mean digit next to the learned noise levels."""
    figure = Figure(figsize=(6.4, 3), layout="constrained")
    panels = {"mean digit": (mean_digit, "gray_r"), "learned standard deviation": (stddev, None)}
    for axis, (title, (image, colours)) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        shown = axis.imshow(image[..., 0], cmap=colours)
        axis.set(title=title, xticks=[], yticks=[])
        figure.colorbar(shown, ax=axis, shrink=0.8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Train noise-robust classifiers of digits.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default="demo/robust_digits.png")
    return parser.parse_args(arguments)


def main(command_line: list[str] | None = None) -> None:
    """Trains, compares and draws."""
    arguments = parse_arguments(command_line)
    images, labels = load_data()
    train, train_labels = images[:-HELD_OUT], labels[:-HELD_OUT]
    held_out, held_out_labels = images[-HELD_OUT:], labels[-HELD_OUT:]

    levels = "".join(f"{level:>8}" for level in TEST_LEVELS)
    print(f"Accuracy on {HELD_OUT} held-out digits, pixels in [0, 1], under noise of stddev")
    print(f"  {'trained with':<15}{levels}")
    layers = noise_layers(arguments.seed)
    for name, layer in layers.items():
        keras.utils.set_random_seed(arguments.seed)
        model = build_model(layer)
        model.fit(train, train_labels, batch_size=BATCH, epochs=arguments.epochs, verbose=0)
        accuracies = [
            accuracy_under_noise(model, held_out, held_out_labels, level) for level in TEST_LEVELS
        ]
        print(f"  {name:<15}" + "".join(f"{accuracy:8.3f}" for accuracy in accuracies))

    stddev = layers["learned noise"].stddev.numpy()
    quartiles = np.round(np.quantile(stddev, [0, 0.25, 0.5, 0.75, 1]), 2)
    print(f"Learned standard deviations, from {START}: quartiles {quartiles}")
    draw(train.mean(axis=0), stddev, arguments.output)
    print(f"Wrote {arguments.output}")


if __name__ == "__main__":
    main()
