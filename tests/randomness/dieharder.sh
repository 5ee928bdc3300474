#!/usr/bin/env bash
# Has dieharder read raw words from standard input, each test going on where the one before stopped:
#   python tests/randomness/raw_words.py | tests/randomness/dieharder.sh
# All its tests but "sums", which its author advises against. Of RGB's lagged sums it takes 5 of 33
# lags, of the bit distributions 6 of 12 lengths: they are the longest.
set -euo pipefail

run() { dieharder -g 200 -D test_name -D ntuple -D tsamples -D psamples -D pvalues -D assessment "$@"; }

for test in 100 101 15 2 3 16 8 9 0 4 10 11 12 13 17 204 205 206 207 208 209; do run -d "$test"; done
for n in 2 3 4 5; do run -d 202 -n "$n"; done
for n in 1 2 3 4 6 8; do run -d 200 -n "$n"; done
for n in 2 3 4 5; do run -d 201 -n "$n"; done
for test in 1 5 6 7 102; do run -d "$test"; done
for n in 0 1 3 7 15; do run -d 203 -n "$n"; done
