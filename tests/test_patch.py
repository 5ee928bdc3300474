"""`patch_keras` replaces and restores the right functions, and results stay Keras's."""

import functools
import pathlib
import random
import textwrap
import threading
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.backend.tensorflow import random as backend_random
from keras.src.random.seed_generator import global_seed_generator

import flatnoise
import keras_models
from flatnoise._src import patch, patch_main
from processes import run_python

X = np.random.default_rng(1).normal(size=(4, 6, 8)).astype(np.float32)
IMAGES = np.random.default_rng(1).normal(size=(4, 6, 6, 2)).astype(np.float32)
REPLACED = [
    (backend_random, "dropout"),
    (keras.layers.GaussianNoise, "call"),
    (keras.layers.GaussianDropout, "call"),
    (keras.layers.AlphaDropout, "call"),
]
# The functions before any test.
ORIGINALS = [vars(owner)[name] for owner, name in REPLACED]


def present():
    return [vars(owner)[name] for owner, name in REPLACED]


def is_patched():
    changed = [new is not old for new, old in zip(present(), ORIGINALS, strict=True)]
    assert all(changed) or not any(changed)
    return changed[0]


@pytest.fixture(autouse=True)
def unpatched():
    assert not is_patched()
    yield
    flatnoise.unpatch_keras()
    assert not is_patched()


def fused_ops(function, *arguments):
    """The number of flatnoise ops in a function."""
    graph = tf.function(function).get_concrete_function(*arguments).graph
    return sum(operation.type.startswith("Flatnoise") for operation in graph.get_operations())


# --- Patched and unpatched


def test_it_patches_and_takes_back():
    flatnoise.patch_keras()
    assert is_patched()
    flatnoise.unpatch_keras()
    assert not is_patched()


def test_calls_that_change_nothing():
    flatnoise.unpatch_keras()
    flatnoise.patch_keras()
    replaced = present()
    flatnoise.patch_keras()
    assert all(now is before for now, before in zip(present(), replaced, strict=True))
    flatnoise.unpatch_keras()
    assert not is_patched()
    flatnoise.unpatch_keras()


def test_as_a_context():
    with flatnoise.patch_keras():
        assert is_patched()
    assert not is_patched()


def test_contexts_nest():
    with flatnoise.patch_keras():
        with flatnoise.patch_keras():
            assert is_patched()
        assert is_patched()
    assert not is_patched()


def test_a_context_leaves_an_earlier_patch():
    flatnoise.patch_keras()
    with flatnoise.patch_keras():
        pass
    assert is_patched()


def test_a_context_ends_with_an_error():
    with pytest.raises(ZeroDivisionError), flatnoise.patch_keras():
        _ = 1 / 0
    assert not is_patched()


def test_unpatching_within_a_context():
    with flatnoise.patch_keras():
        flatnoise.unpatch_keras()
        assert not is_patched()
        flatnoise.patch_keras()
    assert is_patched()  # the context's exit doesn't end the later call


def test_a_context_that_ends_twice_counts_once():
    flatnoise.patch_keras()
    context = flatnoise.patch_keras()
    for _ in range(2):
        with context:
            pass
    assert is_patched()


def test_contexts_of_threads_may_overlap():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with flatnoise.patch_keras():
            inside.set()
            leave.wait(600)

    thread = threading.Thread(target=other)
    with flatnoise.patch_keras():
        thread.start()
        assert inside.wait(600)
    assert is_patched()
    leave.set()
    thread.join()
    assert not is_patched()


def test_many_threads_at_once():
    seen = []

    def work():
        for _ in range(5):
            with flatnoise.patch_keras():
                seen.append(is_patched())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 40
    assert not is_patched()


def test_it_works_inside_a_function_that_is_traced():
    @tf.function
    def noisy(x):
        with flatnoise.patch_keras():
            return keras.random.dropout(x, 0.5, seed=1)

    np.testing.assert_array_equal(noisy(X), keras.random.dropout(X, 0.5, seed=1))


def test_it_leaves_no_trace_in_names_and_random_numbers():
    def next_numbers():
        names = keras.layers.GaussianNoise(0.5, seed=1).name, keras.random.SeedGenerator(1).name
        return [int(name.rpartition("_")[2]) for name in names]

    keras.layers.GaussianNoise(0.5)  # the first name has no number
    layer, generator = next_numbers()
    state = random.getstate(), np.random.get_state()[1].tolist()
    flatnoise.patch_keras()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == state
    assert next_numbers() == [layer + 1, generator + 2]  # the layer creates one too


# --- The numbers


def start_random_numbers():
    keras.utils.set_random_seed(11)
    global_seed_generator().state.assign([11, 0])  # older Keras doesn't reset this
    random.seed(11)  # creating the generator may have drawn a number


def with_and_without_patch(run):
    """The results of `run()`, from the same state of Keras's random numbers."""
    start_random_numbers()
    expected = run()
    with flatnoise.patch_keras():
        start_random_numbers()
        result = run()
    return result, expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [None, 5], ids=["global", "integer"])
@pytest.mark.parametrize("noise_shape", [None, (None, 1, 8), (4, 6, 1)], ids=str)
def test_random_dropout(noise_shape, seed, dtype):
    x = X.astype(dtype)
    result, expected = with_and_without_patch(
        lambda: [keras.random.dropout(x, 0.3, noise_shape, seed) for _ in range(3)]
    )
    np.testing.assert_array_equal(result, expected)
    assert result[0].dtype == dtype


def test_what_the_fused_op_does_not_take_is_left_to_keras():
    inputs = [X, tf.constant(X), keras.Variable(X), X.tolist()]
    rates = [0.0, 1.0 if keras.__version__ >= "3.9" else 0.0, tf.constant(0.3), np.float32(0.3)]
    result, expected = with_and_without_patch(
        lambda: [keras.random.dropout(x, rate, seed=3) for x in inputs for rate in rates]
    )
    np.testing.assert_array_equal(result, expected)
    with flatnoise.patch_keras(), pytest.raises(ValueError, match="floating point"):
        keras.random.dropout(tf.constant([1, 2]), 0.5)


def noise_layers(cls, rate):
    return [cls(rate), keras.layers.Dropout(0.5), keras.layers.SpatialDropout1D(0.5)]


@pytest.mark.parametrize("cls", ["GaussianNoise", "GaussianDropout", "AlphaDropout"])
def test_layers(cls):
    def run():
        made = noise_layers(getattr(keras.layers, cls), 0.3)
        assert type(made[0]) is getattr(keras.layers, cls)
        return [layer(X, training=True) for layer in made for _ in range(2)]

    result, expected = with_and_without_patch(run)
    np.testing.assert_allclose(result, expected, rtol=0, atol=3e-6)
    np.testing.assert_array_equal(result[2:], expected[2:])


def test_inference_stays():
    with flatnoise.patch_keras():
        for cls in ("GaussianNoise", "GaussianDropout", "AlphaDropout", "Dropout"):
            np.testing.assert_array_equal(getattr(keras.layers, cls)(0.3)(X), X)


def test_layers_made_before_are_patched_too():
    layer = keras.layers.Dropout(0.5)
    traced = functools.partial(layer, training=True)
    assert fused_ops(traced, tf.constant(X)) == 0
    with flatnoise.patch_keras():
        assert fused_ops(traced, tf.constant(X)) == 1
    assert fused_ops(traced, tf.constant(X)) == 0


def test_subclasses_that_call_keras_are_patched_too():
    class Scaled(keras.layers.GaussianNoise):
        def call(self, inputs, training=False):
            return 2.0 * super().call(inputs, training=training)

    result, expected = with_and_without_patch(lambda: Scaled(0.5)(X, training=True))
    np.testing.assert_allclose(result, expected, atol=1e-5)
    with flatnoise.patch_keras():
        assert fused_ops(functools.partial(Scaled(0.5), training=True), tf.constant(X)) == 1


def test_the_drop_in_layers_work_under_the_patch():
    result, expected = with_and_without_patch(
        lambda: flatnoise.layers.GaussianNoise(0.5)(X, training=True)
    )
    np.testing.assert_array_equal(result, expected)


def loss_and_gradients(model, x, compiled):
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x, training=True) ** 2)
        return loss, tape.gradient(loss, model.trainable_variables)

    return tf.nest.flatten((tf.function(step) if compiled else step)(tf.constant(x)))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "function"])
@pytest.mark.parametrize(
    "make, x",
    [(functools.partial(keras_models.encoder, blocks=1), X), (keras_models.mixed, IMAGES)],
    ids=["attention", "all layers"],
)
def test_whole_models(make, x, compiled):
    result, expected = with_and_without_patch(lambda: loss_and_gradients(make(), x, compiled))
    assert len(result) > 5
    for ours, theirs in zip(result, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_attention_is_equal_to_the_bit():
    def run():
        layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.3)
        attended, scores = layer(X, X, training=True, return_attention_scores=True)
        assert np.abs(attended - layer(X, X)).max() > 1e-3  # something was dropped
        return attended, scores

    result, expected = with_and_without_patch(run)
    for ours, theirs in zip(result, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_replicas_draw_what_they_draw_in_keras():
    def run():
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            layer = keras.layers.Dropout(0.5)
        step = tf.function(lambda: strategy.run(functools.partial(layer, training=True), (X,)))
        return [each for _ in range(2) for each in strategy.experimental_local_results(step())]

    result, expected = with_and_without_patch(run)
    assert len(result) == 4
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_cells(name):
    def run():
        layer = getattr(keras.layers, name)(5, dropout=0.3, recurrent_dropout=0.2)
        return layer(tf.constant(X), training=True)

    np.testing.assert_array_equal(*with_and_without_patch(run))


def test_attention_runs_the_fused_op():
    model = keras_models.encoder(blocks=1)
    with flatnoise.patch_keras():
        assert fused_ops(functools.partial(model, training=True), tf.constant(X)) == 3


def trained_weights(jit_compile):
    model = keras_models.mixed()
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model.fit(np.tile(IMAGES, (4, 1, 1, 1)), np.ones((16, 3)), 4, epochs=2, verbose=0)
    return np.concatenate([np.ravel(weight) for weight in model.get_weights()])


def test_training_gives_the_same_weights():
    result, expected = with_and_without_patch(lambda: trained_weights(False))
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4)


def test_training_inside_xla_gives_the_weights_of_outside(native_in_xla):
    with flatnoise.patch_keras():
        outside, inside = trained_weights(False), trained_weights(True)
    np.testing.assert_allclose(inside, outside, rtol=1e-3, atol=1e-4)


def test_half_precision_trains():
    with flatnoise.patch_keras():
        layer = keras.layers.Dropout(0.5, dtype="mixed_float16", seed=1)
        half = layer(X, training=True)
    assert half.dtype == tf.float16
    single = keras.layers.Dropout(0.5, seed=1)(X, training=True)
    np.testing.assert_array_equal(half == 0, single == 0)  # the mask is drawn in float32


# --- Errors


def refuses(reason):
    return pytest.raises(RuntimeError, match=rf"can't patch Keras {keras.__version__}: .*{reason}")


def test_another_signature_is_refused(monkeypatch):
    def dropout(inputs, rate, noise_shape=None, seed=None, scale=True):
        return inputs

    monkeypatch.setattr(backend_random, "dropout", dropout)
    before = present()
    with refuses("takes .*scale=True.*expected"):
        flatnoise.patch_keras()
    assert present() == before


def test_other_numbers_are_refused(monkeypatch):
    def call(self, inputs, training=False):
        return ORIGINALS[1](self, inputs, training) * 1.001 if training else inputs

    monkeypatch.setattr(keras.layers.GaussianNoise, "call", call)
    before = present()
    with refuses("GaussianNoise.call gives other numbers"):
        flatnoise.patch_keras()
    assert present() == before


def test_other_draws_are_refused(monkeypatch):
    def dropout(inputs, rate, noise_shape=None, seed=None):
        result = ORIGINALS[0](inputs, rate, noise_shape=noise_shape, seed=seed)
        backend_random.draw_seed(seed)
        return result

    monkeypatch.setattr(backend_random, "dropout", dropout)
    with refuses("dropout gives other numbers"):
        flatnoise.patch_keras()


def test_a_layer_that_computes_otherwise_is_refused(monkeypatch):
    def call(self, inputs, training=False):
        return inputs * self.something_new

    monkeypatch.setattr(keras.layers.AlphaDropout, "call", call)
    with refuses("something_new"):
        flatnoise.patch_keras()


def test_what_is_missing_is_refused(monkeypatch):
    monkeypatch.delattr(backend_random, "draw_seed")
    with refuses("draw_seed"):
        flatnoise.patch_keras()


def test_a_backend_that_moved_is_refused(monkeypatch):
    monkeypatch.setattr("keras.src.backend.random", types.ModuleType("random"))
    with refuses("is not keras.src.backend.tensorflow.random"):
        flatnoise.patch_keras()


def test_another_patch_is_refused(monkeypatch):
    @functools.wraps(ORIGINALS[0])
    def dropout(*arguments, **options):
        return ORIGINALS[0](*arguments, **options)

    monkeypatch.setattr(backend_random, "dropout", dropout)
    with refuses("has been replaced by another package"):
        flatnoise.patch_keras()


def test_a_later_patch_is_not_overwritten():
    flatnoise.patch_keras()
    with pytest.MonkeyPatch.context() as other:
        other.setattr(backend_random, "dropout", lambda *arguments: None)
        with pytest.raises(RuntimeError, match="replaced since by another package"):
            flatnoise.unpatch_keras()
    assert is_patched()


def test_other_backends_are_refused(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="patch_keras needs Keras's TensorFlow backend"):
        flatnoise.patch_keras()


# --- In new processes


def test_a_model_made_under_the_patch_loads_without_flatnoise(tmp_path):
    with flatnoise.patch_keras():
        for name, make, x in [
            ("encoder", keras_models.encoder, X),
            ("mixed", keras_models.mixed, IMAGES),
        ]:
            model = make()
            model(x, training=True)
            model.save(tmp_path / f"{name}.keras")
            np.save(tmp_path / f"{name}.npy", model(x))
            np.save(tmp_path / f"{name}_x.npy", x)
    program = """
        import sys
        sys.modules["flatnoise"] = None  # as if it weren't installed
        import keras
        import numpy as np

        for name in ("encoder", "mixed"):
            model = keras.models.load_model(f"{name}.keras")
            x, expected = np.load(f"{name}_x.npy"), np.load(f"{name}.npy")
            np.testing.assert_allclose(model(x), expected, rtol=1e-5, atol=1e-6)
            model(x, training=True)
        try:
            import flatnoise
        except ImportError:
            print("done")
    """
    (tmp_path / "load.py").write_text(textwrap.dedent(program))
    assert run_python("load.py", folder=tmp_path).stdout.endswith("done\n")


APP = """
import pathlib
import sys

import keras
import neighbor

from keras.src.backend.tensorflow import random

print(__name__, pathlib.Path(sys.argv[0]).name, *sys.argv[1:])
print(random.dropout.__code__.co_filename)
print(pathlib.Path(sys.path[0]).resolve() == pathlib.Path(neighbor.__file__).resolve().parent)
sys.exit(3)
"""


@pytest.fixture
def app(tmp_path):
    """A program with a module next to it, as a file and as a module."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "program.py").write_text(APP)
    (folder / "neighbor.py").write_text("")
    return folder


@pytest.mark.parametrize("as_module", [False, True], ids=["file", "module"])
def test_a_program_runs_patched(app, as_module):
    how = ["-m", "program"] if as_module else ["app/program.py"]
    folder = app if as_module else app.parent
    done = run_python(
        "-m", "flatnoise.patch", *how, "-x", "--flag", "1", folder=folder, check=False
    )
    assert done.returncode == 3, done.stderr
    header, code, in_path = done.stdout.splitlines()[-3:]
    assert header == "__main__ program.py -x --flag 1"
    assert pathlib.Path(code).samefile(patch.__file__)
    assert in_path == "True"


def test_programs_that_are_not_there(capsys):
    with pytest.raises(SystemExit, match="2"):
        patch_main.main(["missing.py", "--flag"])
    assert "there is no file missing.py" in capsys.readouterr().err


def test_the_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        patch_main.main(["--help"])
    assert "usage: python -m flatnoise.patch" in capsys.readouterr().out
