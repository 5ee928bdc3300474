"""The noise passes a battery of statistical tests, and broken noise doesn't.

Seeds are fixed, so results are deterministic and correct noise always passes. docs/statistics.md
has results for larger samples.
"""

import ml_dtypes
import numpy as np
import pytest
import scipy.stats

from randomness import battery, laws, sources
from randomness.laws import Law

pytestmark = pytest.mark.long

WIDE = ["float32", "float64"]
HALF = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
# By chance, a p-value is below the first bound once in 10,000. Broken samples must be below the
# second.
PASSES = 1e-4
REJECTS = 1e-9
SHAPE = (64, 1024)


@pytest.fixture(params=[(name, dtype) for name in ("normal", "uniform") for dtype in WIDE])
def law(request):
    """Distributions that are representative of all others, from the same words."""
    return Law(*request.param)


def blocks_of(law):
    return sources.blocks(law.distribution, law.dtype, sources.SEED, 8, 2**17)


def assert_passes(p_values):
    assert {name: p for name, p in p_values.items() if not p > PASSES} == {}


@pytest.mark.parametrize("dtype", WIDE)
def test_the_stream_has_its_distribution(distribution, dtype):
    law = Law(distribution, dtype)
    assert_passes(battery.distribution(blocks_of(law), law))


def test_what_a_layer_adds_has_its_distribution(law):
    steps = sources.layer_steps(law.distribution, law.dtype, 8, (128, 32, 32))
    assert_passes(battery.distribution(list(steps), law))


MATRICES = {
    "neighbouring seeds": lambda law: sources.neighbouring_seeds(*law, 16, 2**16),
    "rows": lambda law: sources.layer_rows(*law, SHAPE),
    "features": lambda law: sources.layer_rows(*law, SHAPE).T,
    "steps": lambda law: sources.layer_steps(*law, 16, SHAPE),
    "replicas": lambda law: sources.layer_replicas(*law, 4, 4, SHAPE),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_streams_are_independent(law, kind):
    matrix = MATRICES[kind]((law.distribution, law.dtype))
    assert_passes(battery.streams(matrix, law))


@pytest.mark.parametrize("dtype", WIDE)
def test_tails_are_those_of_the_transform(dtype):
    law = Law("normal", dtype)
    collected = battery.sums(sources.stream("normal", dtype, sources.SEED, 2**22), law)
    expected = [collected.count * laws.normal_tail(t, dtype) for t in battery.THRESHOLDS]
    assert np.all(battery.poisson(collected.beyond, expected) > PASSES)
    assert collected.beyond[0] > 10_000


@pytest.mark.parametrize("dtype", WIDE)
def test_no_value_is_beyond_the_largest(dtype):
    values = np.abs(sources.stream("normal", dtype, sources.SEED, 2**22))
    assert 5 < values.max() <= Law("normal", dtype).range[1]


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_noise_is_float32_noise_rounded_once(distribution, dtype):
    values = sources.stream(distribution, HALF[dtype], sources.SEED, 2**21)
    assert battery.rounded(values, laws.rounded_law(distribution, dtype)) > PASSES


REPLACED_SHARES = [0.001, 0.1, 0.5, 0.9, 0.999]


def replaced_blocks(rate):
    return sources.replaced_blocks(rate, sources.SEED, 8, 2**17)


@pytest.mark.parametrize("rate", REPLACED_SHARES)
def test_elements_are_replaced_at_their_rate_each_on_its_own(rate):
    assert_passes(battery.replaced(replaced_blocks(rate), laws.share_replaced(rate)))


# Tests of the battery: each kind of broken noise, and a test that must detect it.


def spoiled_blocks(spoil):
    return [spoil(block) for block in blocks_of(Law("normal", "float32"))]


def two_rounds_of_philox(block):
    """Box-Muller numbers from Philox with 2 rounds instead of 10."""
    words = short_philox(np.arange(block.size // 4), rounds=2)
    fractions = (words.ravel() >> 9).astype(np.float64) * 2.0**-23
    u1, u2 = fractions.reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(np.maximum(u1, 1e-7)))
    return np.stack([radius * np.sin(2 * np.pi * u2), radius * np.cos(2 * np.pi * u2)], 1).ravel()


def short_philox(counters, rounds):
    c0, c1, c2, c3 = counters.astype(np.uint64), *np.zeros([3, counters.size], np.uint64)
    for _ in range(rounds):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1 = (p1 >> np.uint64(32)) ^ c1, p1 & np.uint64(0xFFFFFFFF)
        c2, c3 = (p0 >> np.uint64(32)) ^ c3, p0 & np.uint64(0xFFFFFFFF)
    return np.stack([c0, c1, c2, c3], axis=1)


def of_pairs(function):
    return lambda block: function(*block.reshape(-1, 2).T).ravel()


SPOILED = {
    "a variance 1 % too large": (lambda z: z * 1.005, "moments"),
    "a mean of 0.01": (lambda z: z + 0.01, "moments"),
    "skewed": (lambda z: z + 0.01 * (z**2 - 1), "moments"),
    "sums of 12 uniform numbers": (
        lambda z: scipy.stats.norm.cdf(np.resize(z, 12 * z.size)).reshape(-1, 12).sum(1) - 6,
        "moments",
    ),
    "tails cut at 3": (lambda z: np.clip(z, -3, 3), "moments"),
    "too few near 0": (lambda z: np.where(np.abs(z) < 0.1, 2 * z, z), "Kolmogorov-Smirnov"),
    "too many beyond 2": (lambda z: np.where(np.abs(z) > 2, 1.1 * z, z), "Anderson-Darling"),
    "each a little of the one before": (
        lambda z: (z + 0.02 * np.roll(z, 1)) / np.hypot(1, 0.02),
        "serial correlation",
    ),
    "a variance that comes and goes": (
        lambda z: z * (1 + 0.1 * np.sin(np.arange(z.size) / 50)),
        "serial correlation of squares",
    ),
    "the larger of a pair first": (
        of_pairs(lambda a, b: np.stack([np.maximum(a, b), np.minimum(a, b)], 1)),
        "pairs",
    ),
    "the second pair of a block as the first": (
        lambda z: np.repeat(z.reshape(-1, 2, 2)[:, :1], 2, axis=1).ravel(),
        "quadruples",
    ),
    "two rounds of Philox": (two_rounds_of_philox, "quadruples"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_spoiled_noise_is_rejected(kind):
    spoil, seen_by = SPOILED[kind]
    blocks = spoiled_blocks(spoil)
    assert battery.DISTRIBUTION_TESTS[seen_by](blocks, Law("normal", "float32")) < REJECTS


def with_a_row(matrix, index, row):
    return np.concatenate([matrix[:index], row[None], matrix[index + 1 :]])


SPOILED_STREAMS = {
    "a row with a twentieth of another": (
        lambda m: with_a_row(m, 5, (m[5] + 0.05 * m[2]) / np.hypot(1, 0.05)),
        "correlation",
    ),
    "a row of another's absolute values": (
        lambda m: with_a_row(m, 5, np.copysign(m[2], m[5])),
        "correlation of squares",
    ),
    "a row made of the one before": (
        lambda m: with_a_row(m, 5, np.where(np.abs(m[4]) < 1, -m[4], m[4])),
        "neighbours' cells",
    ),
    "a row that goes on where another is": (
        lambda m: with_a_row(m, 5, np.roll(m[4], 12345)),
        "neighbours shifted",
    ),
}


@pytest.mark.parametrize("kind", SPOILED_STREAMS)
def test_streams_that_depend_on_each_other_are_rejected(kind):
    spoil, seen_by = SPOILED_STREAMS[kind]
    matrix = spoil(sources.neighbouring_seeds("normal", "float32", 8, 2**16))
    assert battery.STREAM_TESTS[seen_by](matrix, Law("normal", "float32")) < REJECTS


def sorted_pairs(block):
    return np.sort(block.reshape(-1, 2), axis=1).ravel()


SPOILED_MASKS = {
    "a share 2 % too large": (lambda block: block | (np.arange(block.size) % 50 == 0), "share"),
    "both of a pair": (lambda block: np.repeat(block[::2], 2), "of 4 in a row"),
    "the second of a pair first": (sorted_pairs, "gaps"),
}


@pytest.mark.parametrize("kind", SPOILED_MASKS)
def test_masks_that_are_not_random_are_rejected(kind):
    spoil, seen_by = SPOILED_MASKS[kind]
    blocks = [spoil(block) for block in replaced_blocks(0.1)]
    assert battery.replaced(blocks, laws.share_replaced(0.1))[seen_by] < REJECTS


def test_tails_that_are_too_light_are_rejected():
    law = Law("normal", "float32")
    values = sources.stream("normal", "float32", sources.SEED, 2**22)
    collected = battery.sums(np.where(np.abs(values) > 4, values / 2, values), law)
    expected = [collected.count * laws.normal_tail(t, "float32") for t in battery.THRESHOLDS]
    assert battery.poisson(collected.beyond, expected).min() < REJECTS


@pytest.mark.parametrize("dtype", HALF)
def test_noise_of_as_few_bits_as_a_half_precision_fraction_is_rejected(distribution, dtype):
    steps = {"float16": 2**10, "bfloat16": 2**7}[dtype]
    values = sources.stream(distribution, np.float32, sources.SEED, 2**21)
    coarse = (np.floor(values * steps) / steps).astype(HALF[dtype])
    assert battery.rounded(coarse, laws.rounded_law(distribution, dtype)) < REJECTS


@pytest.mark.parametrize(
    "statistic, p", [(1.248, 0.25), (1.933, 0.1), (2.492, 0.05), (3.878, 0.01)]
)
def test_anderson_and_darlings_published_points(statistic, p):
    assert battery.anderson_darling_survival(statistic) == pytest.approx(p, rel=5e-3)


def test_anderson_darling_is_continuous_where_the_series_is_left():
    below, above = (battery.anderson_darling_survival(x) for x in (10.0, 10.0001))
    assert above == pytest.approx(below, rel=0.05)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_moments_of_the_transform_are_nearly_the_ideal_ones(dtype, order):
    ideal = scipy.stats.norm.moment(order)
    assert 0 < abs(Law("normal", dtype).moment(order) / ideal - 1) < 1e-4


@pytest.mark.parametrize("dtype", WIDE)
def test_tails_of_the_transform_leave_the_ideal_ones_beyond_5(dtype):
    def of_ideal(threshold):
        return laws.normal_tail(threshold, dtype) / (2 * scipy.stats.norm.sf(threshold))

    assert of_ideal(3.0) == pytest.approx(1, rel=1e-4)
    assert of_ideal(5.0) == pytest.approx(1, rel=0.1)
    # float32's three smallest numbers represent all smaller ones.
    assert of_ideal(5.5) == pytest.approx({"float32": 1.14, "float64": 0.85}[dtype], abs=0.01)
    assert of_ideal(laws.largest_normal(dtype) + 1e-6) == 0
