"""Noise inside tf.data pipelines, mapped by many threads at once."""

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from flatnoise import layers

ELEMENTS = 512
PARALLEL = [None, 2, 16, tf.data.AUTOTUNE]


def rows(dataset):
    return np.stack(list(dataset.as_numpy_iterator()))


def noised(index, values):
    return flatnoise.flatten_add_normal(values, seed=[7, index], flatten=False)


def indexed(elements=ELEMENTS):
    return tf.data.Dataset.from_tensor_slices(tf.zeros([elements, 2, 3])).enumerate()


@pytest.fixture(scope="module")
def expected():
    return np.stack([noised(index, tf.zeros([2, 3])) for index in range(ELEMENTS)])


@pytest.mark.parametrize("parallel", PARALLEL)
@pytest.mark.parametrize("deterministic", [True, False])
def test_noise_keyed_by_the_element_is_the_same_in_any_order(expected, parallel, deterministic):
    given = (
        indexed()
        .shuffle(64)
        .map(
            lambda index, values: (index, noised(index, values)),
            num_parallel_calls=parallel,
            deterministic=None if parallel is None else deterministic,
        )
    )
    for index, values in given.as_numpy_iterator():
        np.testing.assert_array_equal(values, expected[index])


def test_noise_keyed_by_the_element_is_the_same_in_every_shard(expected):
    for shard in range(3):
        given = rows(indexed().shard(3, shard).map(noised, num_parallel_calls=4))
        np.testing.assert_array_equal(given, expected[shard::3])


def test_noise_keyed_by_the_element_is_the_same_for_replicas(expected):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    dataset = indexed().map(noised, num_parallel_calls=4).batch(64)
    given = [
        value.numpy()
        for batch in strategy.experimental_distribute_dataset(dataset)
        for value in strategy.experimental_local_results(batch)
    ]
    np.testing.assert_array_equal(np.concatenate(given), expected)


def test_a_snapshot_keeps_the_noise(tmp_path, expected):
    dataset = indexed().map(noised, num_parallel_calls=4).snapshot(str(tmp_path))
    for _ in range(2):
        np.testing.assert_array_equal(rows(dataset), expected)


def seeds_drawn(draw, parallel):
    dataset = tf.data.Dataset.range(ELEMENTS).map(lambda _: draw(), num_parallel_calls=parallel)
    return np.unique(rows(dataset), axis=0)


def races(draw, attempts=20):
    """Whether parallel calls of `draw` ever return the same seed."""
    return any(len(seeds_drawn(draw, 16)) < ELEMENTS for _ in range(attempts))


@pytest.mark.parametrize("jit_compile", [False, True], ids=["plain", "XLA"])
def test_the_seed_generators_of_layers_do_not(jit_compile):
    generator = layers.AddGaussianNoise(seed=2).seed_generator
    draw = tf.function(generator.next, jit_compile=jit_compile)
    assert not races(draw, attempts=3)
    np.testing.assert_array_equal(generator.next(), [2, 3 * ELEMENTS])


@pytest.mark.parametrize("cls", [layers.AddGaussianNoise, layers.AddUniformNoise, layers.AddNoise])
@pytest.mark.parametrize("parallel", PARALLEL)
def test_a_layer_adds_other_noise_to_each_element(cls, parallel):
    layer, again = cls(seed=2), cls(seed=2)
    dataset = tf.data.Dataset.from_tensor_slices(tf.zeros([ELEMENTS, 1, 24]))
    given = {row.tobytes() for row in rows(dataset.map(layer, num_parallel_calls=parallel))}
    one_by_one = {row.tobytes() for row in rows(dataset.map(again))}
    assert len(given) == ELEMENTS
    assert given == one_by_one
