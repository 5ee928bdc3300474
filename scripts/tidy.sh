#!/usr/bin/env bash
# clang-tidy over the C++ code, by .clang-tidy: scripts/tidy.sh [files, all but CUDA's unless told]
# Needs a Python with TensorFlow, clang-tidy 19 or newer, and a CUDA compiler, whose headers the glue of
# its kernels includes, on the path.
set -euo pipefail
cd "$(dirname "$0")/.."

files=("$@")
[ ${#files[@]} != 0 ] || files=(cc/cpu/*.cc cc/tensorflow/*.cc cc/python/*.cc)
cmake -S . -B build/tidy -G Ninja -DPython_EXECUTABLE="$(command -v python)" \
  -DFLATNOISE_WITH_CUDA=ON -DCMAKE_UNITY_BUILD=OFF >/dev/null
# The commands are GCC's, whose warnings Clang need not know.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy -p build/tidy --quiet --warnings-as-errors='*' \
  --extra-arg=-Wno-unknown-warning-option
echo "clang-tidy: ${#files[@]} files clean"
