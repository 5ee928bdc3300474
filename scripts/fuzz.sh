#!/usr/bin/env bash
# Builds the libFuzzer programs in tests/fuzz and runs each for a limited time:
#   scripts/fuzz.sh [seconds per program, default 60] [programs, default all]
# Corpora are in build/fuzz/corpus, failing inputs in build/fuzz.
#   CLANGXX  a Clang with libFuzzer (default: clang++, or the newest clang++-N)
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift $(($# > 0))
programs=("$@")
[ ${#programs[@]} != 0 ] || programs=(apply_noise core parameter_gradients)

newest=$(compgen -c clang++- | grep -x 'clang++-[0-9]*' | sort -t- -k2 -n | tail -n 1 || true)
clangxx=${CLANGXX:-$(command -v clang++ || command -v "${newest:-clang++}" || true)}
if [ -z "$clangxx" ] || ! echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }' |
  "$clangxx" -x c++ -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null; then
  echo "Fuzzing needs Clang with libFuzzer. Debian: apt-get install clang-19 libclang-rt-19-dev" >&2
  exit 1
fi

cmake --preset fuzz -DCMAKE_CXX_COMPILER="$clangxx" >/dev/null
cmake --build --preset fuzz

for program in "${programs[@]}"; do
  corpus=build/fuzz/corpus/$program
  mkdir -p "$corpus"
  printf '== %s, %s s\n' "$program" "$seconds"
  "build/fuzz/tests/fuzz/${program}_fuzzer" "$corpus" -max_total_time="$seconds" -max_len=1024 \
    -verbosity=1 -print_final_stats=1 -artifact_prefix="build/fuzz/$program-" \
    >"build/fuzz/$program.log" 2>&1 || { tail -n 60 "build/fuzz/$program.log"; exit 1; }
  grep -E '^stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)' \
    "build/fuzz/$program.log"
done
