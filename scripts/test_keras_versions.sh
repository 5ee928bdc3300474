#!/usr/bin/env bash
# Tests the replacements of Keras's layers and functions with older versions of Keras: the given
# ones, or those below. They precede the installed Keras on the path and use the same TensorFlow.
# `make test` runs the same tests with the installed Keras.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=("$@")
if [ ${#versions[@]} -eq 0 ]; then
  versions=(3.4.1 3.8.0)
fi

for version in "${versions[@]}"; do
  folder="$PWD/build/keras/$version"
  if [ ! -d "$folder" ]; then
    python -m pip install --quiet --no-deps --target "$folder.part" "keras==$version"
    mv "$folder.part" "$folder"
  fi
  (
    export PYTHONPATH="$folder${PYTHONPATH:+:$PYTHONPATH}"
    python -c "import keras; assert keras.__version__ == '$version', keras.__version__"
    python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal \
      tests/test_convert.py tests/test_drop_in_layers.py tests/test_patch.py
  )
done
