"""Statistical tests, which map numbers to p-values that are uniform for correct noise."""

import dataclasses
import itertools

import numpy as np
import scipy.fft
import scipy.integrate
import scipy.special
import scipy.stats

THRESHOLDS = np.round(np.arange(3, 5.7, 0.05), 2)
LAGS = (*range(1, 65), *(2**power for power in range(7, 15)))


@dataclasses.dataclass
class Sums:
    """Running sums over any number of values, for moments and tails."""

    count: int
    powers: np.ndarray
    beyond: np.ndarray
    least: float
    largest: float

    def __add__(self, other):
        return Sums(
            self.count + other.count,
            self.powers + other.powers,
            self.beyond + other.beyond,
            min(self.least, other.least),
            max(self.largest, other.largest),
        )


def sums(values, law):
    """Sums of the powers of (value - center), and the numbers of |values| above each threshold."""
    z = np.asarray(values, np.float64) - law.centre
    z2 = z * z
    z3 = z2 * z
    z4 = z2 * z2
    pairs = [(z, z2), (z2, z2), (z2, z3), (z3, z3), (z3, z4), (z4, z4)]
    far = np.abs(z[np.abs(z) > THRESHOLDS[0]])
    beyond = far.size - np.searchsorted(np.sort(far), THRESHOLDS, side="right")
    powers = np.array([z.sum(), np.dot(z, z), *(np.dot(a, b) for a, b in pairs)])
    return Sums(z.size, powers, beyond, float(np.min(values)), float(np.max(values)))


def moment_scores(collected, law):
    """The errors of the law's moments, in standard errors."""
    moment = {order: law.moment(order) for order in (*law.orders, *(2 * n for n in law.orders))}
    return np.array(
        [
            (total / collected.count - moment[order])
            / np.sqrt((moment[2 * order] - moment[order] ** 2) / collected.count)
            for order, total in zip(law.orders, collected.powers, strict=False)
        ]
    )


def two_sided(scores):
    return 2 * scipy.stats.norm.sf(np.abs(scores))


def moments(collected, law):
    """A joint test of all of the law's moments, with their covariance."""
    moment = {order: law.moment(order) for order in range(1, 2 * law.orders[-1] + 1)}
    covariance = [[moment[j + k] - moment[j] * moment[k] for k in law.orders] for j in law.orders]
    error = np.sqrt(np.diag(covariance))
    scores = moment_scores(collected, law)
    distance = scores @ np.linalg.solve(covariance / np.outer(error, error), scores)
    return scipy.stats.chi2.sf(distance, scores.size)


def poisson(observed, expected):
    """The two-sided p-value of a count."""
    below = scipy.stats.poisson.cdf(observed, expected)
    above = scipy.stats.poisson.sf(np.asarray(observed) - 1, expected)
    return np.minimum(1, 2 * np.minimum(below, above))


def kolmogorov_smirnov(values, law):
    return scipy.stats.kstest(law.cdf(values), "uniform").pvalue


def anderson_darling_survival(statistic):
    """The limiting survival function for a fully specified law, by Anderson and Darling's series.

    "Asymptotic theory of certain goodness of fit criteria based on stochastic processes", 1952.
    """

    if statistic > 10:  # the sum's first term, chi-squared / 2, dominates
        return np.sqrt(3) * scipy.stats.chi2.sf(2 * statistic, 1)

    def term(j):
        exponent = (4 * j + 1) ** 2 * np.pi**2 / (8 * statistic)
        integral = scipy.integrate.quad(
            lambda w: np.exp(statistic / (8 * (w * w + 1)) - exponent * (w * w + 1)), 0, np.inf
        )[0]
        return scipy.special.binom(-0.5, j) * (4 * j + 1) * integral

    below = np.sqrt(2 * np.pi) / statistic * sum(term(j) for j in range(20))
    return 1 - below


def anderson_darling(values, law):
    u = np.sort(law.cdf(values))
    n = u.size
    weights = 2 * np.arange(1, n + 1) - 1
    total = np.dot(weights, np.log(u) + np.log1p(-u[::-1]))
    return anderson_darling_survival(-n - total / n)


def standardised(values):
    values = np.asarray(values, np.float64)
    return (values - values.mean()) / values.std()


def serial_correlation_scores(values):
    """The serial correlation at each lag, in standard errors."""
    z = standardised(values)
    lags = [lag for lag in LAGS if lag < z.size // 4]
    return np.array([np.dot(z[lag:], z[:-lag]) / np.sqrt(z.size - lag) for lag in lags])


def sum_of_squares(scores):
    return scipy.stats.chi2.sf(np.sum(np.square(scores)), np.size(scores))


def serial_correlation(values):
    return sum_of_squares(serial_correlation_scores(values))


def joint_counts(columns, law, cells):
    """The counts of all combinations of equally likely cells, for elements of the columns."""
    places = [np.minimum((law.cdf(column) * cells).astype(int), cells - 1) for column in columns]
    shape = (cells,) * len(places)
    counts = np.bincount(np.ravel_multi_index(places, shape), minlength=cells ** len(places))
    return counts.reshape(shape)


def tuples(values, law, size, cells):
    """Tests the independence of `size` consecutive numbers, with non-overlapping tuples."""
    whole = values[: values.size // size * size].reshape(-1, size)
    return scipy.stats.chisquare(joint_counts(whole.T, law, cells).ravel()).pvalue


def streams_correlation(streams):
    """Tests the elementwise correlation of any two streams (rows of a matrix)."""
    z = np.stack([standardised(stream) for stream in streams])
    coefficients = z @ z.T / z.shape[1]
    # The expected mean square is exactly 1 / (n - 1), which matters for many short streams.
    return sum_of_squares(coefficients[np.triu_indices(len(z), 1)] * np.sqrt(z.shape[1] - 1))


def neighbours_cells(matrix, law, cells):
    """Tests the independence of each element and the element below, beyond correlation."""
    counts = joint_counts([matrix[:-1].ravel(), matrix[1:].ravel()], law, cells)
    # Inner rows count twice, so the observed margins are used.
    return scipy.stats.chi2_contingency(counts).pvalue


def shifted_correlation(first, second):
    """The largest correlation of two streams at any shift of up to half their length.

    This detects a stream that contains a part of the other at any position.
    """
    n = first.size
    size = scipy.fft.next_fast_len(2 * n, real=True)
    spectra = [scipy.fft.rfft(standardised(stream), size) for stream in (first, second)]
    products = scipy.fft.irfft(spectra[0] * spectra[1].conj(), size)
    shifts = np.arange(-(n // 2), n // 2)
    scores = products[shifts] / np.sqrt(n - np.abs(shifts))
    return float(-np.expm1(shifts.size * np.log1p(-two_sided(scores).min())))


def streams(matrix, law):
    """Named p-values for the independence of the rows of a matrix."""
    return {name: test(matrix, law) for name, test in STREAM_TESTS.items()}


def neighbours_shifted(matrix):
    return combined([shifted_correlation(*pair) for pair in itertools.pairwise(matrix)])


STREAM_TESTS = {
    "correlation": lambda matrix, law: streams_correlation(matrix),
    "correlation of squares": lambda matrix, law: streams_correlation((matrix - law.centre) ** 2),
    "neighbours' cells": lambda matrix, law: neighbours_cells(matrix, law, 32),
    "neighbours shifted": lambda matrix, law: neighbours_shifted(matrix),
}


def combined(p_values):
    """Tests whether the p-values of many samples are uniform. Small if any of them is 0."""
    p_values = np.asarray(p_values)
    smallest = -np.expm1(p_values.size * np.log1p(-p_values.min()))
    least = min(smallest, scipy.stats.kstest(p_values, "uniform").pvalue)
    return float(-np.expm1(2 * np.log1p(-least)))


def rounded(values, law):
    """Tests the frequency of each value of noise in a half-precision dtype."""
    support, likely = law
    places = np.searchsorted(support, np.asarray(values, np.float64))
    observed = np.bincount(places, minlength=support.size)
    expected = likely * values.size
    # Rare values are pooled, because their counts would be far from normal.
    # So are cells of a few of float32's 2**23 numbers, which its arithmetic may move to a neighbor.
    group = np.cumsum(expected) // max(20, values.size * 2**-17)
    group = np.unique(np.minimum(group, group[-1] - 1), return_inverse=True)[1]
    observed, expected = (np.bincount(group, counts) for counts in (observed, expected))
    return scipy.stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue


def replaced(blocks, share):
    """Named p-values for whether elements are replaced independently with a probability."""
    replaced = np.concatenate(blocks)
    rarer, chance = (replaced, share) if share <= 0.5 else (~replaced, 1 - share)
    return {
        "share": scipy.stats.binomtest(int(replaced.sum()), replaced.size, share).pvalue,
        "of 4 in a row": counted(rarer.reshape(-1, 4).sum(1), scipy.stats.binom(4, chance)),
        "gaps": counted(np.diff(np.flatnonzero(rarer)), scipy.stats.geom(chance)),
    }


def counted(values, law):
    """Tests whether integers are drawn from a law, in up to 64 cells of similar probability."""
    edges = np.unique(law.ppf(np.linspace(0, 1, 65)[1:-1]))
    edges = edges[law.sf(edges) > 0]
    expected = np.diff(law.cdf(edges), prepend=0.0, append=1.0) * values.size
    observed = np.bincount(np.searchsorted(edges, values), minlength=expected.size)
    return scipy.stats.chisquare(observed, expected).pvalue


def distribution(blocks, law):
    """Named p-values for whether blocks of numbers are drawn from the law."""
    return {name: test(blocks, law) for name, test in DISTRIBUTION_TESTS.items()}


def moments_of_all(blocks, law):
    return moments(sum((sums(block, law) for block in blocks[1:]), sums(blocks[0], law)), law)


def of_each(test):
    """A test of many blocks, from a test of one."""
    return lambda blocks, law: combined([test(block, law) for block in blocks])


DISTRIBUTION_TESTS = {
    "moments": moments_of_all,
    "Kolmogorov-Smirnov": of_each(kolmogorov_smirnov),
    "Anderson-Darling": of_each(anderson_darling),
    "serial correlation": of_each(lambda block, law: serial_correlation(block)),
    "serial correlation of squares": of_each(
        lambda block, law: serial_correlation((block - law.centre) ** 2)
    ),
    "pairs": of_each(lambda block, law: tuples(block, law, 2, 64)),
    "quadruples": of_each(lambda block, law: tuples(block, law, 4, 8)),
}
