"""The fast path of eager calls, with results and errors identical to those of the slow path."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, FUNCTIONS, PROBABILITIES, noises_and_cases, valid_values
from flatnoise import layers
from flatnoise._src import functions, seeds

SEEDS = {
    "list": [1, 2],
    "tuple": (1, -2),
    "largest int32": [2**31 - 1, -(2**31)],
    "beyond int32": [2**31, -(2**31) - 1],
    "int64": [2**62 + 1, -(2**60)],
    "int32 tensor": tf.constant([1, 2], tf.int32),
    "int64 tensor": tf.constant([2**40, -3], tf.int64),
    "array": np.array([5, 6]),
}
# In turn, except for probabilities.
VALUES = [(0.0, 1.0), (0.25, 0.5), (-0.0, 0.1), (1, 2), (1e-30, 0.1), (np.float32(0.3), 0.7)]
RATES = [0.0, 0.5, 0.1, 1e-30, 0.999, np.float32(0.3)]


def values_of(noise):
    """Tuples of valid values for the parameters of a noise."""
    for pair, rate in zip(VALUES, RATES, strict=True):
        yield tuple(
            rate if parameter.name in PROBABILITIES else pair[place % 2]
            for place, parameter in enumerate(noise.parameters)
        )


# (arguments, the argument that the error names)
WRONG = {
    "shape of a seed": ({"seed": [1, 2, 3]}, "seed"),
    "state of a generator as a seed": ({"seed": tf.constant([0, 0, 1], tf.int64)}, "seed"),
    "type of a seed": ({"seed": tf.constant([1.0, 2.0])}, "seed"),
    "rank": ({"inputs": tf.zeros([])}, "inputs"),
    "type": ({"inputs": tf.zeros([2], tf.int32)}, "inputs"),
    "offset": ({"offset": -1}, "offset"),
    "implementation": ({"implementation": "fast"}, "implementation"),
}


@pytest.fixture
def taken(monkeypatch):
    """Records for each call whether the fast path was taken."""
    record = []
    quick_call = functions.quick_call

    def recorded(*arguments, **options):
        result = quick_call(*arguments, **options)
        record.append(result is not None)
        return result

    monkeypatch.setattr(functions, "quick_call", recorded)
    return record


def both_ways(monkeypatch, call):
    results = [call()]
    with monkeypatch.context() as patch:
        patch.setattr(functions, "quick_call", lambda *arguments, **options: None)
        results.append(call())
    return [tf.cast(result, tf.float64).numpy().tobytes() for result in results]


def assert_both_ways_are_equal(monkeypatch, noise, seed, dtype):
    function = FUNCTIONS[noise.name]
    x = tf.cast(tf.reshape(tf.linspace(-2.0, 3.0, 42), [7, 3, 2]), dtype)
    for values, flatten, offset in itertools.product(values_of(noise), [True, False], [0, 13]):
        quick, long = both_ways(
            monkeypatch,
            lambda values=values, flatten=flatten, offset=offset: function(
                x, seed, *values, flatten=flatten, offset=offset
            ),
        )
        assert quick == long, (values, flatten, offset)


@pytest.mark.parametrize("noise, case", noises_and_cases(SEEDS, ["int64"]))
def test_both_ways_give_the_same_bits(native, monkeypatch, noise, case):
    assert_both_ways_are_equal(monkeypatch, noise, SEEDS[case], "float32")


@pytest.mark.parametrize("noise, dtype", noises_and_cases(COMPUTE_DTYPE, ["bfloat16"]))
def test_both_ways_give_the_same_bits_in_every_type(native, monkeypatch, noise, dtype):
    assert_both_ways_are_equal(monkeypatch, noise, [1, 2], dtype)


def test_usual_arguments_take_the_short_way(native, taken, noise):
    values = valid_values(noise.parameters)
    for seed in ([1, 2], (1, 2), tf.constant([1, 2]), tf.constant([1, 2], tf.int64)):
        FUNCTIONS[noise.name](tf.zeros([4, 3]), seed, *values, offset=3)
    assert taken == [True] * 4


@pytest.mark.parametrize("noise, case", noises_and_cases(WRONG, ["shape of a seed"]))
def test_what_the_op_refuses_is_explained(native, taken, noise, case):
    wrong, named = WRONG[case]
    arguments = {"inputs": tf.zeros([4, 3]), "seed": [1, 2], **wrong}
    with pytest.raises(ValueError, match=f"argument `{named}`"):
        FUNCTIONS[noise.name](**arguments)
    assert taken == [False]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_wrong_values_are_explained(native, noise, value):
    first = noise.parameters[0].name
    with pytest.raises(ValueError, match=f"`{first}`"):
        FUNCTIONS[noise.name](tf.zeros([4, 3]), [1, 2], **{first: value})


def test_layers_and_generators_take_the_short_way(native, taken):
    layers.AddGaussianNoise()(tf.zeros([4, 3]))
    for generator in (keras.random.SeedGenerator(1), seeds.SeedGenerator(1)):
        flatnoise.flatten_add_normal(tf.zeros([4, 3]), generator)
    assert taken == [True] * 3


def test_graphs_take_the_long_way(native, taken):
    constant = tf.zeros([4, 3])
    tf.function(lambda: flatnoise.flatten_add_normal(constant, [1, 2]))()
    assert taken == [False]


def test_the_short_way_is_recorded_by_a_tape(native):
    x = tf.ones([4, 3])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = flatnoise.flatten_multiply_normal(x, [1, 2], 1.0, 0.5)
    expected = flatnoise.flatten_multiply_normal(tf.ones([4, 3]), [1, 2], 1.0, 0.5)
    np.testing.assert_array_equal(tape.gradient(y, x), expected)


def test_a_negative_zero_keeps_its_sign(native, taken):
    tf.constant(0.0)  # TensorFlow caches this and treats -0.0 as equal
    got = flatnoise.flatten_mask(tf.ones([4, 3]), [1, 2], 1.0, -0.0)
    assert np.all(np.signbit(got))
    assert taken == [True]
