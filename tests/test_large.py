"""Tensors of more than 2**32 elements. Needs 8.6 GB of memory and FLATNOISE_TEST_LARGE=1."""

import os

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import ADD

FEATURES = 2**12 + 3
ROWS = 2**20
ELEMENTS = ROWS * FEATURES
WINDOW = 10_007
WINDOWS = {
    "head": 0,
    "2**31": 2**31 - WINDOW // 2,
    "middle": ELEMENTS // 2 + 1,
    "2**32": 2**32 - WINDOW // 2,
    "tail": ELEMENTS - WINDOW,
}

pytestmark = [
    pytest.mark.usefixtures("native"),
    pytest.mark.skipif(
        os.environ.get("FLATNOISE_TEST_LARGE") != "1",
        reason="takes 8.6 GB of memory: FLATNOISE_TEST_LARGE=1 asks for it",
    ),
]


@pytest.mark.parametrize("offset", [0, 2**40 + 1])
def test_every_part_of_a_large_tensor_has_its_place_in_the_stream(distribution, offset):
    @tf.function
    def windows(value, seed, offset):
        # A temporary that isn't a constant, so that the result can be written into it.
        inputs = tf.fill([ROWS, FEATURES], value)
        noisy = ADD[distribution](inputs, seed, offset=offset, implementation="native")
        flat = tf.reshape(noisy, [ELEMENTS])
        return [tf.slice(flat, [start], [WINDOW]) for start in WINDOWS.values()]

    given = windows(
        tf.constant(0.5, tf.float16), tf.constant([1, 2]), tf.constant(offset, tf.int64)
    )
    half = np.full([WINDOW, 1], 0.5, np.float16)
    for name, start, window in zip(WINDOWS, WINDOWS.values(), given, strict=True):
        expected = flatnoise.numpy.flatten_noise(
            half, (1, 2), (0.0, 1.0), distribution=distribution, offset=offset + start
        )
        np.testing.assert_array_equal(window, expected[:, 0], err_msg=name)
