#!/usr/bin/env bash
# Runs dieharder on raw words from standard input. Each test continues where the previous one
# stopped:
#   python tests/randomness/raw_words.py | tests/randomness/dieharder.sh
# Runs all tests except "sums", which its author advises against. The slowest tests are reduced: RGB
# lagged sums use 5 of 33 lags, and bit distributions use 6 of 12 lengths.
set -euo pipefail

run() { dieharder -g 200 -D test_name -D ntuple -D tsamples -D psamples -D pvalues -D assessment "$@"; }

for test in 100 101 15 2 3 16 8 9 0 4 10 11 12 13 17 204 205 206 207 208 209; do run -d "$test"; done
for n in 2 3 4 5; do run -d 202 -n "$n"; done
for n in 1 2 3 4 6 8; do run -d 200 -n "$n"; done
for n in 2 3 4 5; do run -d 201 -n "$n"; done
for test in 1 5 6 7 102; do run -d "$test"; done
for n in 0 1 3 7 15; do run -d 203 -n "$n"; done
