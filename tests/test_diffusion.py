"""`flatnoise.diffuse`: the forward process of diffusion models."""

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE
from philox_reference import stream

SEED = (8, 9)
X = np.linspace(-2, 2, 4 * 5 * 6).reshape(4, 5, 6)
RATES = {
    "scalar": (0.8, 0.6),
    "per sample": (
        np.array([1.0, 0.75, 0.5, 0.0]).reshape(4, 1, 1),
        np.array([0.0, 0.5, 0.75, 1.0]).reshape(4, 1, 1),
    ),
    "mixed": (0.5, np.linspace(0.1, 0.9, 6)),
    "negative": (-1.5, -0.5),
    "in gaps": (np.linspace(0.1, 0.9, 24).reshape(4, 1, 6), 0.5),
}
rates = pytest.mark.parametrize("form", RATES)


def diffuse(variant, x, signal_rate, noise_rate, **options):
    """All arguments except the options are run-time values."""

    @variant.compile
    def run(x, signal_rate, noise_rate):
        return flatnoise.diffuse(
            x, SEED, signal_rate, noise_rate, implementation=variant.implementation, **options
        )

    compute = COMPUTE_DTYPE[x.dtype.name]
    return run(x, tf.constant(signal_rate, compute), tf.constant(noise_rate, compute))


@rates
def test_signal_and_noise_are_mixed_by_their_rates(variant, dtype, form):
    x = tf.cast(X, dtype)
    compute = COMPUTE_DTYPE[dtype]
    signal_rate, noise_rate = (np.asarray(rate, compute) for rate in RATES[form])
    z = stream("normal", SEED, 0, X.size, compute).reshape(X.shape)
    expected = signal_rate * x.numpy().astype(compute) + noise_rate * z
    got = diffuse(variant, x, *RATES[form])
    assert got.dtype == x.dtype and got.shape == x.shape
    rounding = {"float16": 2e-3, "bfloat16": 2e-2}.get(dtype, 0)
    np.testing.assert_allclose(
        tf.cast(got, tf.float64),
        expected,
        rtol=rounding,
        atol=variant.tolerance(dtype, z).max() + rounding,
    )


def test_the_noise_is_that_of_the_same_pass(variant, dtype):
    x = tf.cast(X, dtype)
    noisy, noise = diffuse(variant, x, 0.8, 0.6, return_noise=True)
    alone = diffuse(variant, x, 0.8, 0.6)
    np.testing.assert_array_equal(noisy, alone)
    z = stream("normal", SEED, 0, X.size, COMPUTE_DTYPE[dtype]).reshape(X.shape)
    rounding = {"float16": 1e-3, "bfloat16": 1e-2}.get(dtype, 0)
    assert noise.dtype == x.dtype
    np.testing.assert_allclose(
        tf.cast(noise, tf.float64),
        z,
        rtol=rounding,
        atol=variant.tolerance(dtype, z).max(),
    )


def test_a_signal_alone_is_the_input(variant):
    x = tf.constant(X, tf.float32)
    np.testing.assert_array_equal(diffuse(variant, x, 1.0, 0.0), x)


@rates
def test_gradients(variant, form):
    @variant.compile
    def compute(x, signal_rate, noise_rate):
        with tf.GradientTape() as tape:
            tape.watch([x, signal_rate, noise_rate])
            noisy, noise = flatnoise.diffuse(
                x,
                SEED,
                signal_rate,
                noise_rate,
                return_noise=True,
                implementation=variant.implementation,
            )
            loss = tf.reduce_sum(noisy**2)
        return noisy, noise, tape.gradient(loss, [x, signal_rate, noise_rate])

    x = tf.constant(X)
    signal_rate, noise_rate = (tf.constant(rate, tf.float64) for rate in RATES[form])
    noisy, z, (of_x, of_signal, of_noise) = compute(x, signal_rate, noise_rate)

    def summed(terms, rate):
        axes = [axis for axis in range(3) if ([1] * 3 + list(rate.shape))[-3:][axis] == 1]
        return tf.reshape(tf.reduce_sum(terms, axes), rate.shape)

    np.testing.assert_allclose(of_x, 2 * noisy * signal_rate, rtol=1e-9)
    np.testing.assert_allclose(of_signal, summed(2 * noisy * x, signal_rate), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(of_noise, summed(2 * noisy * z, noise_rate), rtol=1e-9, atol=1e-9)


def test_second_order_gradients(variant):
    @variant.compile
    def compute(x, signal_rate, noise_rate):
        with tf.GradientTape() as outer:
            outer.watch([x, signal_rate, noise_rate])
            with tf.GradientTape() as inner:
                inner.watch([signal_rate, noise_rate])
                noisy, noise = flatnoise.diffuse(
                    x,
                    SEED,
                    signal_rate,
                    noise_rate,
                    return_noise=True,
                    implementation=variant.implementation,
                )
                loss = tf.reduce_sum(noisy**3)
            first = inner.gradient(loss, [signal_rate, noise_rate])
            total = tf.reduce_sum(first[0]) + tf.reduce_sum(first[1])
        return noisy, noise, outer.gradient(total, [x, signal_rate, noise_rate])

    x, a, b = tf.constant(X), tf.constant(0.8, tf.float64), tf.constant(0.6, tf.float64)
    y, z, (of_x, of_a, of_b) = compute(x, a, b)
    # The sum of 3 y^2 (x + z), with y = a x + b z.
    np.testing.assert_allclose(of_x, 6 * y * a * (x + z) + 3 * y**2, rtol=1e-8)
    np.testing.assert_allclose(of_a, tf.reduce_sum(6 * y * x * (x + z)), rtol=1e-8)
    np.testing.assert_allclose(of_b, tf.reduce_sum(6 * y * z * (x + z)), rtol=1e-8)


def test_the_noise_has_no_gradient(variant):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, noise = diffuse(variant, x, 0.8, 0.6, return_noise=True)
    assert tape.gradient(noise, x, unconnected_gradients="zero").numpy().max() == 0


def test_shards_are_rows_of_the_whole(variant):
    x = tf.constant(X, tf.float32)
    whole = diffuse(variant, x, 0.8, 0.6)
    part = diffuse(variant, x[2:], 0.8, 0.6, offset=2 * 30)
    tolerance = 0 if variant.implementation == "native" else 1e-5
    np.testing.assert_allclose(part, whole[2:], rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": np.zeros([2, 2], np.uint8)}, r"`inputs`.*floating-point"),
        ({"inputs": 1.0}, r"`inputs`"),
        ({"seed": [1, 2, 3]}, r"`seed`"),
        ({"signal_rate": np.nan}, r"`signal_rate`.*finite"),
        ({"noise_rate": [1.0, 2.0, 3.0, 4.0]}, r"`noise_rate`.*\(4, 1, 1\)"),
        ({"return_noise": "yes"}, r"`return_noise`.*boolean"),
        ({"offset": -1}, r"`offset`"),
        ({"implementation": "fast"}, r"`implementation`"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    usual = {"inputs": X, "seed": SEED, "signal_rate": 0.8, "noise_rate": 0.6}
    with pytest.raises(ValueError, match=message):
        flatnoise.diffuse(**{**usual, **arguments})


def test_wrong_values_of_tensors_are_found_when_run(implementation):
    with pytest.raises(tf.errors.InvalidArgumentError, match="signal_rate must be finite"):
        flatnoise.diffuse(X, SEED, tf.constant(np.inf), 0.5, implementation=implementation)
