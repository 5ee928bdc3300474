#!/usr/bin/env bash
# Gives a wheel the lowest tag of manylinux that its symbols allow: scripts/repair_wheel.sh WHEEL FOLDER
# A user's TensorFlow has the libraries that are left out; the package's own find each other.
set -euo pipefail

auditwheel repair --exclude libtensorflow_framework.so.2 --exclude libtensorflow_cc.so.2 \
  --exclude 'libflatnoise_*.so' --wheel-dir "$2" "$1"
