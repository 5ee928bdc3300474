"""benchmarks/compare.py: what is measured is right, what is wrong is refused, and all is told."""

import argparse
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import flatnoise

pyperf = pytest.importorskip("pyperf")
pytest.importorskip("matplotlib")
pytest.importorskip("tabulate")

import cases  # noqa: E402
import compare  # noqa: E402
import machine  # noqa: E402
import measure  # noqa: E402
import peers  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import worker  # noqa: E402
from cases import Case  # noqa: E402
from peers import Unsupported  # noqa: E402
from results import Result  # noqa: E402
from worker import Setup  # noqa: E402

SMALL = (16, 8, 4, 3)
SETUP = Setup(2, "avx2")
PROGRAM = pathlib.Path(compare.__file__)
PACKAGES = pathlib.Path(flatnoise.__file__).parent.parent
# What each can do besides `forward`.
WORKLOADS = {
    "flatnoise": {"per_feature", "chain", "loop", "gradient", "forward_backward"},
    "tensorflow": {"per_feature", "chain", "loop", "gradient", "forward_backward"},
    "torch": {"per_feature", "chain", "forward_backward"},
    "jax": {"per_feature", "chain", "gradient", "forward_backward"},
    "copy": {"per_feature", "chain", "gradient"},
}


@pytest.fixture(scope="module")
def environment():
    """Undoes what workers are given for theirs."""
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = str(PACKAGES)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module", params=peers.NAMES)
def peer(request, environment):
    with worker.start([request.param], Setup(1)) as (started,):
        try:
            started.facts()
        except Unsupported as error:
            pytest.skip(str(error))
        yield started


@pytest.mark.parametrize("distribution", cases.DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_every_variant_is_right(peer, dtype, distribution):
    found, not_measured = measure.times([peer], Case(SMALL, dtype, distribution), ["*"], 1)
    if peer.peer == "keras" and distribution == "uniform":
        assert not_measured == ["keras: Keras has no layer that adds uniform noise"]
        return
    assert not_measured == []
    assert found
    for result in found:
        assert len(result.values) == 1
        assert min(result.values) > 0


@pytest.mark.parametrize("workload", [name for name in cases.WORKLOADS if name != "forward"])
def test_other_workloads_are_right_or_not_there(peer, workload):
    case = Case(SMALL, workload=workload)
    found, not_measured = measure.times([peer], case, ["eager*", "graph*", "compile", "jit*"], 1)
    if workload in WORKLOADS.get(peer.peer, ()):
        assert not_measured == []
        assert found
    else:
        assert found == []
        assert len(not_measured) == 1


def test_a_process_that_ends_is_told_and_replaced(environment):
    with worker.start(["numpy"], Setup(1)) as (numpy,):
        with pytest.raises(Unsupported, match="its process ended"):
            numpy.call(os.abort)
        with pytest.raises(Unsupported, match="over another variant"):
            numpy.call(worker.sample, "Generator", 1)
        found, _ = measure.times([numpy], Case(SMALL), ["*"], 1)
        assert [result.name for result in found] == ["numpy Generator"]


def noised(case, *, loc=cases.LOC, scale=cases.SCALE):
    x = cases.make_input(case).astype(np.float64).reshape(case.flat_shape)
    rng = np.random.default_rng(3)
    draw = rng.standard_normal if case.distribution == "normal" else rng.random
    return (x + loc + scale * draw(x.shape)).astype(cases.numpy_dtype(case.dtype))


@pytest.mark.parametrize("distribution", cases.DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), SMALL, (64, 1024)])
def test_right_outputs_are_taken(shape, dtype, distribution):
    case = Case(shape, dtype, distribution)
    assert cases.explain_wrong(case, [noised(case)]) is None


WRONG = {
    "shape": (lambda case: noised(case).reshape(case.shape), "shape"),
    "type": (lambda case: noised(case).astype(np.float16), "float16, expected float32"),
    "no noise": (lambda case: noised(case, scale=0.0), "standard deviation 0.0000"),
    "another scale": (lambda case: noised(case, scale=0.09), "standard deviation"),
    "another mean": (lambda case: noised(case, loc=0.01), "mean 0.01"),
    "another input": (lambda case: noised(case)[::-1], "standard deviation"),
    "NaN": (lambda case: noised(case) * np.float32(np.nan), "mean nan"),
}


@pytest.mark.parametrize(("make", "reason"), WRONG.values(), ids=WRONG)
def test_wrong_outputs_are_explained(make, reason):
    case = Case((64, 16, 16, 3))
    assert reason in cases.explain_wrong(case, [make(case)])


@pytest.mark.parametrize("distribution", cases.DISTRIBUTIONS)
def test_wrong_gradients_are_explained(distribution):
    case = Case((64, 64), distribution=distribution, workload="gradient")
    total = cases.make_input(case).sum()
    of_scale = total / 2 if distribution == "uniform" else 0.0
    assert cases.explain_wrong(case, [total, of_scale]) is None
    assert "gradient of loc" in cases.explain_wrong(case, [1.01 * total, of_scale])
    assert "gradient of scale" in cases.explain_wrong(case, [total, of_scale + total / 4])


def test_a_variant_with_a_wrong_result_is_refused_before_it_is_timed(monkeypatch):
    class Forgetful(peers.Peer):
        def __init__(self, threads):
            self.version = "1"

        def variants(self, case):
            x = cases.make_input(case).reshape(case.flat_shape)
            return [peers.Variant("right", lambda: noised(case)), peers.Variant("no", lambda: x)]

    monkeypatch.setattr(worker, "_peer", Forgetful(1), raising=False)
    prepared, refused = worker.prepare(Case((64, 64)), ["*"])
    assert [variant.name for variant in prepared] == ["right"]
    assert refused == ["no: its noise has the standard deviation 0.0000, expected 0.1000"]
    with pytest.raises(Unsupported):
        worker.sample("no", 1)


@pytest.mark.parametrize(
    ("text", "shape"), [("32x28x28x1", (32, 28, 28, 1)), ("2^20", (1024, 1024)), ("2^5", (1, 32))]
)
def test_sizes_are_shapes_or_powers_of_two(text, shape):
    assert cases.parse_shape(text) == shape


def some_results(elements=1024):
    def result(peer, variant, milliseconds, is_copy=False):
        values = [1e-3 * milliseconds] * 2
        return Result(Case((1, elements)), SETUP, peer, variant, values, 1, is_copy)

    return [
        result("tensorflow", "graph philox", 8),
        result("tensorflow", "eager philox", 9),
        result("flatnoise", "graph", 1),
        result("torch", "eager", 4),
        result("tensorflow", "x + 0", 0.8, is_copy=True),
        result("copy", "copyto", 0.5, is_copy=True),
    ]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_of_a_case_ranks_its_variants():
    title, _, _, _, *lines = report.case_table(some_results()).splitlines()
    assert title == "float32 1×1024 normal, forward; 2 threads, avx2"
    assert [cells(line)[0] for line in lines] == [
        *("flatnoise graph", "torch eager", "tensorflow graph philox"),
        *("tensorflow eager philox", "copy copyto", "tensorflow x + 0"),
    ]
    # 1024 elements in 8 ms, a copy in half a ms.
    assert cells(lines[2])[1:] == ["0.1", "8.000", "8.000 - 8.000", "2×1", "8.00×", "0.06"]


def test_the_summary_compares_the_fastest_variants():
    assert cells(report.summary([some_results()]).splitlines()[-1]) == [
        *("float32 1×1024 normal, forward; 2 threads, avx2", "1.0 (graph)"),
        *("0.1 (graph philox)", "8.00×", "0.3 (torch eager)", "4.00×", "0.80", "0.50"),
    ]


def test_a_summary_without_peers_has_gaps():
    only_ours = [result for result in some_results() if result.peer == "flatnoise"]
    assert cells(report.summary([only_ours]).splitlines()[-1])[2:] == [""] * 6


def test_json_is_read_by_pyperf(tmp_path):
    path = tmp_path / "result.json"
    measured = some_results()
    results.save(measured, machine.describe(), path)
    suite = pyperf.BenchmarkSuite.load(str(path))
    assert [benchmark.get_metadata()["peer"] for benchmark in suite] == [
        result.peer for result in measured
    ]
    for benchmark, result in zip(suite, measured, strict=True):
        assert benchmark.get_values() == tuple(result.values)
    known = suite.get_metadata()
    assert {"transparent_huge_pages", "tf_cpu_allocator_use_bfc", "platform"} <= set(known)


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG\r"), (".svg", b"<?xml")])
def test_the_plot_is_a_picture(suffix, start, tmp_path):
    path = tmp_path / f"plot{suffix}"
    plot.draw([some_results(2**20), some_results()], "title", path)
    assert path.read_bytes().startswith(start)


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_the_program_prints_tables_and_writes_files(tmp_path):
    written, drawn = tmp_path / "result.json", tmp_path / "drawn.png"
    options = ["--sizes", "2^12", "8x4x4", "--dtypes", "float32", "--distributions", "normal"]
    options += ["--peers", "flatnoise", "numpy", "--variants", "eager", "Gen*", "--threads", 1]
    done = run(*options, "--samples", 2, "--json", written, "--plot", drawn)
    assert done.returncode == 0, done.stderr
    assert "flatnoise's instruction set: " in done.stdout
    assert "transparent huge pages: " in done.stdout
    assert "TF_CPU_ALLOCATOR_USE_BFC: " in done.stdout
    assert done.stdout.count("numpy Generator") == 4
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert len(pyperf.BenchmarkSuite.load(str(written))) == 6


def test_the_program_measures_memory():
    options = ["--sizes", "64x512x512", "--workloads", "forward", "--peers", "numpy"]
    done = run("--memory", *options)
    assert done.returncode == 0, done.stderr
    share = float(cells(done.stdout.splitlines()[-1])[-1])
    assert 0.9 < share < 1.5  # the noise, to which the input is added in place


REFUSED = {
    "a size of one dimension": (["--sizes", "12"], "Received: '12'"),
    "a size of nothing": (["--sizes", "0x3"], "as 256x64x64x3, or a power of two"),
    "an unknown type": (["--dtypes", "int8"], "'int8'"),
    "an unknown peer": (["--peers", "theano"], "'theano'"),
    "no threads": (["--threads", "0"], "a number from 1 on. Received: '0'"),
    "a plot of no format": (["--plot", "a.txt"], "Received: 'a.txt'"),
    "a folder that is not there": (["--json", "nowhere/a.json"], "Received: 'nowhere/a.json'"),
    "an instruction set": (["--instruction-sets", "neon"], "'neon'"),
    "memory as a plot": (["--memory", "--plot", "a.png"], "--plot draws times"),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_wrong_options_are_refused(arguments, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        compare.parse(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_quick_run_measures_less():
    quick, whole = compare.parse(["--quick"]), compare.parse([])
    assert isinstance(quick, argparse.Namespace)
    for name in ("sizes", "dtypes", "distributions", "threads", "peers"):
        assert len(getattr(quick, name)) <= len(getattr(whole, name))
    assert compare.parse(["--quick", "--dtypes", "float64"]).dtypes == ["float64"]
