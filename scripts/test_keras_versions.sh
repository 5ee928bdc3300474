#!/usr/bin/env bash
# Tests what takes the place of Keras's own layers and functions with older versions of Keras: those
# named, or the ones below. They are put before the installed one on the path, over the same
# TensorFlow. `make test` runs the same tests with the Keras that is installed.
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
