"""`python -m flatnoise.bench`: every contender does the work, and all is told of it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import types

import numpy as np
import pytest

import flatnoise
from flatnoise.bench import __main__ as program
from flatnoise.bench import cases, measuring, peers, processes
from flatnoise.bench.cases import Case
from flatnoise.bench.measuring import Crew, NotRun, Result, Row
from flatnoise.bench.memory import Grown
from flatnoise.bench.processes import PeerFailed, Process, Setup

SMALL = (16, 8, 4, 3)
PACKAGES = pathlib.Path(flatnoise.__file__).parent.parent
HERE, _ = measuring.importable(peers.NAMES)
NOISY = [name for name in peers.NAMES if name != peers.MEMORY]
# Of each, whether it makes noise of both kinds.
ONLY_NORMAL = ("keras",)


@pytest.fixture(autouse=True)
def package_for_workers(monkeypatch):
    """The processes import the package that this one has imported."""
    path = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.fixture(scope="module", params=peers.NAMES)
def crew(request):
    """A peer alone at work."""
    if (reason := peers.why_absent(request.param)) is not None:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PACKAGES))
        with Crew([request.param], Setup("cpu", 1)) as at_work:
            yield at_work


def measure(crew, case, ways=()):
    return measuring.measure(crew, case, ways, 2, lambda row, doing: None)


# The work.


@pytest.mark.parametrize("distribution", cases.DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_every_way_of_every_peer_gives_the_flattened_input_with_noise(crew, dtype, distribution):
    # Those whose results are not what is asked for are among the not run.
    row = measure(crew, Case(SMALL, dtype, distribution))
    (name,) = crew.versions
    if name in ONLY_NORMAL and distribution != "normal":
        assert [each.reason for each in row.not_run] == [
            "Keras has no layer that adds uniform noise"
        ]
        return
    without_xla = flatnoise.build_info()["xla_error"]
    allowed = {"XLA"} if name == "flatnoise" and without_xla else set()
    assert {each.way for each in row.not_run} == allowed, row.not_run
    assert row.results
    for result in row.results:
        assert len(result.samples) == result.turns or result.turns == 0
        assert min(result.samples) > 0
        assert result.quartiles[0] <= result.median <= result.quartiles[1]


WORKS = {
    "flatnoise": {"per_feature", "chain", "loop", "gradient", "both_ways"},
    "tensorflow": {"per_feature", "chain", "loop", "gradient", "both_ways"},
    "torch": {"per_feature", "chain", "both_ways"},
    "jax": {"per_feature", "chain", "gradient", "both_ways"},
    "memory": {"per_feature", "chain", "gradient"},
}


@pytest.mark.parametrize("work", [work for work in cases.WORKS if work != "forward"])
def test_peers_do_the_other_works_or_say_that_they_do_not(crew, work):
    row = measure(crew, Case(SMALL, work=work), ["eager*", "graph*", "compile", "jit*"])
    (name,) = crew.versions
    if work in WORKS.get(name, ()):
        assert not row.not_run
        assert row.fastest(name, copies=name == peers.MEMORY)
    else:
        (not_run,) = row.not_run
        assert (not_run.peer, not_run.way) == (name, "")
        assert not_run.reason in (
            f"{work} is not written for it",
            "the work takes more than one pass over the memory",
        )


def noised(case, *, loc=cases.LOC, scale=cases.SCALE):
    x = cases.make_input(case).astype(np.float64).reshape(case.shape[0], -1)
    rng = np.random.default_rng(3)
    draw = rng.standard_normal if case.distribution == "normal" else rng.random
    return (x + loc + scale * draw(x.shape)).astype(cases.numpy_dtype(case.dtype))


@pytest.mark.parametrize("distribution", cases.DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), SMALL, (64, 1024)])
def test_right_results_are_taken(shape, dtype, distribution):
    case = Case(shape, dtype, distribution)
    assert cases.explain_wrong(case, noised(case)) is None


WRONG = {
    "shape": (lambda case: noised(case).reshape(case.shape), "shape"),
    "type": (lambda case: noised(case).astype(np.float16), "float16, expected float32"),
    "no noise": (lambda case: noised(case, scale=0.0), "standard deviation 0.0000"),
    "another level": (lambda case: noised(case, scale=0.09), "standard deviation"),
    "another mean": (lambda case: noised(case, loc=0.01), "mean 0.01"),
    "another input": (lambda case: noised(case)[::-1], "standard deviation"),
}


@pytest.mark.parametrize(("make", "told"), WRONG.values(), ids=WRONG)
def test_wrong_results_are_explained(make, told):
    case = Case((64, 16, 16, 3))
    assert told in cases.explain_wrong(case, make(case))


@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_inputs_beyond_the_period_repeat_it(dtype, monkeypatch):
    monkeypatch.setattr(cases, "_PERIOD", 100)
    case = Case((3, 77), dtype)
    flat = cases.make_input(case).reshape(-1)
    np.testing.assert_array_equal(flat, np.resize(cases.input_start(case), 231))


@pytest.mark.parametrize(
    ("text", "shape"),
    [("32x28x28x1", (32, 28, 28, 1)), ("2^20", (1024, 1024)), ("2**5", (1, 32)), ("2^0", (1, 1))],
)
def test_sizes_are_shapes_or_powers_of_two(text, shape):
    assert cases.parse_shape(text) == shape


def test_in_each_turn_every_contender_is_measured_once():
    asked = []
    worker = types.SimpleNamespace(
        ask=lambda do, way, calls: asked.append(way) or {"seconds": float(calls)}
    )
    row = Row(Case(SMALL), Setup("cpu", 1))
    row.results = [
        Result("numpy", f"{number}", False, 0.0, 7, turns)
        for number, turns in enumerate((5, 5, 5, 2))
    ]
    measuring._take_turns(row, {"numpy": worker}, 5, lambda row, doing: None)
    assert [sorted(asked[:4]), sorted(asked[4:8])] == [["0", "1", "2", "3"]] * 2
    assert [sorted(asked[first : first + 3]) for first in (8, 11, 14)] == [["0", "1", "2"]] * 3
    assert [result.samples for result in row.results] == [[7.0] * 5] * 3 + [[7.0] * 2]


# Peers that fail.


def test_a_peer_that_lacks_memory_says_how_much_it_needs():
    with Crew(["numpy"], Setup("cpu", 1)) as crew:
        (not_run,) = measure(crew, Case((2**20, 2**20))).not_run
    assert not_run.reason.startswith("needs 14073.7 GB of memory, ")


def test_a_process_that_ends_is_reported_and_started_again():
    with Crew(["numpy", "memory"], Setup("cpu", 1)) as crew:
        assert measure(crew, Case(SMALL)).fastest("numpy")
        victim = next(crew.present())

        def kill(row, doing):
            if doing.startswith("turn 1"):
                victim._process.kill()
                victim._process.wait()

        row = measuring.measure(crew, Case(SMALL), [], 3, kill)
        assert [(each.peer, each.way) for each in row.not_run] == [("numpy", "Generator")]
        assert "its process ended by signal 9" in row.not_run[0].reason
        assert row.fastest(copies=True)
        assert measure(crew, Case(SMALL)).fastest("numpy")


def test_a_process_that_hangs_is_reported_and_started_again(monkeypatch):
    with Crew(["numpy", "memory"], Setup("cpu", 1)) as crew:
        victim = next(crew.present())
        victim._process.send_signal(signal.SIGSTOP)
        with monkeypatch.context() as impatience:
            impatience.setattr(processes, "_PATIENCE", 0.2)
            with pytest.raises(PeerFailed, match=r"gave no answer within 0\.2 s"):
                victim.ask("sample", way="Generator", calls=1)
        assert measure(crew, Case(SMALL)).fastest("numpy")


def test_a_peer_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    (tmp_path / "mkl_random.py").write_text("raise ImportError('broken library')")
    path = os.pathsep.join([str(tmp_path), str(PACKAGES)])
    monkeypatch.setenv("PYTHONPATH", path)
    with Crew(["mkl_random"], Setup("cpu", 1)) as crew:
        assert crew.absent == [NotRun("mkl_random", "", "ImportError: broken library")]
        assert measure(crew, Case(SMALL)).not_run == crew.absent


def test_a_peer_without_a_gpu_says_so():
    process = Process("numpy", Setup("gpu", 1))
    with pytest.raises(PeerFailed, match="NumPy works on the processor alone"):
        process.greet()
    process.close()


# What is told.


def a_row(elements=1024, **case):
    row = Row(Case((1, elements), **case), Setup("cpu", 2, "avx2"))
    row.results = [
        Result("flatnoise", "graph", False, 0.5, 1, 2, [1e-3, 1e-3]),
        Result("tensorflow", "graph stateless", False, 0.5, 1, 2, [8e-3, 8e-3]),
        Result("tensorflow", "eager stateless", False, 0.5, 1, 2, [9e-3, 9e-3]),
        Result("tensorflow", "x + 0", True, 0.5, 1, 2, [0.8e-3, 0.8e-3]),
        Result("torch", "eager", False, 0.5, 1, 2, [4e-3, 4e-3]),
        Result("memory", "numpy.copyto", True, 0.5, 1, 2, [0.5e-3, 0.5e-3]),
    ]
    row.not_run = [NotRun("torch", "compile", "RuntimeError: no compiler [c++]")]
    return row


def printed(table):
    rich_console = pytest.importorskip("rich.console")
    console = rich_console.Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_the_table_of_a_case_ranks_its_contenders():
    pytest.importorskip("rich")
    from flatnoise.bench import tables

    title, _, *lines = printed(tables.of_row(a_row(), tables.PLAIN)).splitlines()
    assert title.strip() == "float32 1×1024 normal, forward; 2 threads, avx2"
    names = [line.split("  ")[0] for line in lines]
    assert names == [
        *("flatnoise graph", "torch eager", "tensorflow graph stateless"),
        *("tensorflow eager stateless", "memory numpy.copyto", "tensorflow x + 0"),
    ]
    figures = lines[2].split()[3:]  # 1024 elements in 8 ms, a copy in half a ms
    assert figures == ["0.1", "8.000", "8.000", "-", "8.000", "2×1", "0.50", "8.00×", "0.06"]


def test_the_closing_table_compares_the_fastest_ways():
    pytest.importorskip("rich")
    from flatnoise.bench import tables

    line = printed(tables.of_all([a_row()], tables.MARKDOWN)).rstrip().splitlines()[-1]
    assert [cell.strip() for cell in line.strip().strip("|").split("|")] == [
        *("float32 1×1024 normal, forward", "2 threads", "avx2", "1.0 (graph)"),
        *("0.1 (graph stateless)", "8.00×", "0.3 (torch eager)", "4.00×", "0.80", "0.50"),
    ]


def test_those_not_run_are_told_with_their_reasons():
    pytest.importorskip("rich")
    from flatnoise.bench import tables

    assert tables.of_not_run(a_row().not_run) == [
        "not run: torch compile: RuntimeError: no compiler [c++]"
    ]


def test_the_table_of_memory_gives_shares_of_the_input():
    pytest.importorskip("rich")
    from flatnoise.bench import tables

    grown = Grown(Case((1000, 1000)), "tensorflow", "graph", 4_000_000, 8_200_000)
    line = printed(tables.of_memory([grown], tables.PLAIN)).splitlines()[-1]
    assert line.split()[-6:] == ["forward", "tensorflow", "(graph)", "4", "8", "2.05"]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_plot_is_a_picture_of_its_format(suffix, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    from flatnoise.bench import plot

    without_peers = Row(Case((1, 64), "float16"), Setup("cpu", 1))
    path = tmp_path / f"plot{suffix}"
    plot.draw([a_row(2**20), a_row(), without_peers], "title", path)
    start = path.read_bytes()[:5]
    assert start == {".png": b"\x89PNG\r", ".svg": b"<?xml", ".pdf": b"%PDF-"}[suffix]
    if suffix == ".png":
        assert np.ptp(image.imread(path)) > 0


def run(*arguments, path=PACKAGES):
    return subprocess.run(
        [sys.executable, "-m", "flatnoise.bench", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(path), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


TYPES_OF_ROW = {
    "shape": list,
    "dtype": str,
    "distribution": str,
    "work": str,
    "elements": int,
    "input_bytes": int,
    "device": str,
    "threads": int,
    "instruction_set": str,
    "results": list,
    "not_run": list,
}
TYPES_OF_RESULT = {
    "peer": str,
    "way": str,
    "is_copy": bool,
    "median": float,
    "quartiles": list,
    "samples": list,
    "calls_per_sample": int,
    "first_call": float,
    "elements_per_second": float,
    "bytes_per_second": float,
}


def types_of(fields):
    return {name: type(value) for name, value in fields.items()}


def test_the_program_prints_plain_text_and_writes_json_and_a_plot(tmp_path):
    pytest.importorskip("rich")
    pytest.importorskip("matplotlib")
    written, drawn = tmp_path / "found.json", tmp_path / "drawn.png"
    options = ["--sizes", "2^12", "8x4x4", "--types", "float32", "--noises", "normal"]
    options += ["--peers", "flatnoise", "numpy", "--ways", "eager", "Gen*", "--threads", 1]
    done = run(*options, "--repeats", 2, "--json", written, "--plot", drawn)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert done.stdout.count("numpy Generator") >= 2
    assert drawn.read_bytes().startswith(b"\x89PNG")
    found = json.loads(written.read_text())
    assert set(found) == {"format", "machine", "versions", "rows", "memory", "not_run"}
    assert set(found["versions"]) == {"flatnoise", "numpy", "memory"}
    assert [row["shape"] for row in found["rows"]] == [[4, 1024], [8, 4, 4]]
    for row in found["rows"]:
        assert types_of(row) == TYPES_OF_ROW
        names = {f"{result['peer']} {result['way']}" for result in row["results"]}
        assert names == {"flatnoise eager", "numpy Generator", "memory numpy.copyto"}
        for result in row["results"]:
            assert types_of(result) == TYPES_OF_RESULT
            rate = row["elements"] / result["median"]
            assert result["elements_per_second"] == pytest.approx(rate)


def test_the_program_measures_memory(tmp_path):
    pytest.importorskip("rich")
    written = tmp_path / "found.json"
    options = ["--sizes", "64x512x512", "--works", "forward", "--json", written]
    done = run("--memory", *options, "--peers", "numpy", "--ways", "Gen*")
    assert done.returncode == 0, done.stderr
    assert "numpy (Generator)" in done.stdout
    (grown,) = json.loads(written.read_text())["memory"]
    assert grown["input_bytes"] == 64 * 512 * 512 * 4
    # One tensor: the noise, to which the input is added in place.
    assert 0.9 < grown["grown_bytes"] / grown["input_bytes"] < 1.5


# What can't be.

REFUSED = {
    "a size of one dimension": (["--sizes", "12"], "Received: '12'"),
    "a size of nothing": (["--sizes", "0x3"], "as 256x64x64x3, or a power of two"),
    "an unknown type": (["--types", "int8"], "'int8'"),
    "an unknown peer": (["--peers", "theano"], "'theano'"),
    "no threads": (["--threads", "0"], "a number from 1 on. Received: '0'"),
    "one sample": (["--repeats", "1"], "a number from 2 on. Received: '1'"),
    "a plot of no format": (["--plot", "a.txt"], ".png or .svg or .pdf. Received: 'a.txt'"),
    "a folder that is not there": (["--json", "nowhere/a.json"], "there is no folder 'nowhere'"),
    "an instruction set": (["--instruction-sets", "neon"], "Received: 'neon'"),
    "memory as a plot": (["--memory", "--plot", "a.png"], "--plot draws times"),
    "a GPU's memory": (["--memory", "--devices", "gpu"], "the processor's memory alone"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED)
def test_wrong_options_are_explained_before_anything_is_measured(arguments, told, capsys):
    pytest.importorskip("rich")
    pytest.importorskip("matplotlib")
    with pytest.raises(SystemExit) as ended:
        program.parse(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lacking", "arguments", "told"),
    [
        ({"rich"}, [], "needs rich, which"),
        ({"matplotlib"}, ["--plot", "a.png"], "needs matplotlib, which"),
        ({"rich", "matplotlib"}, ["--plot", "a.png"], "needs rich and matplotlib, which"),
    ],
)
def test_missing_extras_are_named(lacking, arguments, told, monkeypatch, capsys):
    find_spec = lambda name: None if name in lacking else object()  # noqa: E731
    util = types.SimpleNamespace(find_spec=find_spec)
    monkeypatch.setattr(program, "importlib", types.SimpleNamespace(util=util))
    with pytest.raises(SystemExit) as ended:
        program.parse(arguments)
    assert ended.value.code == 1
    message = capsys.readouterr().err
    assert told in message
    assert "pip install flatnoise[bench]" in message


def test_a_quick_look_is_smaller_than_a_whole_one(monkeypatch):
    monkeypatch.setattr(program.importlib.util, "find_spec", lambda name: object())
    whole, quick = program.parse([]), program.parse(["--quick"])
    for name in ("sizes", "types", "noises", "threads"):
        assert len(getattr(quick, name)) <= len(getattr(whole, name))
    assert set(whole.peers) == set(NOISY)
    assert program.parse(["--quick", "--types", "float64"]).types == ["float64"]
