"""Checks the package if TF_USE_LEGACY_KERAS=1 makes `tf.keras` Keras 2.

A separate program, because TensorFlow reads the variable only once. The last line lists the checks.
"""

import importlib.util
import os
import warnings

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import keras
import numpy as np
import tensorflow as tf

import flatnoise
from flatnoise import layers

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)


def error_of(call, *arguments):
    try:
        call(*arguments)
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("nothing was raised")


def check_functions():
    plain = flatnoise.flatten_add_normal(X, 42)
    assert (plain.numpy() != X).any()
    traced = tf.function(lambda x: flatnoise.flatten_add_normal(x, 42))
    np.testing.assert_array_equal(traced(X), plain)


def check_layers():
    """Layers warn once that they need Keras 3, and work in models of Keras 3."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        noise = [layers.AddGaussianNoise(seed=1), layers.AddUniformNoise(seed=2)]
    ours = [str(each.message) for each in seen if "flatnoise" in str(each.message)]
    assert len(ours) == 1 and "layers of Keras 3" in ours[0], ours
    assert seen[0].filename == __file__, seen[0].filename
    model = keras.Sequential([keras.Input((6,)), *noise, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(X, X[:, :1], epochs=1, verbose=0)


def check_keras_2():
    class Noisy(tf.keras.layers.Layer):
        def call(self, x):
            return flatnoise.flatten_add_normal(x, tf.random.uniform([2], 0, 9999, tf.int32))

    inputs = tf.keras.Input((6,))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(Noisy()(inputs)))
    model.compile(optimizer="sgd", loss="mse")
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    assert (model(X).numpy() != model(X).numpy()).any()

    for call in (
        layers.AddGaussianNoise(),
        lambda x: flatnoise.flatten_add_normal(x, 42),
    ):
        message = error_of(call, inputs)
        assert "flatnoise.layers are layers of Keras 3" in message, message
        assert "a KerasTensor of Keras 2" in message, message
    assert "AddGaussianNoise" in error_of(tf.keras.Sequential, [layers.AddGaussianNoise()])


def main():
    check_functions()
    check_layers()
    has_keras_2 = importlib.util.find_spec("tf_keras") is not None
    if has_keras_2:
        check_keras_2()
    print("with tf_keras" if has_keras_2 else "without tf_keras")


if __name__ == "__main__":
    main()
