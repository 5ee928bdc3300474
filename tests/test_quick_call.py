"""The short way of eager calls: taken for the usual arguments, with the bits and the errors of the
long way."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from flatnoise._src import functions, noises

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
VALUES = [(0.0, 1.0), (0.25, 0.5), (-0.0, 0.1), (1, 2), (1e-30, 0.1), (np.float32(0.3), 0.7)]
# (arguments, the argument that the error names)
WRONG = {
    "shape of a seed": ({"seed": [1, 2, 3]}, "seed"),
    "type of a seed": ({"seed": tf.constant([1.0, 2.0])}, "seed"),
    "rank": ({"inputs": tf.zeros([])}, "inputs"),
    "type": ({"inputs": tf.zeros([2], tf.int32)}, "inputs"),
    "offset": ({"offset": -1}, "offset"),
    "implementation": ({"implementation": "fast"}, "implementation"),
}


@pytest.fixture(params=noises.NOISES, ids=lambda noise: noise.name)
def noise(request):
    return request.param


@pytest.fixture
def taken(monkeypatch):
    """Whether the short way was taken in each call since."""
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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_both_ways_give_the_same_bits(native, monkeypatch, noise, seed, dtype):
    function = getattr(flatnoise, noise.function)
    x = tf.cast(tf.reshape(tf.linspace(-2.0, 3.0, 42), [7, 3, 2]), dtype)
    for values, flatten, offset in itertools.product(VALUES, [True, False], [0, 13]):
        quick, long = both_ways(
            monkeypatch,
            lambda values=values, flatten=flatten, offset=offset: function(
                x, seed, *values, flatten=flatten, offset=offset
            ),
        )
        assert quick == long, (values, flatten, offset)


def test_usual_arguments_take_the_short_way(native, taken, noise):
    function = getattr(flatnoise, noise.function)
    for seed in ([1, 2], (1, 2), tf.constant([1, 2]), tf.constant([1, 2], tf.int64)):
        function(tf.zeros([4, 3]), seed, 0.25, 0.5, offset=3)
    assert taken == [True] * 4


@pytest.mark.parametrize("case", WRONG)
def test_what_the_op_refuses_is_explained(native, taken, noise, case):
    wrong, named = WRONG[case]
    arguments = {"inputs": tf.zeros([4, 3]), "seed": [1, 2], **wrong}
    with pytest.raises(ValueError, match=f"argument `{named}`"):
        getattr(flatnoise, noise.function)(**arguments)
    assert taken == [False]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_wrong_values_are_explained(native, noise, value):
    first = noise.parameters[0].name
    with pytest.raises(ValueError, match=f"`{first}`"):
        getattr(flatnoise, noise.function)(tf.zeros([4, 3]), [1, 2], **{first: value})


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
