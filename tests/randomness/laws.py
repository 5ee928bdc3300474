"""The exact distributions of the transforms' results, which differ slightly from the ideal ones.

A float32 uniform number is one of 2**23 multiples of 2**-23. The Box-Muller radius sqrt(-2 log u)
uses such a number (in float64, one of 2**52), bounded below by 1e-7. Therefore, normal noise has a
largest value. In float32, the tail above about 5 has steps, from the smallest numbers 0 (which
counts as 1e-7), 2**-23 and 2 * 2**-23.
"""

import dataclasses
import functools
import math

import ml_dtypes
import numpy as np
import scipy.integrate
import scipy.special
import scipy.stats

from philox_reference import FROM_UNIFORM

SMALLEST = {"float32": float(np.float32(1e-7)), "float64": 1e-7}
# The smallest values of uniform numbers.
SPACING = {"float32": 2.0**-23, "float64": 2.0**-52}


@functools.cache
def _grid():
    """All values of a float32 uniform number."""
    return np.arange(2**23) * SPACING["float32"]


@functools.cache
def _squared_radii():
    """The squared radii of float32 normal numbers, which are equally likely, largest first."""
    return -2 * np.log(np.maximum(_grid(), SMALLEST["float32"]))


def largest_normal(dtype):
    """The largest value of normal noise: the radius for the smallest number, with sine 1."""
    return math.sqrt(-2 * math.log(SMALLEST[dtype]))


@functools.cache
def _mean_radius_power(half_order, dtype):
    """The mean of radius**(2 half_order)."""
    if dtype == "float32":
        return np.mean(_squared_radii() ** half_order)
    largest = -math.log(SMALLEST[dtype])
    below = math.gamma(half_order + 1) * scipy.special.gammainc(half_order + 1, largest)
    return 2.0**half_order * (below + math.exp(-largest) * largest**half_order)


def _normal_moment(order, dtype):
    if order % 2 == 1:
        return 0.0
    half = order // 2
    mean_sine_power = math.comb(order, half) / 4.0**half
    return mean_sine_power * _mean_radius_power(half, dtype)


def _uniform_moment(order, dtype):
    def ideal(order):
        return 0.0 if order % 2 == 1 else 0.5**order / (order + 1)

    # A number is half a cell below the midpoint of its cell. Second-order terms are negligible.
    return ideal(order) - order * SPACING[dtype] / 2 * ideal(order - 1)


def _turns_beyond(threshold, radius):
    """The fraction of a turn for which |radius * sine| is above the threshold."""
    return np.arccos(np.minimum(threshold / radius, 1)) * 2 / math.pi


def normal_tail(threshold, dtype):
    """The probability that |z| is above the threshold."""
    if dtype == "float32":
        # Sorted in descending order. Radii up to the threshold aren't in the tail.
        count = np.searchsorted(-_squared_radii(), -(threshold**2))
        return SPACING[dtype] * np.sum(_turns_beyond(threshold, np.sqrt(_squared_radii()[:count])))
    smallest = SMALLEST[dtype]
    beyond = scipy.integrate.quad(
        lambda log_u: math.exp(log_u) * _turns_beyond(threshold, math.sqrt(-2 * log_u)),
        math.log(smallest),
        max(-(threshold**2) / 2, math.log(smallest)),
        epsabs=0,
        limit=200,
    )[0]
    return beyond + smallest * _turns_beyond(threshold, largest_normal(dtype))


# Distributions that use inversion at the midpoint of a uniform number's interval.
INVERTED = {
    "laplace": scipy.stats.laplace(),
    "gumbel": scipy.stats.gumbel_r(),
    "logistic": scipy.stats.logistic(),
    "truncated_normal": scipy.stats.truncnorm(-2, 2),
}


@functools.cache
def _inverted_grid(distribution):
    """All float32 numbers, ascending, in float64."""
    return FROM_UNIFORM[distribution](_grid().astype(np.float32))


@functools.cache
def _inverted_moments(distribution):
    """The means of the powers 0 to 8 of centered float32 numbers."""
    values = _inverted_grid(distribution) - INVERTED[distribution].mean()
    power, means = np.ones_like(values), [1.0]
    for _ in range(8):
        power *= values
        means.append(np.mean(power))
    return means


@functools.cache
def _inverted_moment(distribution, order, dtype):
    if dtype == "float32":
        return _inverted_moments(distribution)[order]
    law = INVERTED[distribution]
    centre = law.mean()
    return law.expect(lambda value: (value - centre) ** order, epsabs=0, epsrel=1e-9, limit=500)


def share_replaced(rate):
    """The probability that a float32 uniform number is below the rate, rounded to float32."""
    return math.ceil(float(np.float32(rate)) / SPACING["float32"]) * SPACING["float32"]


@dataclasses.dataclass(frozen=True)
class Law:
    """Standard numbers of a distribution, in a compute dtype."""

    distribution: str
    dtype: str

    @property
    def centre(self):
        if self.distribution in INVERTED:
            return float(INVERTED[self.distribution].mean())
        return 0.0 if self.distribution == "normal" else 0.5

    @property
    def orders(self):
        """The orders of moments with normal errors in samples of millions: few for long tails."""
        return range(1, 5 if self.distribution in INVERTED else 9)

    @property
    def range(self):
        """The smallest and the largest value."""
        if self.distribution == "normal":
            # float32 arithmetic may round up the largest value.
            largest = largest_normal(self.dtype) * (1 + float(np.finfo(self.dtype).eps))
            return -largest, largest
        if self.distribution in INVERTED:
            ends = np.asarray([0.0, 1.0 - SPACING[self.dtype]], self.dtype)
            least, largest = FROM_UNIFORM[self.distribution](ends)
            margin = 4 * float(np.finfo(self.dtype).eps) * max(-least, largest)
            return least - margin, largest + margin
        return 0.0, 1.0 - SPACING[self.dtype]

    def cdf(self, values):
        """The ideal distribution function at the values. Uniform numbers stand for their midpoints.

        The exact distribution differs by less than 1e-6, which the samples can't resolve.
        """
        values = np.asarray(values, np.float64)
        if self.distribution == "normal":
            return scipy.special.ndtr(values)
        if self.distribution in INVERTED:
            return INVERTED[self.distribution].cdf(values)
        return values + SPACING[self.dtype] / 2

    def moment(self, order):
        """The exact mean of (value - center)**order."""
        if self.distribution in INVERTED:
            return float(_inverted_moment(self.distribution, order, self.dtype))
        moments = {"normal": _normal_moment, "uniform": _uniform_moment}
        return float(moments[self.distribution](order, self.dtype))


def all_values(dtype):
    """All finite numbers of a half-precision dtype in ascending order, with one zero."""
    with np.errstate(invalid="ignore"):  # signaling NaNs
        values = np.arange(2**16, dtype=np.uint16).view(dtype).astype(np.float64)
    return np.unique(values[np.isfinite(values)])


def rounded_law(distribution, dtype):
    """The values of float32 noise rounded to a half-precision dtype, and their probabilities."""
    dtype = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}[dtype]
    if distribution != "normal":
        numbers = FROM_UNIFORM[distribution](_grid().astype(np.float32))
        rounded = numbers.astype(np.float32).astype(dtype).astype(np.float64)
        values, counts = np.unique(rounded, return_counts=True)
        return values, counts * SPACING["float32"]
    values = all_values(dtype)
    edges = scipy.special.ndtr((values[1:] + values[:-1]) / 2)
    return values, np.diff(edges, prepend=0.0, append=1.0)
