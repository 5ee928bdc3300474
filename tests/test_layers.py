"""The Keras layers: shapes, seeds, masks, dtypes, training and saving."""

import dataclasses
import functools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from conftest import FUNCTIONS, NAMES, NOISES
from flatnoise import layers
from flatnoise._src import library, noise_layer

# The layers with Keras's names are in test_drop_in_layers.py.
CLASSES = [
    getattr(layers, name)
    for name in layers.__all__
    if issubclass(getattr(layers, name), noise_layer.NoiseLayer)
]
# The classes with fixed parameters.
FIXED = [cls for cls in CLASSES if cls is not layers.LearnedGaussianNoise]
TYPES = [noise.noise_type for noise in NOISES.values() if noise.noise_type is not None]
LAYERS = {
    **{cls.__name__: (cls, {}) for cls in FIXED if cls is not layers.AddNoise},
    **{f"by name, {name}": (layers.AddNoise, {"noise_type": name}) for name in TYPES},
    "LearnedGaussianNoise": (layers.LearnedGaussianNoise, {"axis": None}),
}
IMAGES = np.linspace(0, 1, 4 * 6 * 6 * 2, dtype=np.float32).reshape(4, 6, 6, 2)


def maker(name):
    """Creates the layer, with arguments from the test."""
    cls, defaults = LAYERS[name]
    return lambda **options: cls(**{**defaults, **options})


@pytest.fixture(params=LAYERS)
def make(request):
    return maker(request.param)


def with_layers(names):
    return pytest.mark.parametrize("make", [pytest.param(maker(name), id=name) for name in names])


# One layer that adds noise, one that replaces elements, one with many types and one with a weight.
# The kind of noise makes no difference to Keras.
of_each_kind = with_layers(
    ["AddGaussianNoise", "MaskingNoise", "by name, salt_and_pepper", "LearnedGaussianNoise"]
)
of_each_class = with_layers([name for name in LAYERS if name in dir(layers)] + ["by name, speckle"])


@pytest.fixture(params=[True, False], ids=["flatten", "keep"])
def flatten(request):
    return request.param


def draws(layer):
    """The number of seeds that the layer has drawn."""
    return int(layer.seed_generator.state.numpy()[0]) // 256


def classifier(layer):
    return keras.Sequential(
        [keras.Input((6, 6, 2)), layer, keras.layers.Flatten(), keras.layers.Dense(3)]
    )


@pytest.mark.parametrize(
    "make_layer, shape, output_shape",
    [
        (lambda: layers.AddGaussianNoise(mean=0.0, stddev=0.1), (32, 28, 28, 1), (32, 28, 28, 1)),
        (lambda: layers.AddUniformNoise(minval=-0.1, maxval=0.1), (16, 32, 32, 3), (16, 3072)),
        (
            lambda: layers.AddNoise(noise_type="uniform", minval=-0.05, maxval=0.05),
            (8, 64, 64, 3),
            (8, 12288),
        ),
        (lambda: layers.AddNoise(noise_type="gaussian", stddev=0.02), (8, 64, 64, 3), (8, 12288)),
    ],
    ids=["gaussian", "uniform", "by name, uniform", "by name, gaussian"],
)
def test_the_original_examples(make_layer, shape, output_shape):
    layer = make_layer()
    images = tf.random.stateless_uniform(shape, [1, 2])
    noisy = layer(images)
    again = layer(images)
    difference = tf.reshape(noisy, shape) - images
    assert noisy.shape == output_shape
    assert noisy.dtype == tf.float32
    assert 0.005 < np.std(difference) < 0.12
    assert not np.array_equal(noisy, again)


@pytest.mark.parametrize("cls", [cls for cls in FIXED if cls is not layers.AddNoise])
def test_a_layer_applies_the_function_of_its_noise(cls):
    layer = cls(seed=1)
    values = {name: getattr(layer, name) for name in NAMES[cls.noise.name]}
    expected = FUNCTIONS[cls.noise.name](IMAGES, (1, 0), flatten=layer.flatten, **values)
    np.testing.assert_array_equal(layer(IMAGES), expected)


@pytest.mark.parametrize("cls", CLASSES)
def test_parameters_are_passed_by_name(cls):
    with pytest.raises(TypeError, match="positional argument"):
        cls(0.5)


def test_noise_is_applied_on_every_call(make):
    layer = make(seed=1)
    for training in (True, False):
        assert not np.array_equal(np.ravel(layer(IMAGES, training=training)), np.ravel(IMAGES))


def test_training_only_adds_none_otherwise(make, flatten):
    layer = make(seed=1, training_only=True, flatten=flatten)
    still = layer(IMAGES, training=False)
    assert still.shape == layer.compute_output_shape(IMAGES.shape)
    np.testing.assert_array_equal(np.ravel(still), np.ravel(IMAGES))
    assert not np.array_equal(np.ravel(layer(IMAGES, training=True)), np.ravel(IMAGES))


def test_the_same_state_gives_keras_noise(implementation):
    ours = layers.AddGaussianNoise(
        mean=0.5, stddev=2.0, seed=2**40 + 7, implementation=implementation
    )
    theirs = keras.random.SeedGenerator(2**40 + 7)
    for _ in range(3):
        expected = keras.random.normal(IMAGES.shape, 0.5, 2.0, seed=theirs)
        np.testing.assert_allclose(ours(np.zeros_like(IMAGES)), expected, atol=4e-6)


def test_layers_with_the_same_seed_add_the_same_noise(make):
    first, second = make(seed=3), make(seed=3)
    for _ in range(2):
        np.testing.assert_array_equal(first(IMAGES), second(IMAGES))


@of_each_kind
@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float32", "float64", "mixed_float16"])
def test_types_follow_the_policy(make, policy):
    layer = make(dtype=policy)
    assert layer(IMAGES).dtype.name == layer.compute_dtype
    assert layer(keras.Input((6, 6, 2))).dtype == layer.compute_dtype


@of_each_kind
@pytest.mark.parametrize("shape", [(None,), (4,), (None, 5), (2, None, 3), (None, None, None)])
def test_symbolic_shapes_are_those_of_keras_flatten(make, shape):
    inputs = keras.Input(batch_shape=shape)
    assert make(flatten=True)(inputs).shape == keras.layers.Flatten()(inputs).shape
    assert make(flatten=False)(inputs).shape == shape


@of_each_kind
def test_masks_pass_where_the_shape_stays(make):
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    kept = make(flatten=False)(embedded)
    np.testing.assert_array_equal(kept._keras_mask, ids != 0)
    with pytest.warns(UserWarning, match="does not support masking"):
        lost = make(flatten=True)(embedded)
    assert getattr(lost, "_keras_mask", None) is None


@of_each_class
@pytest.mark.parametrize("shape", [(3, 4, 2)], ids=str)
def test_kerass_own_layer_test(make, flatten, shape):
    testing = pytest.importorskip("keras.src.testing")
    cls = type(make())
    config = make(flatten=flatten).get_config()
    own = {key: config[key] for key in config.keys() - {"name", "dtype", "trainable"}}
    testing.TestCase("run_layer_test").run_layer_test(
        cls,
        init_kwargs={**own, "seed": 1},
        input_shape=shape,
        expected_output_shape={True: (3, int(np.prod(shape[1:]))), False: shape}[flatten],
        expected_num_trainable_weights=int(cls is layers.LearnedGaussianNoise),
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=1,
        expected_num_losses=0,
        supports_masking=not flatten,
        assert_built_after_instantiation=cls is not layers.LearnedGaussianNoise,
    )


WRONG = [
    (layers.AddNoise, {"noise_type": "salt"}, "noise_type`. Expected one of 'gaussian', 'uniform'"),
    (layers.AddNoise, {"noise_type": None}, "noise_type`. Expected one of 'gaussian', 'uniform'"),
    (layers.AddNoise, {"stddev": -1}, "`stddev`. Expected .* not negative. Received: stddev=-1"),
    (layers.AddNoise, {"minval": 1, "maxval": 0}, "Expected minval <= maxval.* Received: minval=1"),
    (layers.AddGaussianNoise, {"stddev": -0.1}, "`stddev`. Expected .* Received: stddev=-0.1"),
    (layers.AddGaussianNoise, {"stddev": float("nan")}, "`stddev`. Expected a finite"),
    (layers.AddGaussianNoise, {"mean": "0"}, "`mean`. Expected a finite"),
    (layers.AddGaussianNoise, {"mean": True}, "`mean`. Expected a finite"),
    (layers.AddGaussianNoise, {"seed": "a"}, "`seed` must be an integer"),
    (layers.AddGaussianNoise, {"implementation": "fast"}, "'auto', 'native', 'tensorflow'"),
    (layers.AddGaussianNoise, {"flatten": "yes"}, "`flatten`. Expected a boolean"),
    (layers.AddUniformNoise, {"minval": 0.1, "maxval": -0.1}, "Expected minval <= maxval"),
    (layers.AddUniformNoise, {"maxval": float("inf")}, "`maxval`. Expected a finite"),
    (layers.AddNoise, {"scale": -1}, "`scale`. Expected .* not negative. Received: scale=-1"),
    (layers.AddNoise, {"rate": 1.5}, "`rate`. Expected a number from 0 to 1. Received: rate=1.5"),
    (layers.AddNoise, {"salt": None}, "`salt`. Expected a float"),
    (layers.AddLaplaceNoise, {"scale": -1}, "`scale`. Expected .* not negative"),
    (layers.AddTruncatedGaussianNoise, {"stddev": -1}, "`stddev`. Expected .* not negative"),
    (layers.MultiplyGaussianNoise, {"stddev": -1}, "`stddev`. Expected .* not negative"),
    (layers.MaskingNoise, {"rate": -0.1}, "`rate`. Expected a number from 0 to 1"),
    (layers.MaskingNoise, {"rate": float("nan")}, "`rate`. Expected a finite"),
    (layers.MaskingNoise, {"value": "0"}, "`value`. Expected a float"),
    (layers.SaltAndPepperNoise, {"amount": 2}, "`amount`. Expected a number from 0 to 1"),
    (layers.SaltAndPepperNoise, {"salt_vs_pepper": -1}, "`salt_vs_pepper`. Expected a number"),
    (layers.AddUniformNoise, {"training_only": 1}, "`training_only`. Expected a boolean"),
]


@pytest.mark.parametrize("cls, options, message", WRONG, ids=lambda value: str(value)[:40])
def test_wrong_arguments_are_refused_at_construction(cls, options, message):
    with pytest.raises(ValueError, match=message):
        cls(**options)


def test_missing_values_may_be_put_in(tmp_path):
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.MaskingNoise(rate=1.0, value=float("nan"))]
    )
    restored = keras_file(model, None, tmp_path)
    assert np.all(np.isnan(restored(IMAGES)))


@of_each_kind
@pytest.mark.parametrize("inputs", [keras.Input((3,), dtype="int32"), tf.zeros([2, 3], tf.int32)])
def test_integers_are_refused(make, inputs):
    with pytest.raises(ValueError, match=r"(?i)expected .*floa"):
        make()(inputs)


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"Expected .* 'tensorflow'. Received: 'jax'"):
        layers.AddGaussianNoise()


def digits_like():
    rng = np.random.default_rng(0)
    return IMAGES, rng.integers(0, 3, len(IMAGES))


@of_each_kind
@pytest.mark.parametrize("jit_compile", ["auto", True, False])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_models_train_however_they_are_compiled(make, jit_compile, policy):
    layer = make(dtype=policy)
    model = classifier(layer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=jit_compile)
    history = model.fit(*digits_like(), epochs=2, batch_size=2, verbose=0).history["loss"]
    assert np.all(np.isfinite(history))
    assert draws(layer) == 4
    assert np.all(np.isfinite(model.predict(IMAGES, verbose=0)))


@of_each_kind
def test_a_native_layer_lets_keras_choose_xla_where_it_has_kernels(native, make, monkeypatch):
    assert make(implementation="native").supports_jit == library.load().has_xla_kernels
    without = dataclasses.replace(library.load(), xla_reason="no kernels")
    monkeypatch.setattr(library, "load", lambda: without)
    assert not make(implementation="native").supports_jit
    assert make(implementation="auto").supports_jit
    model = classifier(make(implementation="native"))
    model.compile("adam", "mse")
    model.fit(IMAGES, np.zeros((4, 3)), verbose=0)


def keras_file(model, fresh, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def hdf5_file(model, fresh, folder):
    model.save(folder / "model.h5")
    return keras.models.load_model(folder / "model.h5")


def weights_file(model, fresh, folder):
    model.save_weights(folder / "model.weights.h5")
    fresh.load_weights(folder / "model.weights.h5")
    return fresh


def checkpoint(model, fresh, folder):
    path = tf.train.Checkpoint(model=model).save(str(folder / "checkpoint"))
    tf.train.Checkpoint(model=fresh).restore(path).assert_existing_objects_matched()
    return fresh


def clone_of_config(model, fresh, folder):
    clone = keras.Sequential.from_config(model.get_config())
    clone.layers[0].seed_generator.state.assign(model.layers[0].seed_generator.state)
    clone.set_weights(model.get_weights())
    return clone


@of_each_kind
@pytest.mark.parametrize(
    "save_and_load", [keras_file, hdf5_file, weights_file, checkpoint, clone_of_config]
)
def test_saved_models_go_on_with_the_next_noise(make, tmp_path, save_and_load):
    model = classifier(make(seed=4))
    first = model(IMAGES)
    restored = save_and_load(model, classifier(make(seed=5)), tmp_path)
    upcoming = model(IMAGES)
    np.testing.assert_array_equal(restored(IMAGES), upcoming)
    assert not np.array_equal(first, upcoming)


@pytest.mark.parametrize("make", [layers.AddGaussianNoise, layers.AddUniformNoise, layers.AddNoise])
def test_weights_without_noise_state_are_read_too(make, tmp_path):
    plain = classifier(keras.layers.GaussianNoise(0.1))
    plain.save_weights(tmp_path / "plain.weights.h5")
    noisy = classifier(make(seed=9))
    noisy.load_weights(tmp_path / "plain.weights.h5")
    np.testing.assert_array_equal(noisy.get_weights()[0], plain.get_weights()[0])
    np.testing.assert_array_equal(noisy.layers[0].seed_generator.next(), [9, 0])


def losses_of(model, epochs, **options):
    history = model.fit(
        *digits_like(), epochs=epochs, batch_size=2, shuffle=False, verbose=0, **options
    )
    return history.history["loss"]


def new_training(make_layer):
    keras.utils.set_random_seed(1)
    model = classifier(make_layer())
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # Optimizer variables are only restored if they already exist.
    model.optimizer.build(model.trainable_variables)
    return model


def losses_whole_and_in_two(make_layer, save_and_load, folder):
    whole = losses_of(new_training(make_layer), 4)
    model = new_training(make_layer)
    before = losses_of(model, 2)
    return whole, before + losses_of(save_and_load(model, new_training(make_layer), folder), 2)


@pytest.mark.long
@of_each_kind
@pytest.mark.parametrize("save_and_load", [keras_file, weights_file, checkpoint])
def test_a_training_taken_up_again_has_the_losses_of_one_not_interrupted(
    make, tmp_path, save_and_load
):
    whole, in_two = losses_whole_and_in_two(lambda: make(seed=1), save_and_load, tmp_path)
    np.testing.assert_allclose(in_two, whole, rtol=1e-6)


class StopIn(keras.callbacks.Callback):
    """Interrupts training at the start of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@of_each_kind
def test_backup_and_restore_goes_on_with_the_noise(make, tmp_path):
    whole = losses_of(new_training(lambda: make(seed=1)), 4)

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(KeyboardInterrupt):
        losses_of(new_training(lambda: make(seed=1)), 4, callbacks=[backup(), StopIn(2)])
    rest = losses_of(new_training(lambda: make(seed=1)), 4, callbacks=[backup()])
    np.testing.assert_allclose(rest, whole[2:], rtol=1e-6)


def exported_ops(folder):
    graph = tf.saved_model.load(str(folder)).signatures["serving_default"].graph
    nodes = list(graph.as_graph_def().node)
    for function in graph.as_graph_def().library.function:
        nodes.extend(function.node_def)
    return {node.op for node in nodes}


@of_each_kind
def test_exported_models_serve_noise(make, tmp_path):
    model = classifier(make(seed=6))
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    first, second = served.serve(IMAGES), served.serve(IMAGES)
    assert np.all(np.isfinite(first))
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(first, model(IMAGES), atol=1e-5)


@of_each_kind
def test_inference_models_that_noise_in_training_only_hold_no_custom_op(make, tmp_path):
    model = classifier(make(training_only=True, flatten=True))
    model.export(tmp_path / "model", verbose=False)
    ops = exported_ops(tmp_path / "model")
    assert not [op for op in ops if "flatnoise" in op.lower() or "random" in op.lower()]
    expected = model(IMAGES, training=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(served.serve(IMAGES), expected, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [layers.AddUniformNoise, functools.partial(layers.AddNoise, noise_type="uniform")],
    ids=["by class", "by name"],
)
def test_a_range_without_width_that_is_not_0_warns(make):
    with pytest.warns(UserWarning, match="Expected minval < maxval.* Received: minval=0.1") as seen:
        make(minval=0.1, maxval=0.1)
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(minval=0.0, maxval=0.0)  # no noise, which is valid in a schedule
        make(minval=-0.1, maxval=0.1)


def test_a_configuration_holds_the_state_for_hdf5_files_alone(tmp_path):
    model = classifier(layers.AddGaussianNoise(seed=5))
    model.save(tmp_path / "model.h5")
    assert "seed_generator_state" not in model.layers[0].get_config()
