#!/usr/bin/env bash
# Cross-compiles for Linux on 64-bit Arm, and runs tests under qemu:
#
#   scripts/test_aarch64.sh [cc] [python]     (default: both)
#
#   cc      the C++ tests
#   python  the package in TensorFlow: compares results bit for bit with the flatnoise that is
#           installed for the `python` on the path, and loads models saved by the other side
#
# All files are in build/aarch64: a root folder with Python from Debian arm64, TensorFlow's packages
# and the builds. Missing Debian packages on this machine are installed if permitted.
set -euo pipefail
cd "$(dirname "$0")/.."

machine=aarch64
folder=$PWD/build/$machine
package=$folder/package
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
# The wheel must be built with the Python version of Debian arm64.
declare -A debian_with_python=([3.11]=bookworm [3.13]=trixie)

need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null || scripts/apt_install.sh "$2" || true
  command -v "$1" >/dev/null && return
  echo "The tests for $machine need $1. Debian: apt-get install $2" >&2
  exit 1
}

cc_tests() {
  scripts/ensure_googletest.sh
  cmake -S . -B "$folder/tests" -G Ninja -Wno-deprecated \
    -DCMAKE_MAKE_PROGRAM="$(command -v ninja)" \
    -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/toolchains/$machine-linux-gnu.cmake" \
    -DFLATNOISE_WITH_TESTS=ON -DFLATNOISE_WERROR=ON \
    -DFLATNOISE_WITH_TENSORFLOW=OFF -DFLATNOISE_WITH_PYTHON=OFF
  # The CUDA kernel bodies are slow tests, and no Arm CPU needs them.
  cmake --build "$folder/tests" --parallel "$jobs" --target short_tests
  ctest --test-dir "$folder/tests" --parallel "$jobs" --output-on-failure --label-regex short
}

# Packages are only unpacked, without a chroot, because only Python has to run.
make_root() {
  local suite=${debian_with_python[$python_version]}
  [ ! -e "$root/complete" ] || return 0
  need debootstrap debootstrap
  rm -rf "$root" "$folder/debian"
  debootstrap --download-only --arch=arm64 --variant=minbase \
    --include=python3,libstdc++6,zlib1g "$suite" "$folder/debian" >"$folder/debootstrap.log" || {
    tail "$folder/debootstrap.log" >&2
    exit 1
  }
  mkdir -p "$root"
  for archive in "$folder"/debian/var/cache/apt/archives/*.deb; do
    dpkg-deb -x "$archive" "$root"
  done
  rm -rf "$folder/debian"
  touch "$root/complete"
}

make_site() {
  local version=$1 platforms
  [ ! -e "$site/complete-$version" ] || return 0
  rm -rf "$site"
  read -ra platforms < <(python cmake/tensorflow_versions.py platforms "$machine")
  python -m pip install --quiet --target "$site" --python-version "$python_version" \
    --implementation cp --only-binary=:all: "${platforms[@]}" "tensorflow==$version.*" "keras>=3"
  touch "$site/complete-$version"
}

make_package() {
  local version=$1
  rm -rf "$folder/wheel" "$package" build/lib* build/bdist*
  _PYTHON_HOST_PLATFORM=linux-$machine FLATNOISE_TENSORFLOW_VERSIONS=$version \
    python -m pip wheel --no-build-isolation --no-deps --wheel-dir "$folder/wheel" .
  python -m zipfile -e "$folder"/wheel/*.whl "$package"
}

arm_python() {
  "$qemu" -L "$root" -E PYTHONPATH="$package:$site" -E TF_CPP_MIN_LOG_LEVEL=2 \
    "$root/usr/bin/python$python_version" "$@"
}

python_tests() {
  local version arrays=tests/aarch64/noise_arrays.py
  version=$(python cmake/tensorflow_versions.py)
  version=${version##* }
  python_version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ -z "${debian_with_python[$python_version]:-}" ]; then
    echo "expected \`python\` to be of a version that an arm64 Debian has:" \
      "${!debian_with_python[*]}; it is of $python_version" >&2
    exit 1
  fi
  root=$folder/root-$python_version site=$folder/site-$python_version
  make_root
  make_site "$version"
  make_package "$version"
  rm -rf "$folder/here" "$folder/there"
  echo "== what this machine makes"
  python -P "$arrays" write "$folder/here"
  echo "== what $machine makes of the same"
  arm_python -P "$arrays" compare "$folder/here" --write "$folder/there"
  echo "== and back"
  python -P "$arrays" compare "$folder/there"
}

[ $# != 0 ] || set -- cc python
for part; do
  case $part in
    cc | python) ;;
    *) echo "expected the parts cc and python, got '$part'" >&2 && exit 2 ;;
  esac
done
need "$machine-linux-gnu-g++" "g++-$machine-linux-gnu"
need "qemu-$machine-static" qemu-user-static
qemu=$(command -v "qemu-$machine-static")
mkdir -p "$folder"
for part; do
  printf '== %s: %s\n' "$machine" "$part"
  "${part}_tests"
done
