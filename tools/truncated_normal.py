"""Makes the polynomials of the truncated normal numbers in cc/core/inversion.h, and checks them.

    python tools/truncated_normal.py

A number is z = w Q(x), where w = 2 u' - 1 and x = -2 log(1 - p^2) for p = C |w|, C = erf(sqrt 2).
Remez's exchange algorithm finds the Q of the least largest relative error, in mpmath. It is printed
with its coefficients rounded to the type, beside what the header holds, each with the largest
relative error of the polynomial in exact arithmetic.

The last coefficients are poorly determined: they follow the points at which the error is looked at,
by some ten units in their last place in float and more in double, and the largest error hardly
feels it. So what is asked of the header is an error near the least, not the same digits.
"""

import argparse
import pathlib
import re
import struct
import sys

import mpmath

HEADER = pathlib.Path(__file__).resolve().parent.parent / "cc" / "core" / "inversion.h"
# Of C's types: the format in which `struct` rounds, and a unit of round-off.
TYPES = {"float": ("f", mpmath.mpf(2) ** -24), "double": ("d", mpmath.mpf(2) ** -53)}
MOST_ROUNDS = 20

Real = mpmath.mpf
Points = list[tuple[Real, Real]]


def within() -> Real:
    """C, the normal probability between -2 and 2."""
    return mpmath.erf(mpmath.sqrt(2))


def q(x: Real) -> Real:
    """What the polynomial stands for: z / w."""
    if x == 0:
        return within() * mpmath.sqrt(mpmath.pi / 2)
    p = mpmath.sqrt(-mpmath.expm1(-x / 2))
    return mpmath.sqrt(2) * mpmath.erfinv(p) * within() / p


def chebyshev(low: Real, high: Real, count: int) -> list[Real]:
    """Points of an interval, ends included, that lie closer together towards its ends."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mpmath.cospi(Real(k) / (count - 1)) for k in range(count)]


def value(coefficients: list[Real], x: Real) -> Real:
    """A polynomial, its coefficients in ascending order."""
    return mpmath.polyval(coefficients[::-1], x)


def relative_errors(coefficients: list[Real], points: Points) -> list[Real]:
    """The relative errors of a polynomial at the points, which hold the exact values too."""
    return [value(coefficients, x) / exact - 1 for x, exact in points]


def levelled(degree: int, points: Points) -> list[Real]:
    """The polynomial whose relative errors at degree + 2 points are equal, of alternating signs."""
    rows = [
        [*(x**k / exact for k in range(degree + 1)), Real((-1) ** i)]
        for i, (x, exact) in enumerate(points)
    ]
    solution = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix([1] * len(points)))
    return list(solution)[:-1]


def peaks(errors: list[Real], points: Points) -> Points:
    """The point of the largest error in each run of errors of one sign."""
    found: list[tuple[Real, tuple[Real, Real]]] = []
    for error, point in zip(errors, points, strict=True):
        if not found or found[-1][0] * error < 0:
            found.append((error, point))
        elif abs(error) > abs(found[-1][0]):
            found[-1] = (error, point)
    return [point for _, point in found]


def best(degree: int, points: Points) -> list[Real]:
    """Remez's algorithm: the polynomial of the least largest relative error at the points."""
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
    """A number in a type of C."""
    code, _ = TYPES[kind]
    (result,) = struct.unpack(code, struct.pack(code, float(number)))
    return float(result)


def in_header(kind: str) -> list[float]:
    """The coefficients that the header has for a type."""
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
    """Prints the polynomials of a type; says whether the header's is as good as it may be."""
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
    # Rounding the coefficients costs about half a unit of round-off, whatever they are.
    return bool(errors[1] <= least + round_off)


def main() -> int:
    """Makes, compares, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--points", type=int, default=1000, help="at which errors are looked at")
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
