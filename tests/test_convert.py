"""`convert` replaces the right layers, keeps everything else, and preserves results."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
import keras_models
from flatnoise import layers

X = np.random.default_rng(1).normal(size=(4, 6, 8)).astype(np.float32)
IMAGES = np.random.default_rng(1).normal(size=(4, 6, 6, 2)).astype(np.float32)
INPUTS = {"encoder": X, "mixed": IMAGES}


@pytest.fixture(params=INPUTS)
def model_and_input(request):
    return getattr(keras_models, request.param)(), INPUTS[request.param]


def types_in(model):
    return [type(layer) for layer in model._flatten_layers()]


def draws(layer):
    """The number of draws of a Keras seed generator."""
    return int(layer.seed_generator.state.numpy()[1])


def assert_equal_calls(clone, model, x):
    for training in (True, False, True):
        result, expected = clone(x, training=training), model(x, training=training)
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_the_clone_goes_on_with_the_numbers_of_the_model(model_and_input):
    model, x = model_and_input
    for _ in range(3):
        model(x, training=True)
    clone = flatnoise.convert(model)
    assert type(clone) is type(model)
    assert clone.name == model.name
    assert_equal_calls(clone, model, x)


def test_the_model_stays_as_it_is(model_and_input):
    model, x = model_and_input
    before, kinds = model.get_weights(), types_in(model)
    clone = flatnoise.convert(model)
    assert types_in(model) == kinds
    assert not any(kind.__module__ == "flatnoise.layers" for kind in kinds)
    for weight in clone.trainable_weights:
        weight.assign(weight + 1)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert model(x).shape == clone(x).shape


def test_every_noise_layer_is_replaced():
    kinds = types_in(flatnoise.convert(keras_models.mixed()))
    assert layers.SpatialDropout2D in kinds
    assert layers.AlphaDropout in kinds
    assert layers.GaussianDropout in kinds
    assert layers.AddGaussianNoise in kinds
    assert layers.Dropout in kinds
    for kind in (keras.layers.Dropout, keras.layers.GaussianNoise, keras.layers.Flatten):
        assert kind not in kinds


def test_dropout_of_attention_is_replaced():
    kinds = types_in(flatnoise.convert(keras_models.encoder(blocks=2)))
    assert kinds.count(layers.Dropout) == 6
    assert keras.layers.Dropout not in kinds
    assert kinds.count(keras.layers.MultiHeadAttention) == 2


def test_wrapped_layers_are_replaced():
    model = keras.Sequential(
        [keras.Input((6, 8)), keras.layers.TimeDistributed(keras.layers.Dropout(0.5))]
    )
    clone = flatnoise.convert(model)
    assert layers.Dropout in types_in(clone)
    assert_equal_calls(clone, model, X)


def test_layers_of_flatnoise_and_subclasses_stay():
    class Mine(keras.layers.Dropout):
        pass

    model = keras.Sequential([keras.Input((8,)), Mine(0.5), layers.Dropout(0.5)])
    clone = flatnoise.convert(model)
    assert [type(layer) for layer in clone.layers] == [Mine, layers.Dropout]
    assert_equal_calls(clone, model, X[:, 0])


# --- GaussianNoise before Flatten


def noise_then_flatten(noise=None, flatten=None):
    return keras.Sequential(
        [
            keras.Input((6, 6, 2), name="images"),
            noise or keras.layers.GaussianNoise(0.5, name="noise"),
            flatten or keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )


def test_noise_before_flatten_becomes_one_layer():
    model = noise_then_flatten()
    model(IMAGES, training=True)
    clone = flatnoise.convert(model)
    noise, dense = clone.layers
    assert type(noise) is layers.AddGaussianNoise
    assert (noise.name, noise.stddev, noise.flatten) == ("noise", 0.5, True)
    assert noise.training_only
    assert dense.get_config() == model.layers[-1].get_config()
    assert clone.inputs[0].name == "images"
    assert_equal_calls(clone, model, IMAGES)


def test_noise_before_flatten_in_a_graph():
    inputs = keras.Input((6, 6, 2))
    x = keras.layers.Flatten()(keras.layers.GaussianNoise(0.5)(inputs))
    model = keras.Model(inputs, [keras.layers.Dense(3)(x), x[:, :2]])
    clone = flatnoise.convert(model)
    assert keras.layers.Flatten not in types_in(clone)
    for ours, theirs in zip(
        clone(IMAGES, training=True), model(IMAGES, training=True), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "noise, flatten",
    [
        (keras.layers.GaussianNoise(0.0), None),
        (keras.layers.GaussianNoise(0.5), keras.layers.Flatten(data_format="channels_first")),
        (None, keras.layers.Flatten(dtype="float64")),
        (keras.layers.GaussianDropout(0.5), None),
        (None, keras.layers.Reshape((72,))),
    ],
    ids=["no noise", "channels first", "types", "another noise", "another shape"],
)
def test_pairs_that_are_not_one_layer(noise, flatten):
    model = noise_then_flatten(noise, flatten)
    clone = flatnoise.convert(model)
    assert layers.AddGaussianNoise not in types_in(clone)
    assert len(clone.layers) == 3
    assert_equal_calls(clone, model, IMAGES)


def graph_where_the_noise_is_used_twice(inputs):
    noisy = keras.layers.GaussianNoise(0.5)(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(noisy)
    return keras.layers.concatenate([keras.layers.Flatten()(noisy), pooled])


def graph_where_the_noise_is_an_output(inputs):
    noisy = keras.layers.GaussianNoise(0.5)(inputs)
    return [noisy, keras.layers.Dense(2)(keras.layers.Flatten()(noisy))]


def graph_where_flatten_is_shared(inputs):
    flatten = keras.layers.Flatten()
    noisy = keras.layers.GaussianNoise(0.5)(inputs)
    return keras.layers.concatenate([flatten(noisy), flatten(inputs)])


def graph_where_the_noise_is_shared(inputs):
    noise = keras.layers.GaussianNoise(0.5)
    flat = keras.layers.Flatten()(noise(inputs))
    return keras.layers.concatenate([flat, keras.layers.GlobalMaxPooling2D()(noise(inputs))])


def graph_where_flatten_is_the_output(inputs):
    return keras.layers.Flatten(name="flat")(keras.layers.GaussianNoise(0.5)(inputs))


@pytest.mark.parametrize(
    "build",
    [
        graph_where_the_noise_is_used_twice,
        graph_where_the_noise_is_an_output,
        graph_where_flatten_is_shared,
        graph_where_the_noise_is_shared,
        graph_where_flatten_is_the_output,
    ],
)
def test_graphs_where_the_two_stay(build):
    inputs = keras.Input((6, 6, 2))
    model = keras.Model(inputs, build(inputs))
    clone = flatnoise.convert(model)
    assert layers.AddGaussianNoise not in types_in(clone)
    assert types_in(clone).count(layers.GaussianNoise) == 1
    assert clone.output_names == model.output_names
    results = tf.nest.flatten(clone(IMAGES, training=True))
    expected = tf.nest.flatten(model(IMAGES, training=True))
    for ours, theirs in zip(results, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


# --- Kinds of models


def test_nested_models_and_shared_layers():
    drop, dense = keras.layers.Dropout(0.5), keras.layers.Dense(8)
    inner_input = keras.Input((8,))
    inner = keras.Model(inner_input, keras.layers.GaussianNoise(0.3)(dense(inner_input)))
    stack = keras.Sequential([keras.Input((8,)), keras.layers.AlphaDropout(0.2), dense])
    inputs = keras.Input((8,))
    shared = drop(stack(drop(inner(inputs))))
    model = keras.Model(inputs, keras.layers.add([shared, inner(shared)]))
    clone = flatnoise.convert(model)
    kinds = types_in(clone)
    for kind in (layers.Dropout, layers.GaussianNoise, layers.AlphaDropout, keras.layers.Dense):
        assert kinds.count(kind) == 1
    assert_equal_calls(clone, model, X[:, 0])


def test_operations_between_layers_are_kept():
    inputs = keras.Input((8,))
    x = keras.layers.Dropout(0.5)(keras.ops.tanh(inputs * 2.0))
    model = keras.Model(inputs, keras.ops.reshape(x, (-1, 2, 4)))
    assert_equal_calls(flatnoise.convert(model), model, X[:, 0])


@keras.saving.register_keras_serializable(package="tests")
class Classifier(keras.Model):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.hidden = keras.layers.Dense(8)
        self.drop = keras.layers.Dropout(rate)
        self.last = keras.layers.Dense(3)

    def call(self, inputs, training=False):
        return self.last(self.drop(self.hidden(inputs), training=training))

    def build(self, shape):
        self.hidden.build(shape)
        self.last.build((None, 8))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@keras.saving.register_keras_serializable(package="tests")
class Unbuildable(keras.layers.Layer):
    """Has a variable that isn't in its configuration."""

    def call(self, inputs):
        return inputs


def test_models_of_a_class_of_their_own():
    model = Classifier(0.5)
    model.build((None, 8))
    model(X[:, 0], training=True)
    clone = flatnoise.convert(model)
    assert type(clone) is Classifier
    assert type(clone.drop) is layers.Dropout
    assert draws(clone.drop) == draws(model.drop) == 1
    assert_equal_calls(clone, model, X[:, 0])


def test_models_that_are_not_built_yet():
    model = keras.Sequential([keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(2)])
    clone = flatnoise.convert(model)
    assert not clone.built
    assert type(clone.layers[0]) is layers.Dropout
    assert clone(X[:, 0]).shape == (4, 2)


def test_what_can_not_be_cloned_is_said():
    layer = Unbuildable(name="odd")
    layer.extra = layer.add_weight(shape=(2,))
    model = keras.Sequential([keras.Input((8,)), layer, keras.layers.Dropout(0.5)])
    with pytest.raises(
        ValueError, match=r"can't clone the layer 'odd': it has 1 variables.* creates 0"
    ):
        flatnoise.convert(model)


@pytest.mark.parametrize("value", [None, 3, keras.layers.Dropout(0.5)], ids=["none", "3", "layer"])
def test_what_is_no_model_is_refused(value):
    with pytest.raises(ValueError, match=r"argument `model`\. Expected a keras\.Model"):
        flatnoise.convert(value)


# --- Preserved properties


def test_variables_that_are_not_weights_are_kept():
    normalization = keras.layers.Normalization()
    normalization.adapt(X[:, 0])
    model = keras.Sequential(
        [
            keras.Input((8,)),
            normalization,
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=5),
        ]
    )
    for _ in range(5):
        model(X[:, 0], training=True)
    clone = flatnoise.convert(model)
    assert len(clone.variables) == len(model.variables)
    for ours, theirs in zip(clone.variables, model.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert_equal_calls(clone, model, X[:, 0])


def test_vocabularies_are_kept():
    lookup = keras.layers.StringLookup()
    lookup.adapt(["red", "green", "red"])
    inputs = keras.Input((1,), dtype="string")
    embedded = keras.layers.Embedding(lookup.vocabulary_size(), 3)(lookup(inputs))
    model = keras.Model(inputs, keras.layers.Dropout(0.5)(embedded))
    clone = flatnoise.convert(model)
    words = tf.constant([["green"], ["red"], ["blue"]])
    np.testing.assert_array_equal(clone(words), model(words))


def test_what_is_frozen_stays_frozen():
    model = keras_models.encoder(blocks=1)
    attention = next(x for x in model.layers if isinstance(x, keras.layers.MultiHeadAttention))
    attention._query_dense.trainable = False
    model.layers[-1].trainable = False
    clone = flatnoise.convert(model)
    assert len(clone.trainable_weights) == len(model.trainable_weights)
    assert [v.path for v in clone.trainable_weights] == [v.path for v in model.trainable_weights]
    assert 0 < len(model.trainable_weights) < len(model.weights)


def test_types_are_kept():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras_models.mixed()
    finally:
        keras.config.set_dtype_policy("float32")
    clone = flatnoise.convert(model)
    assert layers.AddGaussianNoise in types_in(clone)
    assert {layer.compute_dtype for layer in clone.layers} == {"float16"}


def test_a_compiled_model_gives_a_compiled_clone():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dropout(0.5), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.5), "mse", metrics=["mae"])
    model.fit(X[:, 0], np.ones((4, 3)), verbose=0)
    clone = flatnoise.convert(model)
    assert clone.compiled
    assert clone.optimizer.learning_rate.numpy() == 0.5
    assert clone.optimizer.iterations.numpy() == 0
    losses = [each.evaluate(X[:, 0], np.ones((4, 3)), verbose=0) for each in (clone, model)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_clones_save_and_load(model_and_input, tmp_path):
    model, x = model_and_input
    clone = flatnoise.convert(model)
    clone.save(tmp_path / "clone.keras")
    loaded = keras.models.load_model(tmp_path / "clone.keras")
    np.testing.assert_allclose(loaded(x), model(x), rtol=1e-5, atol=1e-6)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in clone.layers]
    assert layers.Dropout in types_in(loaded)


def test_what_layers_make_by_themselves_is_keras_after_loading(tmp_path):
    flatnoise.convert(keras_models.encoder(blocks=1)).save(tmp_path / "clone.keras")
    kinds = types_in(keras.models.load_model(tmp_path / "clone.keras"))
    assert kinds.count(layers.Dropout) == 2
    assert kinds.count(keras.layers.Dropout) == 1  # in attention


@pytest.mark.parametrize("jit_compile", [False, True])
def test_clones_train(jit_compile):
    clone = flatnoise.convert(keras_models.mixed())
    clone.compile("sgd", "mse", jit_compile=jit_compile)
    history = clone.fit(IMAGES, np.ones((4, 3)), epochs=10, verbose=0).history["loss"]
    assert np.all(np.isfinite(history))
