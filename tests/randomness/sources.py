"""Noise to test: from the stream, from layers, and deliberately broken."""

import numpy as np
import tensorflow as tf

import flatnoise.numpy
from flatnoise import layers

SEED = (20261124, 1)


def stream(distribution, dtype, seed, count, offset=0):
    """Elements offset ... offset + count - 1 of a seed's stream, from the compiled core."""
    zeros = np.zeros([1, count], dtype)
    return flatnoise.numpy.flatten_noise(
        zeros, seed, (0.0, 1.0), distribution=distribution, offset=offset
    )[0]


def blocks(distribution, dtype, seed, number, size):
    """Consecutive parts of one stream."""
    return [stream(distribution, dtype, seed, size, index * size) for index in range(number)]


def replaced_blocks(rate, seed, number, size):
    """The elements that dropout replaces, in consecutive parts of one stream."""
    ones = np.ones([1, size], np.float32)
    dropped = (
        flatnoise.numpy.flatten_dropout(ones, seed, rate, offset=index * size)
        for index in range(number)
    )
    return [block[0] == 0 for block in dropped]


def neighbouring_seeds(distribution, dtype, number, size):
    """Rows for the seeds (s, 0), (s + 1, 0), ... and (s, 1), (s, 2), ..."""
    first, second = SEED
    seeds = [(first + step, second) for step in range(number // 2)]
    seeds += [(first, second + step) for step in range(1, number - number // 2 + 1)]
    return np.stack([stream(distribution, dtype, seed, size) for seed in seeds])


def _layer(distribution, dtype):
    options = {"flatten": True, "seed": SEED[0], "dtype": dtype}
    if distribution == "normal":
        return layers.AddGaussianNoise(mean=0.0, stddev=1.0, **options)
    return layers.AddUniformNoise(minval=0.0, maxval=1.0, **options)


def layer_steps(distribution, dtype, number, shape):
    """The noise that a layer adds, with one row per call."""
    layer = _layer(distribution, dtype)
    zeros = tf.zeros(shape, dtype)
    return np.stack([layer(zeros, training=True).numpy().ravel() for _ in range(number)])


def layer_rows(distribution, dtype, shape):
    """The noise that a layer adds in one call, with one row per sample."""
    return _layer(distribution, dtype)(tf.zeros(shape, dtype), training=True).numpy()


def layer_replicas(distribution, dtype, replicas, steps, shape):
    """The noise that a layer adds on replicas, with one row per replica and step."""
    strategy = tf.distribute.MirroredStrategy(
        [f"CPU:{index}" for index in range(replicas)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )
    with strategy.scope():
        layer = _layer(distribution, dtype)

    @tf.function
    def step():
        return strategy.run(lambda: layer(tf.zeros(shape, dtype), training=True))

    given = [strategy.experimental_local_results(step()) for _ in range(steps)]
    return np.stack([value.numpy().ravel() for step in given for value in step])
