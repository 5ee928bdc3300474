# Everything runs in a virtual environment in .venv, created with $(PYTHON) on first use. Requires a
# C++17 compiler, make, and Python 3.10 to 3.13 with its venv module.

PYTHON ?= python3
# The TensorFlow to use, as a pip requirement. demo, test and bench build only for this version and
# for this machine's GPUs. wheel and release build for all supported versions and GPUs.
TENSORFLOW ?= $(shell $(PYTHON) cmake/tensorflow_versions.py requirement)
# Additional arguments for the program that a target runs, as in: make bench ARGS=--quick
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || echo 2)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Modules are compiled on first import instead, because only few of the installed modules are
# imported. Some container images forbid this, and then every import of TensorFlow takes seconds.
export PIP_NO_COMPILE := 1
unexport PYTHONDONTWRITEBYTECODE
export TF_CPP_MIN_LOG_LEVEL ?= 2

# Stamp files, whose timestamps show whether a step is up to date.
DEPENDENCIES := $(VENV)/dependencies.stamp
PACKAGE := $(VENV)/package.stamp
CUDA_ON_HOST := build/cuda-on-host/built.stamp
USE_CUDA_ON_HOST = FLATNOISE_CUDA_ON_HOST=$(dir $(CUDA_ON_HOST))tests \
  FLATNOISE_REQUIRE_CUDA_ON_HOST=$(if $(shell command -v nvcc),1)
LINTERS := $(VENV)/linters.stamp
RELEASE_TOOLS := $(VENV)/release-tools.stamp
NOX = $(BIN)/nox
# uv takes seconds where pip takes a minute.
INSTALL := $(if $(shell command -v uv),uv pip install --python $(BIN)/python,$(BIN)/python -m pip install) --quiet

CC_SOURCES := $(shell find cc -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name CMakeLists.txt)
PACKAGE_SOURCES := setup.py pyproject.toml MANIFEST.in README.md LICENSE CMakeLists.txt \
  $(wildcard cmake/*) $(CC_SOURCES) $(shell find python/flatnoise -name '*.py' -o -name '*.pyi')
CUDA_ON_HOST_SOURCES := $(wildcard tests/cuda_on_host/*) tests/cc/cuda_host_grid.h
CXX_FILES = $(shell find benchmarks cc tests -name '*.cc' -o -name '*.h' -o -name '*.cu')
SHELL_FILES = .ci/run $(shell grep -rlE '^\#!.*sh$$' scripts tests)
WORKFLOWS = $(wildcard .github/workflows/*.yml)
PYTHON_FILES := python tests benchmarks examples cmake tools .ci setup.py noxfile.py

.PHONY: help demo install test test-all test-cc test-python test-python-all test-keras \
  test-matrix test-aarch64 test-cc-aarch64 lint format wheel wheels wheels-aarch64 sdist release bench \
  bench-training docs bazel sanitize fuzz tidy clean
.DEFAULT_GOAL := help

help: ## List the targets
	@echo "make TARGET   (PYTHON=$(PYTHON), TENSORFLOW='$(TENSORFLOW)')"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|'

demo: $(PACKAGE) ## Train a denoising autoencoder; writes demo/denoised_digits.png
	$(BIN)/python examples/denoise_digits.py $(ARGS)

install: $(PACKAGE) ## Build flatnoise and install it into .venv, with what its tests need

test: test-cc test-python ## Run the C++ and Python tests, except slow ones

test-all: TESTS := all
test-all: $(CUDA_ON_HOST) test-cc test-python ## Run all C++ and Python tests

test-python-all: TESTS := all
test-python-all: $(CUDA_ON_HOST) test-python ## Run only the Python tests, all of them

# The tests to run: short or all.
TESTS := short

test-cc: $(PACKAGE) ## Run only the C++ tests
	scripts/ensure_googletest.sh
	cmake build/cmake -DFLATNOISE_WITH_TESTS=ON
	cmake --build build/cmake --target $(TESTS)_tests
	ctest --test-dir build/cmake --parallel "$(CMAKE_BUILD_PARALLEL_LEVEL)" --output-on-failure \
	  $(if $(filter short,$(TESTS)),--label-regex short)

test-python: $(PACKAGE) ## Run only the Python tests
	FLATNOISE_REQUIRE_NATIVE=1 TF_FORCE_GPU_ALLOW_GROWTH=true \
	  $(if $(filter all,$(TESTS)),$(USE_CUDA_ON_HOST)) $(BIN)/python -m pytest \
	  $(if $(filter short,$(TESTS)),-m "not long") \
	  --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

test-keras: $(PACKAGE) ## Test the replacements of Keras's layers with older Keras versions
	FLATNOISE_REQUIRE_NATIVE=1 scripts/test_keras_versions.sh $(ARGS)

test-matrix: $(RELEASE_TOOLS) ## Test the wheels with every supported Python and TensorFlow
	$(NOX) -s matrix $(ARGS)

test-aarch64: $(PACKAGE) ## Build and test for 64-bit Arm under qemu, compare results bit for bit
	scripts/test_aarch64.sh

test-cc-aarch64: $(DEPENDENCIES) ## Run only the C++ tests for 64-bit Arm
	scripts/test_aarch64.sh cc

lint: $(LINTERS) ## Check style, types, scripts and workflows
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)
	$(BIN)/shellcheck --severity=warning $(SHELL_FILES)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet .github

format: $(LINTERS) ## Format the sources
	$(BIN)/ruff check --fix-only $(PYTHON_FILES)
	$(BIN)/ruff format $(PYTHON_FILES)
	$(BIN)/clang-format -i $(CXX_FILES)

wheel: $(RELEASE_TOOLS) ## Build the wheel for $(PYTHON) and all TensorFlow versions into dist/
	$(NOX) -s "wheel-$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

wheels: $(DEPENDENCIES) ## Build the wheels for PyPI in manylinux images into wheelhouse/
	$(INSTALL) --group wheels
	$(BIN)/cibuildwheel $(ARGS)

wheels-aarch64: $(RELEASE_TOOLS) ## Cross-compile the wheels for 64-bit Arm into dist/
	command -v aarch64-linux-gnu-g++ || scripts/apt_install.sh g++-aarch64-linux-gnu
	$(NOX) -s wheel_aarch64 $(ARGS)

sdist: $(RELEASE_TOOLS) ## Build the source distribution into dist/
	$(NOX) -s sdist

release: $(RELEASE_TOOLS) ## Build and check everything for a release: wheels, source distribution
	rm -rf dist
	$(NOX) -s wheel sdist from_source readme
	@ls -l dist

bench: $(PACKAGE) ## Benchmark against all installed frameworks (ARGS=--quick: a minute)
	$(BIN)/python benchmarks/compare.py $(ARGS)

bench-training: $(PACKAGE) ## Measure the cost of noise in a training step, in Keras and patched
	$(BIN)/python benchmarks/training.py $(ARGS)

docs: $(DEPENDENCIES) ## Build the documentation site into build/site, with warnings as errors
	$(INSTALL) --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bazel: $(DEPENDENCIES) ## Build the op library with Bazel, run the C++ tests, load the library
	PYTHON_BIN_PATH=$(CURDIR)/$(BIN)/python scripts/bazel_build.sh $(ARGS)

sanitize: $(PACKAGE) ## Run tests under the address, undefined-behavior and thread sanitizers
	scripts/ensure_googletest.sh
	scripts/sanitize.sh $(ARGS)

fuzz: $(DEPENDENCIES) ## Run the fuzzers, a minute each (ARGS=600: ten), needs Clang
	scripts/fuzz.sh $(ARGS)

tidy: $(DEPENDENCIES) ## Check the C++ code with clang-tidy
	$(INSTALL) --group tidy
	scripts/tidy.sh $(ARGS)

clean: ## Remove all generated files, including the environment
	rm -rf $(VENV) .nox build dist wheelhouse demo python/*.egg-info python/flatnoise/_native
	rm -f python/flatnoise/_core*.so

$(DEPENDENCIES): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade "pip>=25.1"
	$(INSTALL) --group build "$(TENSORFLOW)"
	touch $@

$(LINTERS): $(DEPENDENCIES)
	$(INSTALL) --group lint
	touch $@

$(RELEASE_TOOLS): $(DEPENDENCIES)
	$(INSTALL) --group nox
	touch $@

# Removes the results of earlier builds, so that they don't end up in the wheel. Keeps object files.
$(PACKAGE): $(DEPENDENCIES) $(PACKAGE_SOURCES)
	rm -rf build/wheel build/lib* build/bdist*
	$(BIN)/python -m pip wheel --no-build-isolation --no-deps --wheel-dir build/wheel .
	$(INSTALL) --force-reinstall --no-deps build/wheel/*.whl
	$(INSTALL) --group bench \
	  "$$(echo build/wheel/*.whl)[demo,test]" "$(TENSORFLOW)"
	touch $@

# The glue between TensorFlow and the CUDA kernels, for the Python tests on machines without a GPU.
# Needs CUDA's headers. Without them, nothing is built and the tests are skipped.
$(CUDA_ON_HOST): $(PACKAGE) $(CUDA_ON_HOST_SOURCES)
	scripts/ensure_googletest.sh
	cmake -S . -B $(@D) -G Ninja -DCMAKE_MAKE_PROGRAM="$(CURDIR)/$(BIN)/ninja" \
	  -DPython_EXECUTABLE="$(CURDIR)/$(BIN)/python" -DFLATNOISE_PACKAGE_DIR="$(CURDIR)/$(@D)/package" \
	  -DFLATNOISE_WITH_TESTS=ON -DFLATNOISE_WITH_PYTHON=OFF -DFLATNOISE_WITH_CUDA=OFF
	cmake --build $(@D) --target cuda_on_host
	touch $@
