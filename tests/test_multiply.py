"""Multiplicative noise, which uses the stream of additive noise."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, Variant
from philox_reference import stream

SEED = (3, -4)
X = np.linspace(-2, 2, 24).reshape(4, 2, 3)
MEAN = {"scalar": 0.25, "per feature": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
STDDEV = {"scalar": 1.5, "per feature": [1.0, 2.0, 3.0, 1.5, 0.5, 2.5]}


def multiply(variant, x, mean, stddev, **options):
    """All arguments except the options are run-time values."""

    @variant.compile
    def run(x, seed, mean, stddev, offset):
        return flatnoise.flatten_multiply_normal(
            x,
            seed,
            mean,
            stddev,
            offset=offset,
            implementation=variant.implementation,
            flatten=options.get("flatten", True),
        )

    dtype = COMPUTE_DTYPE[x.dtype.name]
    offset = tf.constant(options.get("offset", 0), tf.int64)
    seed = tf.constant(options.get("seed", SEED), tf.int64)
    return run(x, seed, tf.cast(mean, dtype), tf.cast(stddev, dtype), offset)


@pytest.mark.parametrize("instruction_set", flatnoise.build_info()["instruction_sets"])
@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_every_instruction_set_gives_the_bits_of_the_op(
    native_in_xla, dtype, mode, instruction_set
):
    x = tf.cast(tf.random.stateless_normal([7, 300], [1, 2]), dtype)
    got = multiply(Variant("native", mode), x, 0.5, 2.0, offset=2**33 + 5).numpy()
    expected = flatnoise.numpy.flatten_multiply_normal(
        x.numpy(), SEED, 0.5, 2.0, offset=2**33 + 5, instruction_set=instruction_set
    )
    np.testing.assert_array_equal(got.view(np.uint8), expected.view(np.uint8))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_rows_of_a_part_are_those_of_the_whole(variant, rows):
    x = tf.constant(X, tf.float32)
    whole = multiply(variant, x, 1.0, 0.5)
    part = multiply(variant, x[rows:], 1.0, 0.5, offset=rows * 6)
    tolerance = 0 if variant.implementation == "native" else 1e-5
    np.testing.assert_allclose(part, whole[rows:], rtol=0, atol=tolerance)


@pytest.mark.parametrize("value", [0.0, -0.0, math.inf, -math.inf, math.nan])
def test_special_values_go_through_the_product(variant, value):
    x = tf.constant(np.full([2, 5], value, np.float32))
    z = stream("normal", SEED, 0, 10, "float32").reshape(2, 5)
    got = multiply(variant, x, 0.0, 1.0).numpy()
    with np.errstate(invalid="ignore"):
        expected = np.float32(value) * z
    np.testing.assert_array_equal(got, expected)
    if value == value:
        np.testing.assert_array_equal(np.signbit(got), np.signbit(expected))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_products_are_not_rounded_before_their_sum(implementation, dtype):
    x = tf.cast(tf.random.stateless_normal([64, 32], [1, 2]), dtype)
    dy = tf.cast(tf.random.stateless_normal([64, 32], [3, 4]), dtype)
    mean, stddev = tf.constant(1.0), tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch([mean, stddev])
        y = flatnoise.flatten_multiply_normal(x, SEED, mean, stddev, implementation=implementation)
    mean_grad = tape.gradient(y, mean, output_gradients=dy)
    exact = tf.reduce_sum(tf.cast(x, tf.float64) * tf.cast(dy, tf.float64))
    np.testing.assert_allclose(mean_grad, exact, rtol=1e-5)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_layer_draws_the_factors_of_gaussian_dropout(implementation, rate):
    inputs = tf.random.stateless_normal([8, 50], [1, 2])
    stddev = math.sqrt(rate / (1 - rate))
    ours = flatnoise.layers.MultiplyGaussianNoise(
        stddev=stddev, seed=7, training_only=True, implementation=implementation
    )
    keras_dropout = keras.layers.GaussianDropout(rate, seed=7)
    np.testing.assert_allclose(
        ours(inputs, training=True), keras_dropout(inputs, training=True), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_array_equal(ours(inputs, training=False), inputs)


@pytest.mark.parametrize("form", MEAN)
def test_the_fallback_agrees_for_any_tensor(native, dtype, form):
    x = tf.cast(tf.random.stateless_normal([4, 6], [5, 6]), dtype)
    results = [
        tf.cast(multiply(Variant(implementation, "eager"), x, MEAN[form], STDDEV[form]), tf.float64)
        for implementation in ("native", "tensorflow")
    ]
    unit = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(*results, rtol=unit, atol=20 * unit)
