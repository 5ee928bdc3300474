"""What a build knows of TensorFlow: facts of folders, and the cache that pip fills."""

import os
import pathlib
import runpy
import subprocess
import sys
import zipfile

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[1]
CMAKE = ROOT / "cmake"
PACKED = [
    "tensorflow/include/tensorflow/core/op.h",
    "tensorflow/libtensorflow_framework.so.2",
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow_cpu-9.8.7.dist-info/METADATA",
]
NOT_UNPACKED = [
    "tensorflow/__init__.py",
    "tensorflow/python/include/other.h",
    "tensorflow_cpu-9.8.7.dist-info/WHEEL",
    "tensorflow_cpu-9.8.7.dist-info/RECORD",
]
TEXTS = {
    PACKED[-1]: "Metadata-Version: 2.1\nName: tensorflow_cpu\nVersion: 9.8.7\n",
    NOT_UNPACKED[2]: "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp312-cp312-linux_x86_64\n",
}


def run(program, *arguments, **environment):
    return subprocess.run(
        [sys.executable, str(CMAKE / program), *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def facts(*folder):
    completed = run("tensorflow_facts.py", *folder)
    assert completed.returncode == 0, completed.stderr
    return dict(line.split("=", 1) for line in completed.stdout.splitlines())


def test_a_folder_tells_what_the_imported_tensorflow_tells():
    assert facts(pathlib.Path(tf.__file__).parents[1]) == facts()


def test_a_folder_without_tensorflow_is_refused(tmp_path):
    completed = run("tensorflow_facts.py", tmp_path)
    assert completed.returncode != 0
    assert f"{tmp_path} should hold one TensorFlow as its wheel does" in completed.stderr


@pytest.fixture
def index(tmp_path):
    """Settings that have pip know one wheel alone, and a cache of its own."""
    links = tmp_path / "links"
    links.mkdir()
    name = "tensorflow_cpu-9.8.7-cp312-cp312-manylinux_2_17_x86_64.whl"
    with zipfile.ZipFile(links / name, "w") as wheel:
        for member in PACKED + NOT_UNPACKED:
            wheel.writestr(member, TEXTS.get(member, "text"))
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(links),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "FLATNOISE_CACHE_DIR": "",
    }


def test_fetching_unpacks_what_a_build_needs_and_no_more(index, tmp_path):
    completed = run("fetch_tensorflow.py", "9.8", **index)
    assert completed.returncode == 0, completed.stderr
    folder = pathlib.Path(completed.stdout.strip())
    assert folder == tmp_path / "cache" / "flatnoise" / "tensorflow-cpu-9.8"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(PACKED)
    assert facts(folder)["VERSION"] == "9.8.7"
    assert facts(folder)["LIBRARY_DIR"] == str(folder / "tensorflow")


def test_what_is_in_the_cache_is_not_fetched_again(index, tmp_path):
    index["FLATNOISE_CACHE_DIR"] = str(tmp_path / "elsewhere")
    first = run("fetch_tensorflow.py", "9.8", **index)
    index["PIP_FIND_LINKS"] = str(tmp_path / "nothing")
    second = run("fetch_tensorflow.py", "9.8", "9.8", **index)
    folder = str(tmp_path / "elsewhere" / "tensorflow-cpu-9.8")
    assert first.stdout == f"{folder}\n"
    assert second.stdout == f"{folder};{folder}\n"


def test_a_version_that_pip_does_not_find_leaves_nothing_behind(index, tmp_path):
    completed = run("fetch_tensorflow.py", "9.7", **index)
    assert completed.returncode != 0
    assert "pip could not download tensorflow-cpu 9.7" in completed.stderr
    assert list((tmp_path / "cache" / "flatnoise").iterdir()) == []


@pytest.mark.parametrize("version", ["2", "2.18.1", "newest", ""])
def test_other_than_minor_versions_are_refused(index, version):
    completed = run("fetch_tensorflow.py", version, **index)
    assert completed.returncode != 0
    assert f"expected a minor version of TensorFlow such as 2.21, got {version!r}" in (
        completed.stderr
    )


def test_all_stands_for_every_supported_version(index, tmp_path):
    cache = tmp_path / "cache" / "flatnoise"
    versions = run("tensorflow_versions.py").stdout.split()
    for version in versions:
        (cache / f"tensorflow-cpu-{version}").mkdir(parents=True)
    completed = run("fetch_tensorflow.py", "all", **index)
    folders = [pathlib.Path(folder).name for folder in completed.stdout.strip().split(";")]
    assert folders == [f"tensorflow-cpu-{version}" for version in versions]


def test_literals_agree_with_the_list_of_versions():
    tomllib = pytest.importorskip("tomllib")
    versions = runpy.run_path(str(CMAKE / "tensorflow_versions.py"))
    minors, pythons = list(versions["VERSIONS"]), versions["pythons"]()
    spelled = versions["version_range"]()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    assert f"tensorflow-cpu{spelled}" in settings["build-system"]["requires"]
    for extra, name in [
        ("tensorflow", "tensorflow"),
        ("cpu", "tensorflow-cpu"),
        ("and-cuda", "tensorflow[and-cuda]"),
    ]:
        assert f"{name}{spelled}" in project["optional-dependencies"][extra]
    assert project["requires-python"] == f">={pythons[0]}"
    prefix = "Programming Language :: Python :: 3."
    classified = [line for line in project["classifiers"] if line.startswith(prefix)]
    assert classified == [f"Programming Language :: Python :: {python}" for python in pythons]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {pythons[0]} to {pythons[-1]}" in readme
    assert f"TensorFlow {minors[0]} to {minors[-1]}" in readme
