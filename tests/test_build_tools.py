"""The build's facts about TensorFlow and CUDA, the download cache, and cross builds."""

import json
import os
import pathlib
import platform
import re
import runpy
import shutil
import subprocess
import sys
import zipfile

import pytest
import tensorflow as tf

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parents[1]
CMAKE = ROOT / "cmake"
PACKAGES = {"x86_64": "tensorflow_cpu", "aarch64": "tensorflow"}


def numbers(version):
    return [int(part) for part in version.split(".")]


def packed(package):
    return [
        "tensorflow/include/tensorflow/core/op.h",
        "tensorflow/libtensorflow_framework.so.2",
        "tensorflow/libtensorflow_cc.so.2",
        f"{package}-9.8.7.dist-info/METADATA",
    ]


def not_unpacked(package):
    return [
        "tensorflow/__init__.py",
        "tensorflow/python/include/other.h",
        f"{package}-9.8.7.dist-info/WHEEL",
        f"{package}-9.8.7.dist-info/RECORD",
    ]


def write_wheel(folder, package, version, tag, files):
    """Writes a wheel that pip accepts, with the given files besides its metadata."""
    information = f"{package}-{version}.dist-info"
    texts = {
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{information}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{package}-{version}-{tag}.whl", "w") as wheel:
        for name in dict.fromkeys([*files, *texts]):
            wheel.writestr(name, texts.get(name, "text"))


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
    """Settings with an index of one TensorFlow per architecture for pip, and a separate cache."""
    links = tmp_path / "links"
    links.mkdir()
    for machine, package in PACKAGES.items():
        tag = f"cp312-cp312-manylinux_2_17_{machine}"
        write_wheel(links, package, "9.8.7", tag, packed(package) + not_unpacked(package))
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(links),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "FLATNOISE_CACHE_DIR": "",
    }


def cache_name(version, machine):
    return f"{PACKAGES[machine].replace('_', '-')}-{version}-{machine}"


@pytest.mark.parametrize("machine", PACKAGES)
def test_fetching_unpacks_what_a_build_needs_and_no_more(index, tmp_path, machine):
    completed = run("fetch_tensorflow.py", "--machine", machine, "9.8", **index)
    assert completed.returncode == 0, completed.stderr
    folder = pathlib.Path(completed.stdout.strip())
    assert folder == tmp_path / "cache" / "flatnoise" / cache_name("9.8", machine)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(packed(PACKAGES[machine]))
    assert facts(folder)["VERSION"] == "9.8.7"
    assert facts(folder)["LIBRARY_DIR"] == str(folder / "tensorflow")


def test_what_is_in_the_cache_is_not_fetched_again(index, tmp_path):
    index["FLATNOISE_CACHE_DIR"] = str(tmp_path / "elsewhere")
    first = run("fetch_tensorflow.py", "9.8", **index)
    index["PIP_FIND_LINKS"] = str(tmp_path / "nothing")
    second = run("fetch_tensorflow.py", "9.8", "9.8", **index)
    folder = str(tmp_path / "elsewhere" / cache_name("9.8", platform.machine()))
    assert first.stdout == f"{folder}\n"
    assert second.stdout == f"{folder};{folder}\n"


def test_a_processor_without_tensorflow_is_refused(index):
    completed = run("fetch_tensorflow.py", "--machine", "riscv64", "9.8", **index)
    assert completed.returncode != 0
    assert "PyPI has TensorFlow for Linux on x86_64 or aarch64, not on 'riscv64'" in (
        completed.stderr
    )


def test_a_version_that_pip_does_not_find_leaves_nothing_behind(index, tmp_path):
    completed = run("fetch_tensorflow.py", "--machine", "aarch64", "9.7", **index)
    assert completed.returncode != 0
    assert "pip could not download tensorflow 9.7 for aarch64" in completed.stderr
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
        (cache / cache_name(version, "aarch64")).mkdir(parents=True)
    completed = run("fetch_tensorflow.py", "--machine", "aarch64", "all", **index)
    folders = [pathlib.Path(folder).name for folder in completed.stdout.strip().split(";")]
    assert folders == [cache_name(version, "aarch64") for version in versions]


def test_each_processor_has_its_requirement_and_the_tags_of_its_wheels():
    versions = runpy.run_path(str(CMAKE / "tensorflow_versions.py"))["version_range"]()
    for machine, package in PACKAGES.items():
        told = run("tensorflow_versions.py", "requirement", machine).stdout.strip()
        assert told == f"{package.replace('_', '-')}{versions}"
        tags = run("tensorflow_versions.py", "platforms", machine).stdout.split()
        assert f"--platform=manylinux_2_17_{machine}" in tags
        assert all(tag.endswith(f"_{machine}") for tag in tags)


def test_literals_agree_with_the_list_of_versions():
    tomllib = pytest.importorskip("tomllib")
    versions = runpy.run_path(str(CMAKE / "tensorflow_versions.py"))
    minors, pythons = list(versions["VERSIONS"]), versions["pythons"]()
    spelled = versions["version_range"]()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    without_cuda = [
        f"tensorflow-cpu{spelled}; platform_machine != 'aarch64'",
        f"tensorflow{spelled}; platform_machine == 'aarch64'",
    ]
    assert set(without_cuda) <= set(settings["build-system"]["requires"])
    for extra, requirements in [
        ("tensorflow", [f"tensorflow{spelled}"]),
        ("cpu", without_cuda),
        ("and-cuda", [f"tensorflow[and-cuda]{spelled}"]),
    ]:
        assert project["optional-dependencies"][extra] == [*requirements, "keras>=3"]
    assert project["requires-python"] == f">={pythons[0]}"
    prefix = "Programming Language :: Python :: 3."
    classified = [line for line in project["classifiers"] if line.startswith(prefix)]
    assert classified == [f"Programming Language :: Python :: {python}" for python in pythons]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {pythons[0]} to {pythons[-1]}" in readme
    assert f"TensorFlow {minors[0]} to {minors[-1]}" in readme


@pytest.mark.parametrize("machine", PACKAGES)
def test_the_ends_are_the_oldest_and_the_newest_with_pythons_that_they_have(machine):
    versions = runpy.run_path(str(CMAKE / "tensorflow_versions.py"))["VERSIONS"]
    oldest, newest = json.loads(run("tensorflow_versions.py", "ends", machine).stdout)
    package = PACKAGES[machine].replace("_", "-")
    for end, minor in [(oldest, min(versions, key=numbers)), (newest, max(versions, key=numbers))]:
        assert end["tensorflow"] == f"{package}=={minor}.*"
        assert end["python"] in versions[minor].pythons


def test_the_versions_with_xla_kernels_are_those_whose_rows_say_so():
    versions = runpy.run_path(str(CMAKE / "tensorflow_versions.py"))["VERSIONS"]
    told = run("tensorflow_versions.py", "xla").stdout.split()
    assert told == [minor for minor, facts in versions.items() if facts.has_xla_kernels]


def test_workflows_take_versions_of_tensorflow_from_the_list():
    for workflow in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = workflow.read_text(encoding="utf-8")
        assert not re.search(r"tensorflow(-cpu)?\W*[=<>~]=|\b2\.\d\d\b", text), workflow.name
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert "python3 cmake/tensorflow_versions.py ends" in text
    assert "include: ${{ fromJSON(needs.versions.outputs.ends) }}" in text


def test_workflows_call_what_there_is_to_make():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    called = {
        target
        for workflow in (ROOT / ".github" / "workflows").glob("*.yml")
        for target in re.findall(r"\bmake ([a-z-]+)$", workflow.read_text("utf-8"), re.M)
    }
    assert {"test", "lint", "docs", "wheels", "sdist"} <= called <= set(targets)


def test_published_wheels_are_for_every_supported_python():
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pythons = runpy.run_path(str(CMAKE / "tensorflow_versions.py"))["pythons"]()
    built = settings["tool"]["cibuildwheel"]["build"]
    assert built == [f"cp{python.replace('.', '')}-*" for python in pythons]


@pytest.mark.parametrize(("tag", "accepted"), [("v{}", True), ("{}", False), ("v{}.1", False)])
def test_a_release_is_tagged_with_its_version(tag, accepted):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.*)"$', text, re.M)[1]
    command = [ROOT / "scripts" / "check_tag.sh", tag.format(version)]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (completed.returncode == 0) == accepted
    assert (f"expected the tag v{version}, got" in completed.stderr) != accepted


NVIDIA_SMI = """#!/bin/sh
printf '{capabilities}'
exit {status}
"""
GPUS = {
    "none": ("", 0, "for CPUs only"),
    "a driver that fails": ("NVIDIA-SMI has failed", 9, "for CPUs only"),
    "one": ("9.0\\n", 0, "kernels for 90-real\n"),
    "two of a kind and another": ("8.0\\n8.0\\n9.0\\n", 0, "kernels for 80-real;90-real\n"),
    "one without code of its own": ("8.7\\n", 0, "kernels for 75-real;"),
}


@pytest.fixture(scope="module")
def build_folder(tmp_path_factory):
    """One for all GPUs, so that CMake examines the compilers once."""
    return tmp_path_factory.mktemp("build")


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no CUDA compiler")
@pytest.mark.parametrize(("capabilities", "status", "told"), GPUS.values(), ids=GPUS)
def test_kernels_are_for_the_gpus_of_this_machine(
    tmp_path, build_folder, capabilities, status, told
):
    programs = tmp_path / "programs"
    text = NVIDIA_SMI.format(capabilities=capabilities, status=status)
    write_program(programs / "nvidia-smi", text)
    completed = subprocess.run(
        ["cmake", f"-S{ROOT}", f"-B{build_folder}"]
        + [f"-DFLATNOISE_WITH_{part}=OFF" for part in ("TENSORFLOW", "PYTHON")],
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert told in completed.stdout


RECORDING_CMAKE = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    print(json.dumps(sys.argv[1:]), file=log)
"""


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def build_for(index, tmp_path):
    """Runs setup.py for a platform, with a fake CMake that records its arguments."""
    pytest.importorskip("setuptools")
    log = tmp_path / "log"
    text = RECORDING_CMAKE.format(python=sys.executable, log=str(log))
    write_program(tmp_path / "programs" / "cmake", text)

    def build(host_platform, versions):
        environment = {
            **os.environ,
            **index,
            "PATH": f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "_PYTHON_HOST_PLATFORM": host_platform,
            "FLATNOISE_TENSORFLOW_VERSIONS": versions,
            "CMAKE_ARGS": "",
        }
        completed = subprocess.run(
            [sys.executable, "setup.py", "build", f"--build-base={tmp_path / 'build'}"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return completed, [json.loads(line) for line in lines]

    return build


def test_a_cross_build_has_a_toolchain_the_processors_tensorflow_and_a_folder_of_its_own(
    build_for, tmp_path
):
    completed, (configure, build) = build_for("linux-aarch64", "9.8")
    assert completed.returncode == 0, completed.stderr
    folder = tmp_path / "cache" / "flatnoise" / cache_name("9.8", "aarch64")
    version = "{}{}".format(*sys.version_info)
    assert f"-DCMAKE_TOOLCHAIN_FILE={CMAKE / 'toolchains' / 'aarch64-linux-gnu.cmake'}" in configure
    assert f"-DFLATNOISE_TENSORFLOW_DIRS={folder}" in configure
    assert f"-DFLATNOISE_MODULE_SUFFIX=.cpython-{version}-aarch64-linux-gnu.so" in configure
    assert f"-B{tmp_path / 'build' / 'cmake-aarch64'}" in configure
    assert build[:2] == ["--build", str(tmp_path / "build" / "cmake-aarch64")]


def test_a_build_for_this_machine_has_none_of_that(build_for, tmp_path):
    completed, (configure, _) = build_for(f"linux-{platform.machine()}", "9.8")
    assert completed.returncode == 0, completed.stderr
    assert not any(option.startswith("-DCMAKE_TOOLCHAIN_FILE") for option in configure)
    assert not any(option.startswith("-DFLATNOISE_MODULE_SUFFIX") for option in configure)
    assert f"-B{tmp_path / 'build' / 'cmake'}" in configure


def test_a_cross_build_needs_versions_and_a_toolchain(build_for):
    completed, calls = build_for("linux-aarch64", "")
    assert completed.returncode != 0
    assert "FLATNOISE_TENSORFLOW_VERSIONS has to name the versions to build for" in (
        completed.stderr
    )
    completed, calls = build_for("linux-riscv64", "9.8")
    assert completed.returncode != 0
    assert calls == []
    assert "expected a toolchain file riscv64-linux-gnu.cmake" in completed.stderr


NVCC = """#!/bin/sh
case "$1" in
  --dryrun) echo "#$ TOP={top}" >&2 ;;
  --version) echo "Cuda compilation tools, release {version}, V{version}.88" ;;
esac
"""


@pytest.fixture
def cuda(index, tmp_path):
    """Settings with an nvcc of a given version on the path, and wheels of CUDA 13.0 for pip."""
    files = {
        "nvidia_cuda_runtime": [
            "include/cuda_runtime.h",
            "lib/libcudart_static.a",
            "lib/libcudart.so.13",
        ],
        "nvidia_cuda_crt": ["include/crt/host_config.h"],
        "nvidia_cuda_cccl": ["include/cccl/thrust/pair.h"],
        "nvidia_cuda_nvcc": ["include/fatbinary_section.h", "bin/nvcc"],
    }
    for package, names in files.items():
        members = [f"nvidia/cu13/{name}" for name in names]
        tag = "py3-none-manylinux_2_17_aarch64"
        write_wheel(tmp_path / "links", package, "13.0.5", tag, members)
    toolkit = tmp_path / "toolkit"
    (toolkit / "nvvm").mkdir(parents=True)

    def settings(version):
        text = NVCC.format(top=toolkit / "bin" / "..", version=version)
        write_program(toolkit / "bin" / "nvcc", text)
        return {**index, "PATH": f"{toolkit / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    return settings


def test_cuda_for_another_processor_is_this_compiler_beside_its_headers_and_library(cuda, tmp_path):
    completed = run("fetch_cuda.py", "aarch64", **cuda("13.0"))
    assert completed.returncode == 0, completed.stderr
    compiler = pathlib.Path(completed.stdout.strip())
    toolkit = tmp_path / "cache" / "flatnoise" / "cuda-13.0-aarch64"
    assert compiler == toolkit / "bin" / "nvcc"
    # nvcc searches next to its folder, so that must not be a link.
    assert compiler.resolve() == tmp_path / "toolkit" / "bin" / "nvcc"
    assert not compiler.parent.is_symlink()
    assert (toolkit / "nvvm").resolve() == tmp_path / "toolkit" / "nvvm"
    target = toolkit / "targets" / "aarch64-linux"
    files = {str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir()}
    assert files == {
        "include/cuda_runtime.h",
        "include/crt/host_config.h",
        "include/cccl/thrust/pair.h",
        "include/fatbinary_section.h",
        "lib/libcudart_static.a",
        "lib/libcudart.so.13",
        "lib/libcudart.so",
    }


def test_cuda_before_13_and_what_pip_does_not_find_are_refused(cuda, tmp_path):
    completed = run("fetch_cuda.py", "aarch64", **cuda("12.9"))
    assert completed.returncode != 0
    assert "expected nvcc of CUDA 13 or newer on the path" in completed.stderr
    assert "is of CUDA 12.9" in completed.stderr
    completed = run("fetch_cuda.py", "aarch64", **cuda("13.7"))
    assert completed.returncode != 0
    assert "pip could not download CUDA 13.7 for aarch64" in completed.stderr
    assert list((tmp_path / "cache" / "flatnoise").iterdir()) == []
