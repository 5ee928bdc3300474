"""benchmarks/compare.py measures correct results, rejects wrong ones, and reports everything."""

import argparse
import os
import pathlib
import subprocess
import sys
import typing

import keras
import numpy as np
import pytest

from processes import PACKAGES

pytestmark = pytest.mark.long

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
import small_calls  # noqa: E402
import training  # noqa: E402
import worker  # noqa: E402
from cases import Case  # noqa: E402
from peers import Unsupported  # noqa: E402
from results import Result  # noqa: E402
from worker import Setup  # noqa: E402

SMALL = (16, 8, 4, 3)
SETUP = Setup(2, "avx2")
PROGRAM = pathlib.Path(compare.__file__)
SUMS = [noise for noise in cases.NOISES if noise != cases.DROPOUT]
# The workloads of each peer besides `forward`.
WORKLOADS = {
    "flatnoise": {"per_feature", "chain", "loop", "gradient", "forward_backward", "diffuse"},
    "tensorflow": {"per_feature", "chain", "loop", "gradient", "forward_backward", "diffuse"},
    "torch": {"per_feature", "chain", "forward_backward", "diffuse"},
    "jax": {"per_feature", "chain", "gradient", "forward_backward", "diffuse"},
    "copy": {"per_feature", "chain", "gradient", "diffuse"},
}


@pytest.fixture(scope="module")
def environment():
    """Restores the environment variables that are set for workers."""
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


def assert_all_are_measured(peer, case):
    found, not_measured = measure.times([peer], case, ["*"], 1)
    assert not_measured == []
    assert found
    for result in found:
        assert len(result.values) == 1
        assert min(result.values) > 0


def reason_to_leave_out(peer, dtype, noise):
    if peer == "keras" and noise == "uniform":
        return "keras: Keras has no layer that adds uniform noise"
    if peer == "dali" and dtype in ("float16", "bfloat16"):
        return f"dali: DALI's operators do no arithmetic with {dtype}"
    if peer == "dali" and dtype == "float64" and noise == cases.DROPOUT:
        return "dali: DALI's constants, such as the factor, have float32's precision"
    return None


# Every noise in float32, and every dtype of a sum and of dropout.
@pytest.mark.parametrize(
    ("dtype", "noise"),
    [
        (dtype, noise)
        for dtype in cases.DTYPES
        for noise in cases.NOISES
        if dtype == "float32" or noise == cases.NOISES[0] or noise == cases.DROPOUT
    ],
)
def test_every_variant_is_right(peer, dtype, noise):
    case = Case(SMALL, dtype, noise)
    if reason := reason_to_leave_out(peer.peer, dtype, noise):
        assert measure.times([peer], case, ["*"], 1) == ([], [reason])
    else:
        assert_all_are_measured(peer, case)


@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_dropout_is_right_backward(peer, dtype):
    case = Case(SMALL, dtype, cases.DROPOUT, "forward_backward")
    if peer.peer in ("flatnoise", "tensorflow", "keras", "torch", "jax"):
        assert_all_are_measured(peer, case)
    else:
        found, not_measured = measure.times([peer], case, ["*"], 1)
        assert found == []
        assert len(not_measured) == 1


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
    draw = rng.standard_normal if case.noise == "normal" else rng.random
    return (x + loc + scale * draw(x.shape)).astype(cases.numpy_dtype(case.dtype))


def dropped(case, *, seed=3, rate=cases.RATE, factor=1 / (1 - cases.RATE)):
    x = cases.make_input(case).astype(np.float64)
    keep = np.random.default_rng(seed).random(x.shape) >= rate
    return np.where(keep, x * factor, 0).astype(cases.numpy_dtype(case.dtype))


@pytest.mark.parametrize("noise", cases.NOISES)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), SMALL, (64, 1024)])
def test_right_outputs_are_taken(shape, dtype, noise):
    case = Case(shape, dtype, noise)
    output = dropped(case) if noise == cases.DROPOUT else noised(case)
    assert cases.explain_wrong(case, [output]) is None


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


WRONG_DROPOUT = {
    "shape": (lambda case: dropped(case).reshape(case.flat_shape), "shape"),
    "type": (lambda case: dropped(case).astype(np.float16), "float16, expected float32"),
    "nothing": (lambda case: dropped(case, rate=0.0), "share of 0.0000 dropped, expected 0.1000"),
    "another rate": (lambda case: dropped(case, rate=0.12), "dropped, expected 0.1000"),
    "another factor": (lambda case: dropped(case, factor=1.1111), "is off x / 0.9 by up to"),
    "another input": (lambda case: dropped(case)[::-1], "is off x / 0.9 by up to"),
    "NaN": (lambda case: dropped(case) * np.float32(np.nan), "is off x / 0.9 by up to nan"),
}


@pytest.mark.parametrize(("make", "reason"), WRONG_DROPOUT.values(), ids=WRONG_DROPOUT)
def test_wrong_dropout_is_explained(make, reason):
    case = Case((64, 16, 16, 3), noise=cases.DROPOUT, workload="forward_backward")
    right = dropped(case)
    assert cases.explain_wrong(case, [right, right]) is None
    assert reason in cases.explain_wrong(case, [make(case), right])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"seed": 4}, "drops other elements"),
        ({"rate": 0.12}, "its gradient of x has a share"),
        ({"factor": 1.0}, "its gradient of x is off"),
    ],
)
def test_wrong_gradients_of_dropout_are_explained(options, reason):
    case = Case((64, 16, 16, 3), noise=cases.DROPOUT, workload="forward_backward")
    assert reason in cases.explain_wrong(case, [dropped(case), dropped(case, **options)])


def diffused(case, *, signal_rate=cases.SIGNAL_RATE, deviation=1.0):
    x = cases.make_input(case).astype(np.float64)
    noise = deviation * np.random.default_rng(3).standard_normal(x.shape)
    dtype = cases.numpy_dtype(case.dtype)
    return [(signal_rate * x + cases.NOISE_RATE * noise).astype(dtype), noise.astype(dtype)]


@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_right_diffusion_is_taken(dtype):
    case = Case((64, 16, 16, 3), dtype, workload="diffuse")
    assert cases.explain_wrong(case, diffused(case)) is None


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda case: diffused(case)[:1], "1 results, expected the output and the noise"),
        (lambda case: diffused(case, signal_rate=0.81), "is off its own noise by up to"),
        (lambda case: diffused(case, deviation=0.9), "its noise has the deviation"),
        (lambda case: [diffused(case)[0], diffused(case)[1][::-1]], "is off its own noise"),
        (lambda case: [each * np.float32(np.nan) for each in diffused(case)], "is off its own"),
    ],
)
def test_wrong_diffusion_is_explained(spoil, reason):
    case = Case((64, 16, 16, 3), workload="diffuse")
    assert reason in cases.explain_wrong(case, spoil(case))


@pytest.mark.parametrize("noise", SUMS)
def test_wrong_gradients_are_explained(noise):
    case = Case((64, 64), noise=noise, workload="gradient")
    total = cases.make_input(case).sum()
    of_scale = total / 2 if noise == "uniform" else 0.0
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
    # 1024 elements in 8 ms, and a copy in half a millisecond.
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
    options = ["--sizes", "2^12", "8x4x4", "--dtypes", "float32", "--noises", "normal"]
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
    assert 0.9 < share < 1.5  # the noise, with the input added in-place


REFUSED = {
    "a size of one dimension": (["--sizes", "12"], "Received: '12'"),
    "a size of nothing": (["--sizes", "0x3"], "as 256x64x64x3, or a power of two"),
    "an unknown type": (["--dtypes", "int8"], "'int8'"),
    "an unknown peer": (["--peers", "theano"], "'theano'"),
    "no threads": (["--threads", "0"], "a number from 1 on. Received: '0'"),
    "a plot of no format": (["--plot", "a.txt"], "Received: 'a.txt'"),
    "a folder that is not there": (["--json", "nowhere/a.json"], "Received: 'nowhere/a.json'"),
    "an instruction set": (["--instruction-sets", "mmx"], "'mmx'"),
    "nothing": (["--noises", "dropout", "--workloads", "chain", "loop"], "Received: chain, loop"),
    "memory as a plot": (["--memory", "--plot", "a.png"], "--plot draws times"),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_wrong_options_are_refused(arguments, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        compare.parse(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_dropout_has_the_workloads_that_make_sense():
    workloads = ["forward", "chain", "forward_backward"]
    options = compare.parse(["--workloads", *workloads, "--sizes", "2^5", "--dtypes", "float32"])
    measured = [(case.noise, case.workload) for case in compare._cases(options)]
    assert [name for noise, name in measured if noise == "normal"] == workloads
    assert [name for noise, name in measured if noise == cases.DROPOUT] == [
        *("forward", "forward_backward")
    ]


def test_a_quick_run_measures_less():
    quick, whole = compare.parse(["--quick"]), compare.parse([])
    assert isinstance(quick, argparse.Namespace)
    for name in ("sizes", "dtypes", "noises", "threads", "peers"):
        assert len(getattr(quick, name)) <= len(getattr(whole, name))
    assert compare.parse(["--quick", "--dtypes", "float64"]).dtypes == ["float64"]


class Recorder(keras.layers.Layer):
    """Records at each trace of a step whether Keras is patched."""

    patched: typing.ClassVar = []

    def call(self, x, training=False):
        if training:
            self.patched.append(keras.src.backend.random.dropout is not KERAS_DROPOUT)
        return x


KERAS_DROPOUT = keras.src.backend.random.dropout


@pytest.fixture
def small_model(monkeypatch):
    """Replaces the models, which take seconds to compile."""

    def make(rate):
        layers = [keras.layers.Dense(4), keras.layers.Dropout(rate), Recorder()]
        return keras.Sequential([keras.Input((8,)), *layers, keras.layers.Dense(10)])

    def make_data(rng):
        return rng.normal(size=(16, 8)).astype(np.float32), np.arange(16) % 10

    monkeypatch.setattr(training, "MODELS", {"small": (make, make_data, training.CROSSENTROPY)})
    monkeypatch.setattr(Recorder, "patched", [])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("variant", training.VARIANTS)
def test_a_training_step_keeps_what_it_was_traced_with(variant, jit_compile, small_model):
    step = training.training_step("small", variant, jit_compile)
    traces = len(Recorder.patched)
    assert traces > 0
    assert set(Recorder.patched) == {variant == training.PATCHED}
    assert np.isfinite(step())
    assert len(Recorder.patched) == traces


def test_the_cost_of_noise_is_the_difference_to_rate_0(monkeypatch):
    milliseconds = {training.RATE_0: 10.0, training.KERAS: 18.0, training.PATCHED: 12.0}
    monkeypatch.setattr(training, "training_step", lambda model, variant, jit_compile: variant)
    monkeypatch.setattr(training, "seconds", lambda step: milliseconds[step] / 1000)
    monkeypatch.setattr(training, "peak_memory", lambda *arguments: 300.0)
    rows = {row[2]: row[3:] for row in training.rows("small", False, 3)}
    assert rows[training.RATE_0][:3] == pytest.approx([10, 10, 10])
    assert rows[training.RATE_0][3:] == [None, None, 300]
    assert rows[training.KERAS] == pytest.approx([18, 18, 18, 8, 1, 300])
    assert rows[training.PATCHED] == pytest.approx([12, 12, 12, 2, 4, 300])


def test_training_prints_a_table(small_model, monkeypatch, capsys):
    monkeypatch.setattr(training, "peak_memory", lambda *arguments: 300.0)
    training.main(["--rounds", "2"])
    printed = capsys.readouterr().out
    assert f"keras {keras.__version__}" in printed
    rows = [cells(line) for line in printed.splitlines() if line.startswith("| small")]
    assert [row[1:3] for row in rows] == [
        [mode, variant] for mode in ("graph", "XLA") for variant in training.VARIANTS
    ]
    for row in rows:
        assert float(row[3]) > 0
        assert row[-1] == "300.0"


def test_training_measures_memory_in_a_process(environment):
    assert 100 < training.peak_memory("mlp", training.PATCHED, False) < 10_000


@pytest.mark.parametrize("program", [training, small_calls], ids=lambda module: module.__name__)
@pytest.mark.parametrize("rounds", ["1", "many"])
def test_quartiles_take_two_rounds(program, rounds, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["--rounds", rounds])
    assert ended.value.code == 2
    assert f"a number from 2 on, as quartiles take two. Received: '{rounds}'" in (
        capsys.readouterr().err
    )


def test_small_calls_add_what_their_names_say():
    for name, call in small_calls.calls().items():
        results = [np.asarray(call()) for _ in range(2)]
        assert all(result.shape == small_calls.SHAPE for result in results)
        if name.endswith("x + 1"):
            assert (results[0] == 1).all()
        elif "Dropout" not in name:  # which keeps zeros
            assert len(np.unique(results[0])) == 64


def test_small_calls_prints_a_table(monkeypatch, capsys):
    monkeypatch.setattr(small_calls, "CALLS", 1)
    small_calls.main(["--rounds", "2"])
    rows = [cells(line) for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row[0] for row in rows[2:]] == list(small_calls.calls())
    assert all(float(row[1]) > 0 for row in rows[2:])
