"""The stream in plain NumPy, from its definition: the reference for every implementation.

Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

import numpy as np
from scipy import special

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
SEED_KEY = (0x3EC8F720, 0x02461E29)
LOW = 0xFFFFFFFF
NUMBERS_PER_BLOCK = {"float32": 4, "float64": 2}


def philox(counters, key):
    """Ten rounds over an array of counters, uint64 [n, 4] holding 32-bit words."""
    c0, c1, c2, c3 = np.asarray(counters, np.uint64).T
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c2 = (p1 >> 32) ^ c1 ^ np.uint64(k0), (p0 >> 32) ^ c3 ^ np.uint64(k1)
        c1, c3 = p1 & LOW, p0 & LOW
        k0, k1 = (k0 + WEYL[0]) & LOW, (k1 + WEYL[1]) & LOW
    return np.stack([c0, c1, c2, c3], axis=1)


def halves(value):
    value %= 2**64
    return value & LOW, value >> 32


def blocks(seed, first, count):
    m0, m1, m2, m3 = (int(m) for m in philox([[*halves(seed[0]), *halves(seed[1])]], SEED_KEY)[0])
    start = first + (m2 << 64) + (m3 << 96)
    counters = [[(start + g) >> shift & LOW for shift in (0, 32, 64, 96)] for g in range(count)]
    return philox(np.array(counters, np.uint64).reshape(-1, 4), (m0, m1))


def uniform_from(words, dtype):
    if dtype == "float32":
        bits = (words.ravel() & 0x7FFFFF | 0x3F800000).astype(np.uint32)
        return bits.view(np.float32) - np.float32(1)
    high, low = words.reshape(-1, 2).T
    bits = (high & 0xFFFFF) << 32 | low | np.uint64(1023 << 52)
    return bits.view(np.float64) - 1


def normal_from(uniform):
    """Box-Muller pairs in float64, from angles rounded to the stream's dtype."""
    u1, u2 = uniform.reshape(-1, 2).T
    smallest = np.asarray(1e-7, uniform.dtype)
    radius = np.sqrt(-2 * np.log(np.maximum(u1, smallest).astype(np.float64)))
    angle = (2 * np.pi * u2.astype(np.float64)).astype(uniform.dtype).astype(np.float64)
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1).ravel()


def middle_of(uniform):
    """The midpoint of a uniform number's interval, in float64, and its exact distance to 1."""
    half_step = 2.0**-24 if uniform.dtype == np.float32 else 2.0**-53
    u = uniform.astype(np.float64)
    return u + half_step, (1 - u) - half_step


def laplace_from(uniform):
    middle, rest = middle_of(uniform)
    return np.where(middle < 0.5, np.log(2 * middle), -np.log(2 * rest))


def gumbel_from(uniform):
    middle, rest = middle_of(uniform)
    return -np.log(np.where(middle < 0.5, -np.log(middle), -np.log1p(-rest)))


def logistic_from(uniform):
    middle, rest = middle_of(uniform)
    return np.log(middle) - np.log(rest)


def truncated_normal_from(uniform):
    middle, rest = middle_of(uniform)
    w = np.where(middle < 0.5, 2 * middle - 1, 1 - 2 * rest)
    return np.sqrt(2) * special.erfinv(special.erf(np.sqrt(2)) * w)


FROM_UNIFORM = {
    "uniform": lambda uniform: uniform,
    "normal": normal_from,
    "laplace": laplace_from,
    "gumbel": gumbel_from,
    "logistic": logistic_from,
    "truncated_normal": truncated_normal_from,
}


def stream(distribution, seed, offset, count, dtype):
    """Elements offset ... offset + count - 1, in the compute dtype `dtype`."""
    per_block = NUMBERS_PER_BLOCK[dtype]
    first, skipped = divmod(offset, per_block)
    uniform = uniform_from(blocks(seed, first, -(-(skipped + count) // per_block)), dtype)
    numbers = FROM_UNIFORM[distribution](uniform)
    return numbers[skipped : skipped + count].astype(dtype)
