"""Exports a classifier that adds noise at serving time, and serves it without flatnoise.

The classifier averages over noisy copies of each digit ("randomized smoothing"; Cohen, Rosenfeld,
Kolter, 2019), so the noise is part of the served model. It is trained with the compiled op and
exported twice: unchanged, and with `implementation="tensorflow"`, which uses only stock TensorFlow
ops. Another process, which can't import flatnoise, loads both. The program reports that process's
error for the first model, and the difference of its results for the second from the results here.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import keras
import numpy as np
from sklearn.datasets import load_digits

import flatnoise

NOISE = 0.3
HELD_OUT = 297
BATCH = 100
VOTES = 32

SERVER = """
import sys

sys.modules["flatnoise"] = None  # from here on, importing it fails
import numpy as np
import tensorflow as tf

folder, digits, votes = sys.argv[1:]
try:
    import flatnoise
except ImportError as error:
    print(f"flatnoise in this process: {error}")
model = tf.saved_model.load(folder)
images = tf.constant(np.load(digits))
answers = [model.serve(images).numpy() for _ in range(int(votes))]
np.save(digits, answers)
"""


def build_model(seed: int) -> keras.Model:
    """A classifier that adds noise in training and inference."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            flatnoise.layers.AddGaussianNoise(stddev=NOISE, flatten=True, seed=seed),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def with_stock_ops(model: keras.Model) -> keras.Model:
    """The same model, weights and noise state, with noise from stock ops."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if "implementation" in config:
            config["implementation"] = "tensorflow"
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    for mine, its in zip(copy.layers, model.layers, strict=True):
        if isinstance(its, flatnoise.layers.AddGaussianNoise):
            mine.seed_generator.state.assign(its.seed_generator.state)
    return copy


def serve_elsewhere(
    folder: pathlib.Path, images: np.ndarray, votes: int
) -> tuple[np.ndarray | None, str]:
    """The results from another process, or `None`, and its last line of output."""
    digits = folder.parent / f"{folder.name}.npy"
    np.save(digits, images)
    command = [sys.executable, "-c", SERVER, str(folder), str(digits), str(votes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1]
    return np.load(digits), done.stdout.strip()


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of digits whose most probable class is correct."""
    return float(np.mean(np.argmax(probabilities, axis=-1) == labels))


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Serve a noisy classifier without flatnoise.")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, help="folder for the SavedModels")
    return parser.parse_args(arguments)


def main(command_line: list[str] | None = None) -> None:
    """Trains, exports, serves in another process and compares."""
    arguments = parse_arguments(command_line)
    keras.utils.set_random_seed(arguments.seed)
    digits = load_digits()
    images, labels = digits.images.astype(np.float32)[..., None] / 16, digits.target
    held_out, held_out_labels = images[-HELD_OUT:], labels[-HELD_OUT:]
    model = build_model(arguments.seed)
    model.fit(
        images[:-HELD_OUT],
        labels[:-HELD_OUT],
        batch_size=BATCH,
        epochs=arguments.epochs,
        verbose=0,
    )

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(arguments.output or scratch).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        stock = with_stock_ops(model)
        model.export(folder / "compiled_op", verbose=False)
        stock.export(folder / "stock_ops", verbose=False)
        _, complaint = serve_elsewhere(folder / "compiled_op", held_out, VOTES)
        answers, said = serve_elsewhere(folder / "stock_ops", held_out, VOTES)

    print(f"Exported as it is:\n  {complaint}")
    print(f'Exported with implementation="tensorflow":\n  {said}')
    if answers is None:
        raise SystemExit("The SavedModel of stock ops could not be served.")
    here = np.stack([stock(held_out).numpy() for _ in range(VOTES)])
    print(f"  largest difference from the answers given here: {np.max(np.abs(answers - here)):.1e}")
    print("  accuracy of one answer:                         ", end="")
    print(f"{np.mean([accuracy(answer, held_out_labels) for answer in answers]):.3f}")
    print(f"  accuracy of the mean of {VOTES} answers:              ", end="")
    print(f"{accuracy(answers.mean(axis=0), held_out_labels):.3f}")


if __name__ == "__main__":
    main()
