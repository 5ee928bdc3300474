"""`python -m flatnoise` reports facts as text and JSON, even if parts are missing."""

import json
import pathlib
import platform
import shutil

import keras
import pytest
import tensorflow as tf

import flatnoise
from flatnoise._src import report
from processes import PACKAGES, run_python

PACKAGE = pathlib.Path(flatnoise.__file__).parent
# Simulates an environment without TensorFlow by hiding it from imports.
HIDE_TENSORFLOW = """
import importlib.machinery
find_spec = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = lambda name, *arguments: (
    None if name.partition(".")[0] == "tensorflow" else find_spec(name, *arguments)
)
"""


def run(*arguments, path=PACKAGES):
    return run_python("-m", "flatnoise", *arguments, path=path).stdout


@pytest.fixture
def without_tensorflow(tmp_path):
    """A folder with the package that hides TensorFlow from programs with this path."""
    shutil.copytree(PACKAGE, tmp_path / "flatnoise")
    (tmp_path / "sitecustomize.py").write_text(HIDE_TENSORFLOW)
    return tmp_path


def rows(text):
    """The report as {name: value}. Two or more spaces separate names and values."""
    lines = text.splitlines()[1:]
    return {name: value.strip() for name, value in (line.strip().split("  ", 1) for line in lines)}


@pytest.fixture(scope="module")
def found():
    return json.loads(run("--json"))


def test_json_holds_all_of_build_info_and_what_it_runs_in(found):
    assert found.items() >= flatnoise.build_info().items()
    assert found["python_version"] == platform.python_version()
    assert found["keras_version"] == keras.__version__
    assert "CPU:0" in found["devices"]
    assert found["implementation"] == ("native" if found["native_loaded"] else "tensorflow")


def test_text_says_the_same(found):
    text = run()
    assert text.splitlines()[0] == f"flatnoise {found['version']}"
    told = rows(text)
    assert told["TensorFlow"].startswith(tf.version.VERSION)
    assert told["Keras"] == keras.__version__
    assert told["op library"] == (found["native_library"] or "none")
    assert told["instruction set"].startswith(str(found["instruction_set"]))


def test_text_says_that_the_compiled_op_is_in_use(native_in_xla):
    told = rows(report.as_text(report.facts()))
    assert told["in use"] == told["inside XLA"] == "the compiled op"


def test_without_tensorflow_it_says_so(without_tensorflow):
    found = json.loads(run("--json", path=without_tensorflow))
    assert found["tensorflow_version"] is None
    assert found["implementation"] is None
    assert found["devices"] == []
    told = rows(run(path=without_tensorflow))
    assert told["TensorFlow"] == "not installed"
    assert told["in use"] == told["inside XLA"] == "nothing: TensorFlow is not installed"


def test_without_a_library_it_says_what_fell_back_and_why(tmp_path):
    compiled = shutil.ignore_patterns("_native", "_core*.so")
    shutil.copytree(PACKAGE, tmp_path / "flatnoise", ignore=compiled)
    found = json.loads(run("--json", path=tmp_path))
    assert found["implementation"] == "tensorflow"
    told = rows(report.as_text(found))
    reason = f"stock TensorFlow ops: {found['native_error']}"
    assert told["in use"] == told["inside XLA"] == reason
    assert told["compiled by"] == "nothing compiled is here"
    assert told["for TensorFlow"] == told["CUDA kernels"] == "none"


def test_without_xla_kernels_inside_xla_falls_back_alone(native):
    found = {**report.facts(), "xla_loaded": False, "xla_error": "no such kernels"}
    told = rows(report.as_text(found))
    assert told["in use"] == "the compiled op"
    assert told["inside XLA"] == "stock TensorFlow ops: no such kernels"


def test_on_gpus_without_kernels_the_report_says_so(native):
    found = {
        **report.facts(),
        "implementation": "tensorflow",
        "devices": ["CPU:0", "GPU:0"],
        "gpu_error": "on GPU 0: no kernels",
    }
    told = rows(report.as_text(found))
    assert told["devices"] == "CPU:0, GPU:0"
    assert told["in use"] == told["inside XLA"]
    assert told["in use"] == "stock TensorFlow ops: on GPU 0: no kernels"


def test_on_devices_without_kernels_the_report_says_so(native, monkeypatch):
    class Tpu:
        device_type = "TPU"

    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: [Tpu])
    told = rows(report.as_text(report.facts()))
    assert told["in use"] == told["inside XLA"]
    assert told["in use"] == "stock TensorFlow ops: the compiled op has no kernel for TPU devices"


def test_unknown_arguments_are_refused():
    with pytest.raises(SystemExit):
        report.main(["--nonsense"])
