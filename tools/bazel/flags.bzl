"""Compiler flags, as CMakeLists.txt has them."""

COPTS = [
    "-std=c++17",
    "-Wall",
    "-Wextra",
    # Every fused multiply-add is written out, so that all units round alike: the compiler adds none.
    "-ffp-contract=off",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
]
