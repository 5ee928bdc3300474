#!/usr/bin/env bash
# Checks that a tag matches the version in pyproject.toml: scripts/check_tag.sh v0.1.0
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
if [ "${1:-}" != "v$version" ]; then
  echo "pyproject.toml says version $version: expected the tag v$version, got '${1:-}'" >&2
  exit 1
fi
