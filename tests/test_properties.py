"""Properties that hold for any shape, seed and offset."""

import numpy as np
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flatnoise
from conftest import COMPUTE_DTYPE, Variant
from philox_reference import stream

shapes = st.lists(st.integers(0, 9), min_size=1, max_size=4).map(tuple)
int64 = st.integers(-(2**63), 2**63 - 1)
seeds = st.tuples(int64, int64)
offsets = st.one_of(st.integers(0, 20), st.integers(0, 2**63 - 1 - 9**4))
dtypes = st.sampled_from(list(COMPUTE_DTYPE))
quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@quick
@given(shape=shapes, seed=seeds, offset=offsets)
def test_uniform_noise_is_the_stream_to_the_bit(implementation, shape, seed, offset):
    expected = stream("uniform", seed, offset, int(np.prod(shape)), "float32")
    actual = flatnoise.flatten_add_uniform(
        tf.zeros(shape), seed, offset=offset, implementation=implementation
    )
    assert actual.shape == (shape[0], int(np.prod(shape[1:])))
    np.testing.assert_array_equal(np.ravel(actual), expected)


@quick
@given(shape=shapes, seed=seeds, offset=offsets, dtype=st.sampled_from(["float32", "float64"]))
def test_normal_noise_is_the_stream_within_the_tolerance(
    implementation, shape, seed, offset, dtype
):
    variant = Variant(implementation, "eager")
    expected = stream("normal", seed, offset, int(np.prod(shape)), dtype)
    actual = variant.add("normal", tf.zeros(shape, dtype), seed, offset=offset)
    assert np.all(np.abs(np.ravel(actual) - expected) <= variant.tolerance(dtype, expected))


@quick
@given(rows=st.integers(2, 9), features=st.integers(1, 9), seed=seeds, data=st.data(), dtype=dtypes)
def test_native_noise_does_not_depend_on_how_a_batch_is_split(
    native, distribution, rows, features, seed, data, dtype
):
    cut = data.draw(st.integers(1, rows - 1))
    variant = Variant("native", "eager")
    x = tf.cast(tf.reshape(tf.range(rows * features), [rows, features]), dtype)
    whole = variant.add(distribution, x, seed)
    head = variant.add(distribution, x[:cut], seed)
    tail = variant.add(distribution, x[cut:], seed, offset=cut * features)
    assert tf.reduce_all(tf.concat([head, tail], axis=0) == whole)
