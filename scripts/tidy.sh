#!/usr/bin/env bash
# Runs clang-tidy on the C++ code, with .clang-tidy:
#   scripts/tidy.sh [files, default all except CUDA]
# Needs on the path: a Python with TensorFlow, clang-tidy 19 or newer, and a CUDA compiler, for the
# headers that the GPU glue includes.
set -euo pipefail
cd "$(dirname "$0")/.."

files=("$@")
[ ${#files[@]} != 0 ] || files=(cc/cpu/*.cc cc/tensorflow/*.cc cc/python/*.cc)
cmake -S . -B build/tidy -G Ninja -DPython_EXECUTABLE="$(command -v python)" \
  -DFLATNOISE_WITH_CUDA=ON -DCMAKE_UNITY_BUILD=OFF >/dev/null
# The compile commands are for GCC, so Clang may not know some warning options.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy -p build/tidy --quiet --warnings-as-errors='*' \
  --extra-arg=-Wno-unknown-warning-option
echo "clang-tidy: ${#files[@]} files clean"
