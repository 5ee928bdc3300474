"""Faults around the op raise errors that can be caught, and the process survives."""

import multiprocessing
import os
import pathlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import cancellation

import flatnoise
from conftest import require_native_in_xla
from flatnoise._src import compiled, library
from processes import run_code

pytestmark = pytest.mark.long

X = tf.constant(np.linspace(-1, 1, 4 * 1000, dtype=np.float32).reshape(4, 1000))
PACKAGE = pathlib.Path(flatnoise.__file__).parent


OUT_OF_MEMORY = """
import resource
import tensorflow as tf, flatnoise

MODES = {"eager": lambda f: f, "function": tf.function,
         "xla": lambda f: tf.function(f, jit_compile=True)}

@MODES[MODE]
def add(x):
    return flatnoise.flatten_add_normal(x, [1, 2], implementation="native")

small, large = tf.zeros([4, 1000]), tf.zeros([64, 2**20])
before = add(small).numpy()
add(tf.zeros([64, 2**18]))  # so that all threads are there
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**27, -1))
kept = []  # TensorFlow's allocator may hold memory back for the first of them
try:
    for _ in range(8):
        kept.append(add(large))
except tf.errors.ResourceExhaustedError:
    print("exhausted")
del kept
assert (add(small).numpy() == before).all()
"""


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_no_memory_for_the_output_is_an_error(native, mode):
    if mode == "xla":
        require_native_in_xla()
    assert run_code(f"MODE = {mode!r}\n" + OUT_OF_MEMORY).split() == ["exhausted"]


@tf.function
def endless(x):
    def body(step, x):
        seed = tf.stack([step, 1])
        noised = flatnoise.flatten_add_normal(x, seed, flatten=False, implementation="native")
        return step + 1, noised

    start = tf.constant(0, tf.int64)
    return tf.while_loop(lambda step, _: step < 2**62, body, (start, x))[1]


def test_a_running_step_can_be_cancelled(native):
    before = flatnoise.flatten_add_normal(X, [1, 2]).numpy()
    for _ in range(2):
        manager = cancellation.CancellationManager()
        step = manager.get_cancelable_function(endless.get_concrete_function(X))
        timer = threading.Timer(0.3, manager.start_cancel)
        timer.start()
        with pytest.raises(tf.errors.CancelledError):
            step(X)
        np.testing.assert_array_equal(flatnoise.flatten_add_normal(X, [1, 2]), before)


def test_a_session_can_end_a_step_that_takes_too_long(native):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        result = endless(tf.zeros([64, 64]))
        noised = flatnoise.flatten_add_normal(tf.zeros([4, 4]), [1, 2])
        options = tf.compat.v1.RunOptions(timeout_in_ms=300)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(result, options=options)
        assert session.run(noised).shape == (4, 4)


def noised_in_a_child(seed):
    return flatnoise.flatten_add_normal(X, seed).numpy().tobytes()


FORKING = """
import multiprocessing
import tensorflow as tf, flatnoise

def noised(seed):
    return flatnoise.numpy.flatten_add_normal(X, (seed, 1)).tobytes()

import numpy as np
X = np.ones([64, 4096], np.float32)
assert flatnoise.flatten_add_normal(X, [0, 1]).numpy().tobytes() == noised(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(noised, range(8)) == [noised(seed) for seed in range(8)]
print("equal")
"""


def test_forked_processes_make_noise_by_the_core():
    assert run_code(FORKING).split() == ["equal"]


FORKED_OP = """
import multiprocessing
import numpy as np
import tensorflow as tf, flatnoise

def noised(seed):
    return flatnoise.flatten_add_normal(np.ones([4, 100], np.float32), [seed, 1]).numpy().tobytes()

if __name__ == "__main__":
    # Forked before TensorFlow starts threads, as TensorFlow itself asks for.
    with multiprocessing.get_context("fork").Pool(2) as pool:
        theirs = pool.map(noised, range(4))
    assert theirs == [noised(seed) for seed in range(4)]
    print("equal")
"""


def test_processes_forked_before_tensorflow_runs_call_the_op(native):
    assert run_code(FORKED_OP).split() == ["equal"]


def test_spawned_processes_call_the_op(native):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        theirs = pool.map(noised_in_a_child, [(1, 2), (3, 4)])
    assert theirs == [noised_in_a_child((1, 2)), noised_in_a_child((3, 4))]


THREADS, CALLS = 16, 1_000


def test_many_threads_at_once_give_what_one_gives(native):
    x = tf.constant(np.linspace(-1, 1, 64, dtype=np.float32).reshape(4, 16))
    add = tf.function(
        lambda seed: flatnoise.flatten_add_normal(x, seed, implementation="native"),
        input_signature=[tf.TensorSpec([2], tf.int64)],
    ).get_concrete_function()

    def total(thread):
        results = (add(tf.constant([thread, call], tf.int64)) for call in range(CALLS))
        return sum(int(result.numpy().view(np.uint32).sum(dtype=np.uint64)) for result in results)

    def expected(thread):
        results = (
            flatnoise.numpy.flatten_add_normal(x.numpy(), (thread, call)) for call in range(CALLS)
        )
        return sum(int(result.view(np.uint32).sum(dtype=np.uint64)) for result in results)

    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(total, range(THREADS)))
    assert together == [expected(thread) for thread in range(THREADS)]


@pytest.fixture
def copied_package(native, tmp_path):
    """A copy of the package that tests can damage."""
    shutil.copytree(PACKAGE, tmp_path / "flatnoise", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def library_in(folder):
    return folder / "flatnoise/_native" / pathlib.Path(library.load().path).name


def shared_library_in(folder):
    return folder / "flatnoise/_native/libflatnoise_cpu.so"


ONE_WARNING = """
import warnings
import tensorflow as tf
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    import flatnoise
    x = tf.zeros([2, 3])
    for _ in range(2):
        y = flatnoise.flatten_add_normal(x, [1, 2])
texts = [str(w.message) for w in seen if "flatnoise" in str(w.message)]
assert len(texts) == 1, texts
stock = flatnoise.flatten_add_normal(x, [1, 2], implementation="tensorflow")
assert (y.numpy() == stock.numpy()).all()
print(texts[0])
"""


def truncate(path, kept):
    contents = path.read_bytes()
    path.write_bytes(contents[: kept if isinstance(kept, int) else int(kept * len(contents))])


@pytest.mark.parametrize("find", [library_in, shared_library_in])
@pytest.mark.parametrize("kept", [0, 10, 64, 0.3, 0.9, 0.95])
def test_a_truncated_library_is_not_loaded(copied_package, monkeypatch, find, kept):
    path = find(copied_package)
    truncate(path, kept)
    monkeypatch.setattr(compiled, "FOLDER", path.parent)
    monkeypatch.setattr(library, "FOLDER", path.parent)
    found = library.load.__wrapped__()
    said = "is truncated" if isinstance(kept, float) else "is no shared object"
    assert not found.loaded
    assert f"{path.name} {said}" in found.reason


@pytest.mark.parametrize("find", [library_in, shared_library_in])
def test_a_truncated_library_leaves_the_fallback_and_one_warning(copied_package, find):
    path = find(copied_package)
    truncate(path, 0.9)
    assert f"{path.name} is truncated" in run_code(ONE_WARNING, copied_package)


DAMAGES = {"missing": pathlib.Path.unlink, "truncated": lambda path: truncate(path, 0.9)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_without_the_shared_library_the_core_says_what_is_wrong(copied_package, damage):
    DAMAGES[damage](shared_library_in(copied_package))
    said = run_code(
        """
import importlib.util
importlib.util.find_spec = lambda name: None  # without TensorFlow, to import in less time
import flatnoise, flatnoise.numpy
assert flatnoise.build_info()["instruction_set"] is None
try:
    flatnoise.numpy.random_words([1, 2], 1)
except ImportError as error:
    print(error)
""",
        copied_package,
    )
    assert "flatnoise._core" in said and "libflatnoise_cpu.so" in said


def test_a_library_that_is_a_folder_leaves_the_fallback_and_one_warning(copied_package):
    path = library_in(copied_package)
    path.unlink()
    path.mkdir()
    assert "does not load" in run_code(ONE_WARNING, copied_package)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read every file")
def test_an_unreadable_library_leaves_the_fallback_and_one_warning(copied_package):
    library_in(copied_package).chmod(0)
    assert "does not load" in run_code(ONE_WARNING, copied_package)


def test_a_truncated_xla_library_leaves_the_op(copied_package):
    path = library_in(copied_package)
    path = path.with_name(path.name.replace("flatnoise", "flatnoise_xla"))
    if not path.exists():
        pytest.skip("no XLA kernels for this TensorFlow")
    path.write_bytes(path.read_bytes()[:20_000])
    said = run_code(
        "import flatnoise; info = flatnoise.build_info(); print(info)\n"
        "assert info['native_loaded'] and not info['xla_loaded']",
        copied_package,
    )
    assert "is truncated" in said


def test_of_two_packages_on_the_path_the_first_is_used_whole(native, copied_package):
    other = f"import sys; sys.path.append({str(PACKAGE.parent)!r})\n"
    said = run_code(
        other + "import flatnoise, tensorflow as tf\n"
        "from flatnoise import _core\n"
        "from flatnoise._src import library\n"
        "flatnoise.flatten_add_normal(tf.zeros([2, 2]), [1, 2], implementation='native')\n"
        "print(library.load().path, _core.__file__, flatnoise.layers.__file__)",
        copied_package,
    )
    assert all(path.startswith(str(copied_package)) for path in said.split())


NUMPY_BEHAVIOR = """
import numpy as np, tensorflow as tf, flatnoise
from flatnoise._src.noises import NOISES

x = {dtype: tf.constant(np.linspace(-1, 1, 35).reshape(5, 7), dtype)
     for dtype in ("float16", "bfloat16", "float32", "float64")}

def results():
    for noise in NOISES:
        add = getattr(flatnoise, noise.function)
        for value in x.values():
            for wrap in (lambda f: f, tf.function):
                def gradient(value, add=add):
                    with tf.GradientTape() as tape:
                        tape.watch(value)
                        y = add(value, [1, 2], offset=3, implementation=IMPLEMENTATION)
                    return y, tape.gradient(y, value)
                for result in wrap(gradient)(value):
                    yield noise.name, result.dtype, result.numpy().tobytes()

before = list(results())
tf.experimental.numpy.experimental_enable_numpy_behavior(dtype_conversion_mode="all")
assert list(results()) == before
print(len(before))
"""


@pytest.mark.parametrize("choice", ["native", "tensorflow"])
def test_numbers_stay_where_tensorflow_converts_types_as_numpy_does(request, choice):
    if choice == "native":
        request.getfixturevalue("native")
    program = f"IMPLEMENTATION = {choice!r}\n{NUMPY_BEHAVIOR}"
    assert int(run_code(program)) == 11 * 4 * 2 * 2
