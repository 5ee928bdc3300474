#!/usr/bin/env bash
# Builds the op library and the C++ tests with Bazel, runs the tests, and loads the library in
# Python. Arguments go to Bazel, as in: scripts/bazel_build.sh --jobs=2
#   --build_tag_filters= --test_tag_filters=
#                    builds and runs all tests; slow tests are excluded by default
#   PYTHON_BIN_PATH  a Python interpreter with TensorFlow (default: python3)
#   BAZEL            the program (default: bazel)
set -euo pipefail
cd "$(dirname "$0")/.."

bazel=${BAZEL:-bazel}
export PYTHON_BIN_PATH=${PYTHON_BIN_PATH:-python3}
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}

missing=()
command -v "$bazel" >/dev/null ||
  missing+=("Bazel ($bazel). Debian: apt-get install bazel-bootstrap; or set BAZEL")
echo '#include <gtest/gtest.h>' | "${CC:-gcc}" -E -x c++ -o /dev/null - 2>/dev/null ||
  missing+=("GoogleTest. Debian: apt-get install libgtest-dev")
"$PYTHON_BIN_PATH" -c 'import tensorflow' 2>/dev/null ||
  missing+=("TensorFlow in $PYTHON_BIN_PATH. pip install tensorflow-cpu; or set PYTHON_BIN_PATH")
if [ ${#missing[@]} != 0 ]; then
  printf 'The build with Bazel needs\n' >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi

"$bazel" test --noshow_progress --build_tag_filters=-takes_long --test_tag_filters=-takes_long \
  "$@" //...

# A copy of the package with only the libraries built by Bazel.
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
mkdir -p "$package/flatnoise/_native"
cp -r python/flatnoise/*.py python/flatnoise/_src "$package/flatnoise"
cp build/bazel-bin/cc/tensorflow/libflatnoise_*.so "$package/flatnoise/_native"
PYTHONPATH=$package "$PYTHON_BIN_PATH" - <<'END'
import numpy as np
import tensorflow as tf

import flatnoise
from flatnoise._src import library

loaded = library.load()
assert loaded.loaded, loaded.reason
images = tf.random.stateless_uniform([64, 28, 28, 1], seed=[3, 4])


def noisy(implementation):
    return flatnoise.flatten_add_normal(images, seed=[1, 2], implementation=implementation)


native = noisy("native")
np.testing.assert_allclose(native, noisy("tensorflow"), rtol=0, atol=4e-6)
modes = ["eager"]
if loaded.has_xla_kernels:
    compiled = tf.function(noisy, autograph=False, jit_compile=True)("native")
    np.testing.assert_array_equal(compiled, native)
    modes.append("XLA")
print(f"{loaded.path.name}, built by Bazel, agrees with stock ops: {', '.join(modes)}")
END
