"""Features that this package has, but TensorFlow and Keras don't have yet.

Each test checks TensorFlow or Keras for one feature and is expected to fail. If it passes, the
feature is available upstream, and the documentation needs an update.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from test_distribution import mirrored
from test_layers import (
    checkpoint,
    keras_file,
    losses_whole_and_in_two,
    weights_file,
)
from test_stream import STATELESS
from test_tf_data import races

pytestmark = pytest.mark.xfail(strict=False, reason="TensorFlow or Keras does not do this yet")

STOCK = {
    "GaussianNoise": lambda: keras.layers.GaussianNoise(1.0, seed=8),
    "Dropout": lambda: keras.layers.Dropout(0.5, seed=8),
}


def test_stateless_ops_give_the_same_numbers_under_xla(distribution):
    def stock(seed):
        return STATELESS[distribution]([1, 64], seed, alg="philox")

    seed = tf.constant([11, 22])
    under_xla = tf.function(stock, jit_compile=True)(seed)
    np.testing.assert_allclose(under_xla, stock(seed), atol=1e-5)


@pytest.mark.parametrize("dtype, resolution", [("float16", 2.0**-10), ("bfloat16", 2.0**-7)])
def test_half_precision_numbers_have_full_resolution(dtype, resolution):
    stock = tf.random.stateless_uniform([64, 1024], [1, 2], dtype=dtype, alg="philox")
    assert np.unique(tf.cast(stock, "float64")).size > 1.5 / resolution


@pytest.mark.parametrize("make_stock", STOCK.values(), ids=STOCK)
def test_every_replica_gets_noise_of_its_own(make_stock):
    strategy = mirrored(2)
    with strategy.scope():
        layer = make_stock()
    ones = tf.ones([4, 64])
    step = tf.function(lambda: strategy.run(lambda: layer(ones, training=True)))
    first, second = strategy.experimental_local_results(step())
    assert np.any(first != second)


@pytest.mark.parametrize("save_and_load", [keras_file, weights_file, checkpoint])
def test_a_training_taken_up_again_goes_on_with_the_noise(tmp_path, save_and_load):
    whole, in_two = losses_whole_and_in_two(
        lambda: keras.layers.GaussianNoise(0.5, seed=1), save_and_load, tmp_path
    )
    np.testing.assert_allclose(in_two, whole, rtol=1e-6)


def test_seed_generators_draw_in_one_step():
    assert not races(keras.random.SeedGenerator(2).next)
