"""Checks that an installed flatnoise loads the compiled op, and that it matches stock ops.

The arguments are the TensorFlow versions with XLA kernels.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

import flatnoise
from flatnoise._src import report


def check_build() -> None:
    """Prints the report and checks that everything was loaded."""
    print(report.as_text(report.facts()))
    info = flatnoise.build_info()
    assert info["native_loaded"], info["native_error"]
    running = ".".join(tf.version.VERSION.split(".")[:2])
    assert info["xla_loaded"] == (running in sys.argv[1:]), info["xla_error"]


def check_functions() -> None:
    """Compares the compiled op with stock ops."""
    x = tf.random.stateless_normal([16, 32, 32, 3], seed=[3, 4])
    for add_noise, arguments, tolerance in [
        (flatnoise.flatten_add_normal, (0.5, 2.0), 1e-5),
        (flatnoise.flatten_add_uniform, (-1.0, 1.0), 0.0),
    ]:
        native = add_noise(x, [1, 2], *arguments, implementation="native")
        stock = add_noise(x, [1, 2], *arguments, implementation="tensorflow")
        difference = np.max(np.abs(native - stock))
        print(f"{add_noise.__name__}: {native.shape}, largest difference {difference:.2g}")
        assert native.shape == (16, 3072)
        assert difference <= tolerance
        assert np.ptp(native - tf.reshape(x, [16, 3072])) > 1.9


def check_training(jit_compile: bool) -> None:
    """Trains a classifier of noisy squares, half of which are brighter."""
    labels = np.arange(512) % 2
    images = np.random.default_rng(0).normal(labels[:, None, None], 0.5, (512, 8, 8))
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            flatnoise.layers.AddGaussianNoise(stddev=0.1),
            flatnoise.layers.AddUniformNoise(),
            keras.layers.Dense(2),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"], jit_compile=jit_compile)
    history = model.fit(images.astype(np.float32), labels, epochs=10, verbose=0).history
    accuracy = history["accuracy"][-1]
    print(f"fit(jit_compile={jit_compile}): accuracy {accuracy:.2f}")
    assert accuracy > 0.9


def main() -> None:
    """Runs all checks. Raises an error if one fails."""
    keras.utils.set_random_seed(1)
    check_build()
    check_functions()
    check_training(jit_compile=False)
    check_training(jit_compile=True)
    print("The package works.")


if __name__ == "__main__":
    main()
