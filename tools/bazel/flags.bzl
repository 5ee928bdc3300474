"""Compiler flags, as CMakeLists.txt has them."""

COPTS = [
    "-std=c++17",
    "-Wall",
    "-Wextra",
    # The compiler must not fuse multiplications and additions, so that rounding is the same
    # everywhere. The code uses explicit fused multiply-adds.
    "-ffp-contract=off",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
]
