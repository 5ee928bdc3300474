"""Compiler flags, as CMakeLists.txt has them."""

COPTS = [
    "-std=c++17",
    "-Wall",
    "-Wextra",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
]
