#!/usr/bin/env bash
# Installs the CUDA compiler from PyPI, for systems that have none:
#   scripts/install_cuda.sh FOLDER
# Then build with CUDACXX=FOLDER/cuda/bin/nvcc.
set -euo pipefail

folder=$1
project=$(dirname "$0")/..
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --upgrade "pip>=25.1"
"$folder/bin/python" -m pip install --quiet --group "$project/pyproject.toml:cuda"
ln -sfn "$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"/nvidia/cu* "$folder/cuda"
# nvcc and CMake search for libraries in lib64, and CMake expects this name for the dynamic one.
ln -sfn lib "$folder/cuda/lib64"
ln -sfn "$(basename "$folder"/cuda/lib/libcudart.so.*)" "$folder/cuda/lib/libcudart.so"
"$folder/cuda/bin/nvcc" --version
