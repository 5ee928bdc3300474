"""Finding, loading and choosing the compiled op; in new processes if state matters."""

import dataclasses
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sysconfig
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

import flatnoise
from conftest import STOCK
from flatnoise._src import gpu, library
from processes import run_code

PACKAGE = pathlib.Path(flatnoise.__file__).parent
BUILT = ("_native", "_core*.so", "_core*.pyd")
KEYS = {
    "version",
    "tensorflow_version",
    "built_against_tensorflow",
    "instruction_set",
    "instruction_sets",
    "cuda_architectures",
    "native_loaded",
    "native_error",
    "native_library",
}


@pytest.fixture
def without_library(tmp_path):
    """A copy of the package without compiled files."""
    shutil.copytree(PACKAGE, tmp_path / "flatnoise", ignore=shutil.ignore_patterns(*BUILT))
    return tmp_path


@pytest.mark.skipif(
    os.environ.get("FLATNOISE_REQUIRE_NATIVE") != "1", reason="FLATNOISE_REQUIRE_NATIVE is not 1"
)
def test_the_compiled_op_is_there():
    assert library.load().loaded, library.load().reason


def test_build_info_tells_what_is_in_use():
    info = flatnoise.build_info()
    assert info.keys() >= KEYS
    assert info["tensorflow_version"] == tf.version.VERSION
    assert info["native_loaded"] == (info["native_error"] is None)


FALLBACK = """
import warnings
import tensorflow as tf
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    import flatnoise
    ours = lambda: [str(w.message) for w in seen if "flatnoise" in str(w.message)]
    assert ours() == []
    x = tf.zeros([2, 3])
    auto = flatnoise.flatten_add_normal(x, [1, 2])
    assert len(ours()) == 1, ours()
    flatnoise.flatten_add_uniform(x, [1, 2])
    flatnoise.layers.AddGaussianNoise()(x)
    tf.function(lambda: flatnoise.flatten_add_normal(x, [1, 2]))()
    assert len(ours()) == 1, ours()
stock = flatnoise.flatten_add_normal(x, [1, 2], implementation="tensorflow")
assert (auto.numpy() == stock.numpy()).all()
try:
    flatnoise.flatten_add_normal(x, [1, 2], implementation="native")
except RuntimeError as error:
    native = str(error)
info = flatnoise.build_info()
assert not info["native_loaded"]
for text in (ours()[0], native, info["native_error"]):
    assert EXPECTED in text, text
"""


def test_without_a_library_the_fallback_works_and_one_warning_says_why(without_library):
    run_code("EXPECTED = 'contains no compiled library'" + FALLBACK, without_library)


def test_a_library_for_another_tensorflow_is_named(without_library):
    (without_library / "flatnoise/_native").mkdir()
    (without_library / "flatnoise/_native/libflatnoise_tf2_3.so").touch()
    run_code("""EXPECTED = 'pip install "tensorflow==2.3.*"'""" + FALLBACK, without_library)


def test_a_broken_library_is_no_reason_to_crash(without_library):
    major, minor = tf.version.VERSION.split(".")[:2]
    (without_library / "flatnoise/_native").mkdir()
    broken = without_library / f"flatnoise/_native/libflatnoise_tf{major}_{minor}.so"
    broken.write_bytes(b"not a library")
    run_code(f"EXPECTED = '{broken.name} does not load in TensorFlow'" + FALLBACK, without_library)


def test_without_tensorflow_the_extras_are_named(without_library):
    code = """
import importlib.util, sys
sys.modules["tensorflow"] = None
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "tensorflow" else found(name)
import flatnoise
import flatnoise.numpy
assert not flatnoise.build_info()["native_loaded"]

def message(statement):
    try:
        exec(statement)
    except ImportError as error:
        return str(error)

for statement in (
    "flatnoise.flatten_add_normal", "flatnoise.layers", "from flatnoise import raw_ops",
    "import flatnoise.layers",
):
    for extra in ("flatnoise[tensorflow]", "flatnoise[cpu]", "flatnoise[and-cuda]"):
        assert extra in message(statement), statement
try:
    flatnoise.nonsense
except AttributeError:
    print("done")
"""
    assert run_code(code, without_library) == "done\n"


def traced_ops(**options):
    def add(x):
        return flatnoise.flatten_add_normal(x, [1, 2])

    function = tf.function(add, **options).get_concrete_function(tf.zeros([2, 3]))
    return {operation.type for operation in function.graph.get_operations()}


def test_auto_takes_the_compiled_op_in_xla_too(native_in_xla):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "Flatnoise>FlattenNoise" in traced_ops()
        assert "Flatnoise>FlattenNoise" in traced_ops(jit_compile=True)


@pytest.fixture
def without_xla_kernels(native, monkeypatch):
    without = dataclasses.replace(library.load(), xla_reason="no XLA kernels in this test")
    monkeypatch.setattr(library, "load", lambda: without)


def test_auto_takes_stock_ops_in_xla_without_kernels(without_xla_kernels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "Flatnoise>FlattenNoise" in traced_ops()
        assert "Flatnoise>FlattenNoise" not in traced_ops(jit_compile=True)


def test_native_refuses_xla_without_kernels_and_says_what_to_do(without_xla_kernels):
    @tf.function(jit_compile=True)
    def add(x):
        return flatnoise.flatten_add_normal(x, [1, 2], implementation="native")

    with pytest.raises(RuntimeError, match=r"no XLA kernels in this test. Use implementation='au"):
        add(tf.zeros([2, 3]))


def test_a_missing_or_broken_xla_library_leaves_the_op(native, tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "flatnoise")
    major, minor = tf.version.VERSION.split(".")[:2]
    file = tmp_path / f"flatnoise/_native/libflatnoise_xla_tf{major}_{minor}.so"
    code = """
import tensorflow as tf, flatnoise
info = flatnoise.build_info()
assert info["native_loaded"] and not info["xla_loaded"] and NAME in info["xla_error"], info
x = tf.zeros([2, 3])
add = lambda: flatnoise.flatten_add_uniform(x, [1, 2])
difference = tf.function(add, jit_compile=True)() - add()
assert float(tf.reduce_max(abs(difference))) < 1e-6
"""
    for damage in (lambda: file.write_bytes(b"not a library"), file.unlink):
        damage()
        run_code(f"NAME = {file.name!r}\n{code}", tmp_path)


def test_auto_takes_stock_ops_on_gpus_without_kernels(native, monkeypatch):
    monkeypatch.setattr(gpu, "problem", lambda: "on a GPU of this test: no kernels")
    with pytest.warns(RuntimeWarning, match="on a GPU of this test: no kernels"):
        assert "Flatnoise>FlattenNoise" not in traced_ops()


class FakeGpu:
    name = "/physical_device:GPU:0"


@pytest.fixture
def one_visible_gpu(native, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [FakeGpu])
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: True)


def test_what_cuda_says_of_a_gpu_is_passed_on(one_visible_gpu):
    """For machines without a driver, with a driver that is too old, or without kernels."""
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("a GPU is there")
    reason = gpu.problem.__wrapped__()
    assert reason.startswith("on /physical_device:GPU:0: ")
    has_kernels = gpu.cuda_build().version is not None
    assert ("CUDA reports" if has_kernels else "built without CUDA kernels") in reason


def test_gpus_of_other_makers_get_stock_ops(one_visible_gpu, monkeypatch):
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: False)
    assert "without CUDA" in gpu.problem.__wrapped__()


def test_without_a_gpu_there_is_no_problem(native, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    assert gpu.problem.__wrapped__() is None


# The oldest versions that TensorFlow's wheels support: glibc 2.28, and the libstdc++ of GCC 8.
OLDEST_SYSTEM = {"GLIBC": (2, 28), "GLIBCXX": (3, 4, 25), "CXXABI": (1, 3, 11)}


def glibc_version():
    return tuple(map(int, platform.libc_ver()[1].split(".")))


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or glibc_version() > (2, 36),
    reason="headers newer than glibc 2.36 may refer to symbols that nobody has replaced yet",
)
@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
@pytest.mark.parametrize(
    "built",
    [
        *PACKAGE.glob("_core" + sysconfig.get_config_var("EXT_SUFFIX")),
        *sorted(PACKAGE.glob("_native/*.so")),
    ],
    ids=lambda path: path.stem,
)
def test_libraries_run_on_the_oldest_system(built):
    read = ["readelf", "--wide", "--sections", "--version-info", str(built)]
    text = subprocess.run(read, capture_output=True, text=True, check=True).stdout
    if ".nv_fatbin" in text:
        pytest.skip("CUDA's static runtime needs what the linker's glibc has")
    needed = re.findall(r"Name: (GLIBC|GLIBCXX|CXXABI)_([\d.]+)", text)
    versions = [(name, tuple(map(int, version.split(".")))) for name, version in needed]
    assert versions
    assert not [(name, v) for name, v in versions if v > OLDEST_SYSTEM[name]]


@pytest.mark.parametrize("op", ["Flatnoise>FlattenNoise", "Flatnoise>FlattenNoiseGrad"])
def test_kernels_are_registered_for_every_device_that_was_built_for(native, op):
    devices = {kernel.device_type for kernel in kernels.get_registered_kernels_for_op(op).kernel}
    expected = {"CPU"}
    has_gpu, has_xla = gpu.cuda_build().version is not None, library.load().has_xla_kernels
    expected |= {"GPU"} if has_gpu else set()
    expected |= {"XLA_CPU_JIT"} if has_xla else set()
    expected |= {"XLA_GPU_JIT"} if has_gpu and has_xla else set()
    assert devices == expected


SAVE = """
import tensorflow as tf, flatnoise
module = tf.Module()
module.add = tf.function(
    lambda x, seed: flatnoise.flatten_add_normal(x, seed, stddev=tf.constant([1.0, 2.0, 3.0])),
    input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([2], tf.int64)],
)
tf.saved_model.save(module, FOLDER)
"""
LOAD = """
import numpy as np, tensorflow as tf, flatnoise
module = tf.saved_model.load(FOLDER)
x, scale = tf.ones([4, 3]), tf.Variable(1.0)
seed = tf.constant([5, 6], tf.int64)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = module.add(x, seed)
expected = flatnoise.flatten_add_normal(x, seed, stddev=[1.0, 2.0, 3.0])
np.testing.assert_allclose(y, expected, atol=1e-5)
np.testing.assert_array_equal(tape.gradient(y, x), np.ones([4, 3]))
"""


def test_saved_models_load_in_another_process(tmp_path):
    folder = f"FOLDER = {str(tmp_path / 'model')!r}\n"
    run_code(folder + SAVE)
    run_code(folder + LOAD)


@pytest.mark.parametrize("distribution", STOCK)
def test_tf_data_maps_in_parallel(variant, distribution):
    rows = np.linspace(-1, 1, 12 * 5, dtype=np.float32).reshape(12, 5)

    def add(index, row):
        seed = tf.stack([index, tf.constant(7, tf.int64)])
        return variant.call(distribution, row, seed, flatten=False)

    data = tf.data.Dataset.from_tensor_slices(rows).enumerate()
    sequential = list(data.map(add).as_numpy_iterator())
    parallel = list(data.map(add, num_parallel_calls=2).as_numpy_iterator())
    np.testing.assert_array_equal(parallel, sequential)
    assert np.unique(np.asarray(sequential) - rows).size > 50
