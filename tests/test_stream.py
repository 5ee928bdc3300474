"""The noise is the stream of tf.random.stateless_* in every implementation."""

import numpy as np
import pytest
import tensorflow as tf

from conftest import ADD, COMPILE, COMPUTE_DTYPE, PARAMETERS, STOCK, WIDE, Variant
from flatnoise._src.noises import DISTRIBUTIONS
from philox_reference import philox, stream

STATELESS = {"normal": tf.random.stateless_normal, "uniform": tf.random.stateless_uniform}
SEEDS = [
    (0, 0),
    (1, 2),
    (-5, 7),
    (2**31 - 1, -(2**31)),
    (2**31, 2**40 + 3),
    (-(2**63), 2**63 - 1),
]
SHAPES = [(5,), (3, 7), (2, 3, 5), (2, 3, 5, 1), (2, 1, 3, 2, 2), (0, 4), (4, 0), (0,), (1, 4099)]
OFFSETS = [1, 2, 3, 4, 7, 2**32 - 1, 2**33 + 5, 2**35 - 1, 2**63 - 50]

# Random123's kat_vectors, philox4x32 10: counter, key, words.
KNOWN_ANSWERS = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def assert_numbers_match(distribution, variant, dtype, actual, expected):
    """Uniform noise is bit-identical, and other noise is within the documented tolerance."""
    actual = np.asarray(actual, np.float64).ravel()
    expected = np.asarray(expected, np.float64).ravel()
    tolerance = 0.0 if distribution == "uniform" else variant.tolerance(dtype, expected)
    assert actual.shape == expected.shape
    assert np.all(np.abs(actual - expected) <= tolerance)


@pytest.mark.parametrize("counter, key, words", KNOWN_ANSWERS)
def test_the_reference_gives_the_published_answers(counter, key, words):
    assert tuple(philox([counter], key)[0]) == words


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("distribution", STOCK)
def test_the_stream_is_tensorflows(variant, distribution, dtype, seed):
    shape = (3, 67)
    expected = STATELESS[distribution](
        shape, tf.constant(seed, tf.int64), dtype=dtype, alg="philox"
    )
    actual = variant.add(distribution, tf.zeros(shape, dtype), seed)
    assert_numbers_match(distribution, variant, dtype, actual, expected)


@pytest.mark.parametrize("distribution", STOCK)
def test_int32_and_int64_seeds_are_the_same_seeds(variant, distribution):
    add = variant.compile(lambda seed: variant.call(distribution, tf.zeros([2, 9]), seed))
    np.testing.assert_array_equal(
        add(tf.constant([-3, 4], tf.int32)), add(tf.constant([-3, 4], tf.int64))
    )


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(
    "distribution, offset",
    [(name, offset) for name in DISTRIBUTIONS for offset in (OFFSETS if name in STOCK else [7])],
)
def test_an_offset_starts_the_stream_there(variant, distribution, dtype, offset):
    expected = stream(distribution, (12, -34), offset, 21, dtype)
    actual = variant.add(distribution, tf.zeros([3, 7], dtype), (12, -34), offset=offset)
    assert_numbers_match(distribution, variant, dtype, actual, expected)


@pytest.mark.parametrize("distribution", STOCK)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_are_flattened_and_elements_stay_in_place(variant, distribution, shape):
    seed = (5, 6)
    expected = stream(distribution, seed, 0, int(np.prod(shape)), "float32")
    flat = variant.add(distribution, tf.zeros(shape), seed)
    kept = variant.add(distribution, tf.zeros(shape), seed, flatten=False)
    assert flat.shape == (shape[0], int(np.prod(shape[1:])))
    assert kept.shape == shape
    assert_numbers_match(distribution, variant, "float32", flat, expected)
    np.testing.assert_array_equal(np.ravel(flat), np.ravel(kept))


def test_the_sum_is_rounded_once(variant, dtype):
    compute = COMPUTE_DTYPE[dtype]
    x = tf.cast(np.linspace(-2, 2, 63).reshape(3, 21), dtype)
    low, high = np.asarray([-0.3, 0.9], compute)
    noise = stream("uniform", (1, 2), 3, 63, compute).reshape(3, 21)
    expected = tf.cast(tf.cast(x, compute).numpy() + (low + (high - low) * noise), dtype)
    actual = variant.add("uniform", x, (1, 2), low, high, offset=3)
    # XLA may fuse a multiplication and an addition in the fallback.
    ulps = {("tensorflow", "xla"): 1}.get((variant.implementation, variant.mode), 0)
    difference = np.abs(tf.cast(actual - expected, "float64"))
    spacing = np.finfo(tf.as_dtype(dtype).as_numpy_dtype).eps if dtype in WIDE else 2.0**-7
    assert np.all(difference <= ulps * spacing * 4)
    assert actual.dtype == dtype


@pytest.mark.parametrize("distribution", STOCK)
def test_shards_of_a_batch_are_noised_as_in_the_whole(variant, distribution):
    x = tf.random.stateless_normal([6, 5, 3], [0, 1])
    whole = variant.add(distribution, x, (3, 4)).numpy()
    parts = [variant.add(distribution, x[r : r + 2], (3, 4), offset=r * 15) for r in (0, 2, 4)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=4e-6)


def test_native_shards_are_equal_to_the_bit(native, distribution, dtype):
    variant = Variant("native", "eager")
    x = tf.cast(tf.random.stateless_normal([6, 5, 3], [0, 1]), dtype)
    whole = tf.cast(variant.add(distribution, x, (3, 4)), "float64").numpy()
    parts = [variant.add(distribution, x[r : r + 2], (3, 4), offset=r * 15) for r in (0, 2, 4)]
    np.testing.assert_array_equal(np.concatenate([tf.cast(p, "float64") for p in parts]), whole)


@pytest.mark.parametrize(
    "distribution, shape",
    [
        (name, shape)
        for name in DISTRIBUTIONS
        for shape in (SHAPES if name in STOCK else [(1, 4099)])
    ],
    ids=str,
)
def test_native_and_fallback_agree(native, distribution, dtype, shape):
    x = tf.cast(tf.reshape(tf.linspace(-3.0, 3.0, int(np.prod(shape))), shape), dtype)
    results = [
        Variant(implementation, "eager").add(distribution, x, (-7, 2**50), 0.25, 0.75, 5)
        for implementation in ("native", "tensorflow")
    ]
    native_numbers, stock_numbers = (tf.cast(result, "float64").numpy() for result in results)
    # Small differences in noise may cross a rounding boundary.
    place = {"float16": 2.0**-8, "bfloat16": 2.0**-5, "float32": 2e-6, "float64": 4e-15}[dtype]
    tolerance = 0.0 if distribution == "uniform" else place
    np.testing.assert_allclose(native_numbers, stock_numbers, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "signature, static",
    [([None, 3, 2], (None, 6)), ([None, None, 2], (None, None)), ([4, None], (4, None))],
    ids=str,
)
@pytest.mark.parametrize("distribution", STOCK)
def test_static_shapes_are_as_exact_as_they_can_be(implementation, distribution, signature, static):
    variant = Variant(implementation, "function")
    add = tf.function(
        lambda x, seed: variant.call(distribution, x, seed),
        input_signature=[tf.TensorSpec(signature), tf.TensorSpec([2], tf.int64)],
    )
    shape = [size or 4 for size in signature]
    assert tuple(add.get_concrete_function().output_shapes) == static
    assert_numbers_match(
        distribution,
        variant,
        "float32",
        add(tf.zeros(shape), tf.constant([1, 2], tf.int64)),
        stream(distribution, (1, 2), 0, int(np.prod(shape)), "float32"),
    )


@pytest.mark.parametrize("mode", ["function", "xla"])
@pytest.mark.parametrize("distribution", STOCK)
def test_nothing_needs_to_be_known_when_traced(distribution, mode):
    first, second = PARAMETERS[distribution]
    add = COMPILE[mode](
        lambda x, seed, low, high, offset: ADD[distribution](
            x, seed, **{first: low, second: high}, offset=offset
        ),
        input_signature=[
            tf.TensorSpec(None, dtype)
            for dtype in (tf.float32, tf.int64, tf.float32, tf.float32, tf.int64)
        ],
    )
    seed, offset = tf.constant([1, 2], tf.int64), tf.constant(9, tf.int64)
    for shape in [(3, 4, 2), (5,)]:
        result = add(tf.zeros(shape), seed, 0.0, 1.0, offset)
        expected = stream(distribution, (1, 2), 9, int(np.prod(shape)), "float32")
        np.testing.assert_allclose(np.ravel(result), expected, atol=4e-6)


@pytest.mark.parametrize("distribution", STOCK)
def test_run_time_seeds_give_the_same_noise_under_xla(distribution):
    seed = tf.constant([11, 22])

    def ours(seed):
        return ADD[distribution](tf.zeros([1, 64]), seed)

    under_xla = tf.function(ours, jit_compile=True)(seed)
    assert np.max(np.abs(under_xla - ours(seed))) < 4e-6
    assert np.max(np.abs(under_xla - STATELESS[distribution]([1, 64], seed, alg="philox"))) < 4e-6


@pytest.mark.parametrize("dtype, resolution", [("float16", 2.0**-10), ("bfloat16", 2.0**-7)])
def test_half_precision_noise_has_full_resolution(variant, dtype, resolution):
    shape = (64, 1024)
    ours = tf.cast(variant.add("uniform", tf.zeros(shape, dtype), (1, 2)), "float64")
    assert np.unique(ours).size > 1.5 / resolution
    assert 0 < np.min(ours[ours > 0]) < resolution / 4


def test_noise_has_the_moments_asked_for(variant):
    normal = variant.add("normal", tf.zeros([50, 2000]), (3, 1), 2.0, 0.5).numpy()
    uniform = variant.add("uniform", tf.zeros([50, 2000]), (3, 1), -1.0, 3.0).numpy()
    assert normal.mean() == pytest.approx(2.0, abs=0.01)
    assert normal.std() == pytest.approx(0.5, abs=0.01)
    assert uniform.mean() == pytest.approx(1.0, abs=0.02)
    assert uniform.var() == pytest.approx(16 / 12, abs=0.02)
    assert uniform.min() >= -1.0
    assert uniform.max() <= 3.0
