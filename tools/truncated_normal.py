"""Computes and checks the polynomials for truncated normal numbers in cc/core/inversion.h.

    python tools/truncated_normal.py

A number is z = w Q(x), where w = 2 u' - 1 and x = -2 log(1 - p^2) for p = C |w|, C = erf(sqrt 2).
The Remez algorithm finds the Q with the smallest maximum relative error, in mpmath. The program
prints its coefficients, rounded to the type, next to those in the header, each with the maximum
relative error of the polynomial in exact arithmetic.

The last coefficients are poorly determined. They depend on the points at which the error is
evaluated, by about ten units in the last place in float and more in double, with hardly any effect
on the maximum error. Therefore, the header must have an error near the minimum, but not the same
digits.
"""

import argparse
import pathlib
import re
import struct
import sys

import mpmath

HEADER = pathlib.Path(__file__).resolve().parent.parent / "cc" / "core" / "inversion.h"
# For C's types: the `struct` format that rounds to it, and the unit round-off.
TYPES = {"float": ("f", mpmath.mpf(2) ** -24), "double": ("d", mpmath.mpf(2) ** -53)}
MOST_ROUNDS = 20

Real = mpmath.mpf
Points = list[tuple[Real, Real]]


def within() -> Real:
    """C, the normal probability between -2 and 2."""
    return mpmath.erf(mpmath.sqrt(2))


def q(x: Real) -> Real:
    """The function that the polynomial approximates: z / w."""
    if x == 0:
        return within() * mpmath.sqrt(mpmath.pi / 2)
    p = mpmath.sqrt(-mpmath.expm1(-x / 2))
    return mpmath.sqrt(2) * mpmath.erfinv(p) * within() / p


def chebyshev(low: Real, high: Real, count: int) -> list[Real]:
    """Chebyshev points in an interval, including its ends."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mpmath.cospi(Real(k) / (count - 1)) for k in range(count)]


def value(coefficients: list[Real], x: Real) -> Real:
    """The value of a polynomial with coefficients in ascending order."""
    return mpmath.polyval(coefficients[::-1], x)


def relative_errors(coefficients: list[Real], points: Points) -> list[Real]:
    """The relative errors of a polynomial at the points, which include the exact values."""
    return [value(coefficients, x) / exact - 1 for x, exact in points]


def levelled(degree: int, points: Points) -> list[Real]:
    """The polynomial with equal relative errors of alternating sign at degree + 2 points."""
    rows = [
        [*(x**k / exact for k in range(degree + 1)), Real((-1) ** i)]
        for i, (x, exact) in enumerate(points)
    ]
    solution = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix([1] * len(points)))
    return list(solution)[:-1]


def peaks(errors: list[Real], points: Points) -> Points:
    """The point of the largest error in each run of errors with the same sign."""
    found: list[tuple[Real, tuple[Real, Real]]] = []
    for error, point in zip(errors, points, strict=True):
        if not found or found[-1][0] * error < 0:
            found.append((error, point))
        elif abs(error) > abs(found[-1][0]):
            found[-1] = (error, point)
    return [point for _, point in found]


def best(degree: int, points: Points) -> list[Real]:
    """The polynomial with the smallest maximum relative error at the points (Remez algorithm)."""
    step = Real(len(points) - 1) / (degree + 1)
    reference = [points[int(mpmath.nint(step * k))] for k in range(degree + 2)]
    for _ in range(MOST_ROUNDS):
        coefficients = levelled(degree, reference)
        exchanged = peaks(relative_errors(coefficients, points), points)
        if exchanged == reference:
            return coefficients
        if len(exchanged) != degree + 2:
            raise ArithmeticError(f"{len(exchanged)} peaks, where {degree + 2} have to alternate")
        reference = exchanged
    raise ArithmeticError(f"no end after {MOST_ROUNDS} rounds")


def rounded(number: Real, kind: str) -> float:
    """A number, rounded to a C type."""
    code, _ = TYPES[kind]
    (result,) = struct.unpack(code, struct.pack(code, float(number)))
    return float(result)


def in_header(kind: str) -> list[float]:
    """The header's coefficients for a type."""
    _, _, text = HEADER.read_text(encoding="utf-8").partition(
        f"struct TruncatedNormalCoefficients<{kind}>"
    )
    found = re.search(r"c\[\] = \{(.*?)\}", text, re.DOTALL)
    if found is None:
        raise LookupError(f"{HEADER} has no coefficients for {kind}.")
    return [float.fromhex(number.strip().rstrip("f")) for number in found[1].split(",")]


def largest(coefficients: list[float], points: Points) -> Real:
    """The largest relative error of a polynomial."""
    exact = [Real(coefficient) for coefficient in coefficients]
    return max(map(abs, relative_errors(exact, points)))


def report(kind: str, points: Points) -> bool:
    """Prints the polynomials for a type. Returns whether the header's error is near the minimum."""
    _, round_off = TYPES[kind]
    held = in_header(kind)
    exact = best(len(held) - 1, points)
    made = [rounded(coefficient, kind) for coefficient in exact]
    least = max(map(abs, relative_errors(exact, points)))
    print(f"{kind}, degree {len(held) - 1}: the least relative error is {mpmath.nstr(least, 5)}")
    print(f"  {'made here':24} in {HEADER.name}")
    for mine, theirs in zip(made, held, strict=True):
        print(f"  {mine.hex():24} {theirs.hex()}")
    errors = [largest(polynomial, points) for polynomial in (made, held)]
    print("  {:24} {}  largest relative errors".format(*(mpmath.nstr(each, 5) for each in errors)))
    # Rounding of the coefficients costs about half a unit round-off.
    return bool(errors[1] <= least + round_off)


def main() -> int:
    """Computes, compares and prints the polynomials."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--points", type=int, default=1000, help="number of points for the errors")
    arguments = parser.parse_args()
    mpmath.mp.dps = 50
    square = within() ** 2
    for kind in TYPES:
        squares = [rounded(number, kind).hex() for number in (square, 1 - square)]
        print("{}: C^2 = {}, 1 - C^2 = {}".format(kind, *squares))
    places = chebyshev(Real(0), -2 * mpmath.log1p(-square), arguments.points)
    points = [(x, q(x)) for x in places]
    return 0 if all([report(kind, points) for kind in TYPES]) else 1


if __name__ == "__main__":
    sys.exit(main())
