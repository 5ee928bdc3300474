#!/usr/bin/env bash
# Gives a wheel the lowest manylinux tag that its symbols allow:
#   scripts/repair_wheel.sh WHEEL FOLDER
# The excluded libraries are part of the user's TensorFlow or of the package itself.
set -euo pipefail

auditwheel repair --exclude libtensorflow_framework.so.2 --exclude libtensorflow_cc.so.2 \
  --exclude 'libflatnoise_*.so' --wheel-dir "$2" "$1"
