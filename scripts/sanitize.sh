#!/usr/bin/env bash
# Builds with sanitizers and runs tests: scripts/sanitize.sh [presets, default all]
#   asan  C++ tests, and Python tests of the compiled op in eager mode, in graphs and inside XLA,
#         under the address and undefined-behavior sanitizers. Needs a Python with TensorFlow and
#         pytest on the path.
#   tsan  C++ tests under the thread sanitizer
set -euo pipefail
cd "$(dirname "$0")/.."

build() {
  cmake --preset "$1" -DPython_EXECUTABLE="$(command -v python)" >/dev/null
  cmake --build --preset "$1"
}

# The interpreter isn't instrumented, so the sanitizer's library must be preloaded. Leak detection
# is off, because TensorFlow never frees its registries. pytest must not capture file descriptors,
# because that would hide the sanitizer's report.
op_tests() {
  local package=build/asan/package/flatnoise
  local preload
  preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)"
  rm -rf "$package" && mkdir -p "$package"
  cp -r python/flatnoise/. "$package"
  rm -rf "$package"/_native "$package"/_core*.so
  cp -r build/asan/libraries/. "$package"
  LD_PRELOAD=$preload ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=${package%/*} \
    FLATNOISE_REQUIRE_NATIVE=1 python -m pytest -q --capture=sys -k "not tensorflow" \
    --numprocesses auto --maxprocesses 4 --dist worksteal \
    tests/test_stream.py tests/test_gradients.py tests/test_multiply.py tests/test_arguments.py \
    tests/test_properties.py tests/test_broken_graphs.py
}

[ $# != 0 ] || set -- asan tsan
# In parallel, because each build ends with a file that keeps only one CPU busy.
builds=()
for preset; do
  build "$preset" &
  builds+=($!)
done
for process in "${builds[@]}"; do wait "$process"; done

for preset; do
  printf '== %s\n' "$preset"
  ctest --preset "$preset" --parallel "$(nproc)" --progress
  [ "$preset" != asan ] || op_tests
done
