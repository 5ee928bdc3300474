"""Noise that replaces elements: dropout, alpha dropout, masking and salt-and-pepper noise."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, FUNCTIONS, NOISES, WIDE, Variant
from philox_reference import stream

SEED = (3, -4)
REPLACING = [name for name, noise in NOISES.items() if not noise.combination.is_linear]
RATES = [0.0, 0.1, 1 / 3, 0.5, 0.7, 0.999]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-40, 3.0]
X = tf.reshape(tf.tile(tf.constant(SPECIAL, tf.float64), [40]), [40, 7])


def stock_dropout(x, rate):
    return tf.nn.experimental.stateless_dropout(x, rate, SEED, rng_alg="philox")


def same_bits(a, b):
    """Whether arrays are bit-identical, except for NaN payloads."""
    a, b = np.asarray(a), np.asarray(b)
    np.testing.assert_array_equal(a, b)
    numbers = ~np.isnan(a)
    np.testing.assert_array_equal(np.signbit(a[numbers]), np.signbit(b[numbers]))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("dtype", WIDE)
def test_dropout_is_tensorflows_to_the_bit(variant, dtype, rate):
    x = tf.cast(X, dtype)

    @variant.compile
    def drop(x):
        return flatnoise.flatten_dropout(x, SEED, rate, implementation=variant.implementation)

    expected = stock_dropout(x, rate)
    got = drop(x)
    if variant.mode == "xla" and variant.implementation == "tensorflow":
        np.testing.assert_array_equal(got, expected)  # XLA flushes subnormal numbers
    else:
        same_bits(got, expected)


@pytest.mark.parametrize("dtype", WIDE)
def test_dropout_of_many_rates_has_the_quotients_bits(variant, dtype):
    rates = np.linspace(0, 1, 65).astype(dtype)
    ones = tf.ones([8, 65], dtype)
    given = variant.run("dropout", ones, [1, 2], [rates]).numpy()
    with np.errstate(divide="ignore"):
        quotients = np.where(rates < 1, np.ones_like(rates) / (1 - rates), 0)
    kept = given != 0
    assert kept[:, :32].sum() > kept[:, 32:].sum() > 0
    np.testing.assert_array_equal(given, np.where(kept, quotients, 0))


@pytest.mark.parametrize("rate", [1 / 3, 0.7])
@pytest.mark.parametrize("dtype", WIDE)
def test_the_gradient_of_dropout_is_tensorflows_to_the_bit(variant, dtype, rate):
    x = tf.cast(tf.random.stateless_normal([8, 30], [1, 2]), dtype)
    dy = tf.cast(tf.random.stateless_normal([8, 30], [3, 4]), dtype)

    def gradient(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x, output_gradients=dy)

    @variant.compile
    def ours():
        return gradient(
            lambda x: flatnoise.flatten_dropout(
                x, SEED, rate, implementation=variant.implementation
            )
        )

    np.testing.assert_array_equal(ours(), gradient(lambda x: stock_dropout(x, rate)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_dropped_by_the_float32_mask(variant, dtype):
    x = tf.cast(tf.random.stateless_normal([30, 20], [1, 2]) + 10.0, dtype)
    got = variant.run("dropout", x, SEED, [0.25])
    kept = stock_dropout(tf.ones([30, 20]), 0.25) != 0
    np.testing.assert_array_equal(got != 0, kept)
    expected = tf.where(kept, tf.cast(x, tf.float32) / 0.75, 0.0)
    np.testing.assert_allclose(tf.cast(got, tf.float32), expected, rtol=2**-7)


@pytest.mark.parametrize("form", ["number", "tensor"])
def test_all_may_be_dropped_and_none(variant, dtype, form):
    x = tf.cast(X, dtype)
    as_rate = {"number": float, "tensor": lambda r: tf.constant(r, COMPUTE_DTYPE[dtype])}[form]

    @variant.compile
    def drop(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            all_dropped, none_dropped = (
                flatnoise.flatten_dropout(
                    x, SEED, as_rate(rate), implementation=variant.implementation
                )
                for rate in (1, 0)
            )
        return all_dropped, none_dropped, tape.gradient(all_dropped, x)

    all_dropped, none_dropped, gradient = drop(x)
    np.testing.assert_array_equal(tf.cast(all_dropped, tf.float64), np.zeros(X.shape))
    np.testing.assert_array_equal(tf.cast(gradient, tf.float64), np.zeros(X.shape))
    if variant.mode != "xla" or variant.implementation == "native":
        same_bits(tf.cast(none_dropped, tf.float64), tf.cast(x, tf.float64))


def test_masks_need_no_sums(variant):
    """Dropped NaNs and infinities don't propagate."""
    u = stream("uniform", SEED, 0, 280, "float64").reshape(X.shape)
    got = variant.run("mask", X, SEED, [0.5, -7.0])
    np.testing.assert_array_equal(got, np.where(u < 0.5, -7.0, X))


ANY_VALUE = [math.inf, -math.inf, math.nan, -0.0]


@pytest.mark.parametrize("value", ANY_VALUE)
def test_any_value_may_be_put_in(implementation, value):
    got = flatnoise.flatten_mask(tf.ones([8, 50]), SEED, 0.5, value, implementation=implementation)
    u = stream("uniform", SEED, 0, 400, "float32").reshape(8, 50)
    same_bits(got, np.where(u < 0.5, np.float32(value), np.float32(1)))


@pytest.mark.parametrize("salt, pepper", [(v, 3.0) for v in ANY_VALUE] + [(3.0, math.nan)])
def test_salt_and_pepper_may_have_any_value(implementation, salt, pepper):
    got = flatnoise.flatten_salt_and_pepper(
        tf.ones([8, 50]), SEED, 0.5, 0.5, salt, pepper, implementation=implementation
    )
    u = stream("uniform", SEED, 0, 400, "float32").reshape(8, 50)
    expected = np.where(u < 0.25, pepper, np.where(u >= 0.75, salt, 1.0))
    same_bits(got, expected.astype(np.float32))


def test_salt_and_pepper_come_in_their_shares(implementation):
    got = flatnoise.flatten_salt_and_pepper(
        tf.fill([100, 1000], 0.5), SEED, 0.2, 0.75, implementation=implementation
    ).numpy()
    assert np.mean(got == 1.0) == pytest.approx(0.15, abs=0.005)
    assert np.mean(got == 0.0) == pytest.approx(0.05, abs=0.005)
    assert np.mean(got == 0.5) == pytest.approx(0.8, abs=0.005)


def test_alpha_dropout_keeps_mean_and_variance(implementation):
    x = tf.random.stateless_normal([100, 2000], [5, 6])
    got = flatnoise.flatten_alpha_dropout(x, SEED, 0.3, implementation=implementation).numpy()
    assert got.mean() == pytest.approx(0.0, abs=0.02)
    assert got.var() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_is_kerass(implementation, rate):
    x = tf.random.stateless_normal([30, 40], [5, 6])
    theirs = keras.layers.AlphaDropout(rate, seed=7)
    seed = keras.random.SeedGenerator(7).next()
    ours = flatnoise.flatten_alpha_dropout(
        x, tf.cast(seed, tf.int64), rate, implementation=implementation
    )
    np.testing.assert_allclose(ours, theirs(x, training=True), rtol=1e-5, atol=1e-6)


def test_the_mask_is_drawn_again_and_not_kept(native):
    x = tf.random.stateless_normal([8, 30], [1, 2])

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = flatnoise.flatten_dropout(x, SEED, 0.5, implementation="native")
        return tape.gradient(y, x)

    operations = gradient.get_concrete_function(x).graph.get_operations()
    # With a gradient of ones, which isn't a result of the forward pass.
    assert sum("FlattenNoise" in operation.type for operation in operations) == 2
    np.testing.assert_array_equal(
        gradient(x), flatnoise.flatten_dropout(tf.ones_like(x), SEED, 0.5)
    )


@pytest.mark.parametrize("name", REPLACING)
def test_native_and_fallback_agree_to_the_bit(native, name, dtype):
    x = tf.cast(tf.random.stateless_normal([40, 70], [1, 2]), dtype)
    ours, stock = (
        FUNCTIONS[name](x, SEED, offset=3, implementation=implementation)
        for implementation in ("native", "tensorflow")
    )
    tf.debugging.assert_equal(ours, stock)


@pytest.mark.parametrize("name", REPLACING)
def test_native_sums_of_gradients_are_equal_on_every_run(native, name):
    noise = NOISES[name]
    x = tf.random.stateless_normal([64, 5000], [1, 2])
    values = [tf.constant(0.4) for _ in noise.parameters]

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = FUNCTIONS[name](x, SEED, *values)
        return tape.gradient(y, values, output_gradients=x)

    first = gradients()
    for _ in range(3):
        for again, gradient, parameter in zip(gradients(), first, noise.parameters, strict=True):
            assert (gradient is None) == (not parameter.is_differentiable)
            if gradient is not None:
                tf.debugging.assert_equal(again, gradient)


@pytest.mark.parametrize("name", ["dropout", "mask", "alpha_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1.5, math.nan, math.inf, "half"])
def test_a_rate_is_a_probability(implementation, name, rate):
    with pytest.raises(ValueError, match=r"argument `rate`. Expected .*Received: rate="):
        FUNCTIONS[name](tf.zeros([2, 3]), SEED, rate, implementation=implementation)


def test_alpha_dropout_has_to_keep_something(implementation):
    with pytest.raises(ValueError, match=r"`rate`. Expected .* less than 1. Received: rate=1.0"):
        flatnoise.flatten_alpha_dropout(tf.zeros([2, 3]), SEED, 1.0, implementation=implementation)


@pytest.mark.parametrize("argument", ["amount", "salt_vs_pepper"])
def test_shares_are_probabilities(implementation, argument):
    with pytest.raises(ValueError, match=f"argument `{argument}`. Expected a number from 0 to 1"):
        flatnoise.flatten_salt_and_pepper(
            tf.zeros([2, 3]), SEED, **{argument: 1.25}, implementation=implementation
        )


@pytest.mark.parametrize("name, position", [("dropout", 0), ("mask", 0), ("salt_and_pepper", 1)])
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_what_only_a_run_tells_is_refused_when_it_runs(implementation, name, position, mode):
    variant = Variant(implementation, mode)
    values = [0.5, 0.5][: position + 1]
    values[position] = 1.25
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be from 0 to 1"):
        variant.run(name, tf.zeros([2, 3]), SEED, values)


def test_a_rate_has_no_gradient(variant):
    rate = tf.constant(0.5)

    def drop(rate):
        with tf.GradientTape() as tape:
            tape.watch(rate)
            y = flatnoise.flatten_dropout(
                tf.ones([4, 5]), SEED, rate, implementation=variant.implementation
            )
        assert tape.gradient(y, rate) is None
        return y

    variant.compile(drop)(rate)
