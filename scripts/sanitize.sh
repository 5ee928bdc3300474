#!/usr/bin/env bash
# Builds the C++ core, CPU kernels and their tests with sanitizers and runs the tests:
#   scripts/sanitize.sh [presets, asan and tsan unless told]
set -euo pipefail
cd "$(dirname "$0")/.."

presets=("$@")
[ ${#presets[@]} != 0 ] || presets=(asan tsan)
for preset in "${presets[@]}"; do
  printf '== %s\n' "$preset"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset" --progress
done
