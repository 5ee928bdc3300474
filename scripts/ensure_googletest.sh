#!/usr/bin/env bash
# Makes sure that CMake finds GoogleTest: an installation, or Debian's sources.
set -euo pipefail

has_googletest() {
  [ -e /usr/src/googletest/CMakeLists.txt ] ||
    echo '#include <gtest/gtest.h>' | "${CXX:-c++}" -E -x c++ -o /dev/null - 2>/dev/null
}

has_googletest && exit

"$(dirname "$0")/apt_install.sh" libgtest-dev || true

has_googletest && exit

cat >&2 <<'END'
The C++ tests need GoogleTest, and it is not here. Install it and call make again:
  Debian, Ubuntu:  apt-get install libgtest-dev
  Fedora:          dnf install gtest-devel
Without it, `make test-python` runs the Python tests alone.
END
exit 1
