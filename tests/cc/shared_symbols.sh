#!/bin/sh
# Fails if two units built for different instruction sets define the same symbol. The linker would
# keep only one, and an older CPU might execute unsupported instructions.
#   shared_symbols.sh NM OBJECT...
set -eu
nm=$1
shift
units=0
symbols=$(mktemp)
trap 'rm -f "$symbols"' EXIT
for object in "$@"; do
  "$nm" --defined-only --extern-only "$object" | awk '{print $3}' | sort -u >>"$symbols"
  units=$((units + 1))
done
[ "$units" -ge 3 ] || { echo "found $units units of kernels, expected 3 or more" >&2; exit 1; }
[ -s "$symbols" ] || { echo "the units define no symbols" >&2; exit 1; }
shared=$(sort "$symbols" | uniq -d)
[ -z "$shared" ] || { printf 'defined for several instruction sets:\n%s\n' "$shared" >&2; exit 1; }
