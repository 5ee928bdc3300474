"""The layers with Keras's names: same results, draws, configurations and files."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from conftest import COMPILE
from flatnoise import layers

# The name, the arguments and the input shape.
MASKING = [
    ("Dropout", {"rate": 0.3}, (5, 7)),
    ("Dropout", {"rate": 0.3}, (9,)),
    ("Dropout", {"rate": 0.3, "noise_shape": (None, 1, 6)}, (4, 5, 6)),
    ("Dropout", {"rate": 0.3, "noise_shape": (4, 5, 1)}, (4, 5, 6)),
    ("Dropout", {"rate": 0.3, "noise_shape": (4, None, 6)}, (4, 5, 6)),
    ("SpatialDropout1D", {"rate": 0.4}, (4, 5, 6)),
    ("SpatialDropout2D", {"rate": 0.4}, (4, 3, 5, 6)),
    ("SpatialDropout2D", {"rate": 0.4, "data_format": "channels_first"}, (4, 3, 5, 6)),
    ("SpatialDropout3D", {"rate": 0.4}, (2, 3, 2, 3, 5)),
    ("SpatialDropout3D", {"rate": 0.4, "data_format": "channels_first"}, (2, 5, 2, 3, 3)),
]
ALPHA = [
    ("AlphaDropout", {"rate": 0.3}, (5, 7)),
    ("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1, 6)}, (4, 5, 6)),
]
GAUSSIAN = [
    ("GaussianNoise", {"stddev": 0.5}, (5, 7)),
    ("GaussianDropout", {"rate": 0.3}, (5, 7)),
]
ALL = [*MASKING, *ALPHA, *GAUSSIAN]


def case_id(case):
    name, arguments, shape = case
    return f"{name}-{'-'.join(map(str, arguments.values()))}-rank{len(shape)}"


def cases(*lists):
    together = [case for each in lists for case in each]
    return pytest.mark.parametrize("case", together, ids=case_id)


def both(case, seed=7, **options):
    """Our layer, Keras's layer, and an input for them."""
    name, arguments, shape = case
    ours, theirs = (
        getattr(module, name)(seed=seed, **arguments, **options)
        for module in (layers, keras.layers)
    )
    x = np.random.default_rng(1).normal(size=shape)
    return ours, theirs, tf.constant(x, ours.compute_dtype)


def in_training(layer):
    return functools.partial(layer, training=True)


def draws(layer):
    return int(layer.seed_generator.state.numpy()[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["eager", "function"])
@cases(MASKING)
def test_masks_are_those_of_keras_to_the_bit(case, mode, dtype):
    ours, theirs, x = both(case, dtype=dtype)
    our_call, their_call = COMPILE[mode](in_training(ours)), COMPILE[mode](in_training(theirs))
    for _ in range(3):
        result, expected = our_call(x), their_call(x)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
        assert 0 < np.count_nonzero(result) < np.size(result)
    assert draws(ours) == draws(theirs) == 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@cases(ALPHA)
def test_alpha_dropout_drops_what_keras_drops(case, dtype):
    # Keras draws in float32, even for float64.
    ours, theirs, x = both(case, dtype=dtype)
    for _ in range(3):
        result, expected = ours(x, training=True), theirs(x, training=True)
        np.testing.assert_allclose(result, expected, rtol=0, atol=8 * np.finfo(dtype).eps)
        _, counts = np.unique(result, return_counts=True)
        assert counts.max() > 1  # all dropped elements have the same value
    assert draws(ours) == draws(theirs) == 3


def test_alpha_dropout_draws_in_the_type_of_floatx():
    keras.config.set_floatx("float64")
    try:
        for case in ALPHA:
            ours, theirs, x = both(case, dtype="float64")
            np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-14)
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@cases(GAUSSIAN)
def test_gaussian_noise_is_keras_within_the_contract(case, dtype):
    ours, theirs, _ = both(case, dtype=dtype)
    stddev = 0.5 if case[0] == "GaussianNoise" else np.sqrt(0.3 / 0.7)
    x = tf.ones((50, 40), dtype)
    for _ in range(3):
        result, expected = (layer(x, training=True).numpy() for layer in (ours, theirs))
        noise = expected - 1
        allowed = 4 * stddev * np.spacing(np.maximum(abs(noise / stddev), 1).astype(dtype))
        # The errors of a product and a sum, whereas the op rounds once.
        allowed += np.spacing(np.maximum(abs(noise), 1)) + np.spacing(abs(expected))
        assert np.max(abs(result - expected) / allowed) <= 1
    assert draws(ours) == draws(theirs) == 3


@cases(ALL)
def test_xla_gives_what_is_given_outside(case, native_in_xla):
    outside, _, x = both(case)
    inside, _, _ = both(case)
    compiled = tf.function(in_training(inside), jit_compile=True)
    for _ in range(2):
        result, expected = compiled(x).numpy(), outside(x, training=True).numpy()
        # XLA may fuse products and sums of stock ops.
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(result == 0, expected == 0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16"])
@cases(MASKING, ALPHA, GAUSSIAN)
def test_half_precision_draws_in_float32(case, dtype):
    half, _, x = both(case, dtype=dtype)
    single, _, _ = both(case, dtype="float32")
    result, expected = half(x, training=True), single(tf.cast(x, tf.float32), training=True)
    assert result.dtype.name == half.compute_dtype
    unit = {"float16": 2**-10, "bfloat16": 2**-7}[half.compute_dtype]
    result, expected = tf.cast(result, tf.float32).numpy(), expected.numpy()
    np.testing.assert_array_equal(result == 0, expected == 0)
    np.testing.assert_allclose(result, expected, rtol=4 * unit, atol=4 * unit)


@cases(MASKING)
def test_nan_and_infinity_are_dropped_like_numbers(case):
    ours, theirs, x = both(case)
    x = tf.where(tf.random.stateless_uniform(x.shape, [1, 2]) < 0.5, x, np.nan)
    x = tf.where(tf.random.stateless_uniform(x.shape, [1, 3]) < 0.5, x, np.inf)
    np.testing.assert_array_equal(ours(x, training=True), theirs(x, training=True))


def test_alpha_dropout_drops_nan_too():
    layer = layers.AlphaDropout(0.5, seed=1)
    result = layer(tf.fill([100], np.nan), training=True).numpy()
    assert 20 < np.count_nonzero(np.isnan(result)) < 80


@cases(ALL)
def test_inference_is_the_identity_and_draws_nothing(case):
    ours, _, x = both(case)
    np.testing.assert_array_equal(ours(x), x)
    np.testing.assert_array_equal(ours(x, training=False), x)
    assert draws(ours) == 0


def outcome(call):
    try:
        return call().numpy()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("rate", [0, 0.0, 1, 1.0])
@pytest.mark.parametrize("name", ["Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout"])
def test_the_ends_of_the_rates_are_left_to_keras(name, rate):
    ours, theirs, x = both((name, {"rate": rate}, (4, 5, 6)))
    expected = outcome(lambda: theirs(x, training=True))
    result = outcome(lambda: ours(x, training=True))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("x", [3.0, np.array([1, 2, 3])], ids=["scalar", "integers"])
@cases([ALL[0], *GAUSSIAN])
def test_what_the_op_does_not_take_is_left_to_keras(case, x):
    ours, theirs, _ = both(case)
    expected = outcome(lambda: theirs(tf.constant(x), training=True))
    np.testing.assert_array_equal(outcome(lambda: ours(tf.constant(x), training=True)), expected)


@cases(ALL)
def test_gradients_are_those_of_keras(case):
    ours, theirs, x = both(case)
    gradients = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        gradients.append(tape.gradient(loss, x))
    np.testing.assert_allclose(*gradients, rtol=2e-6, atol=2e-6)


@cases(ALL)
def test_configurations_are_those_of_keras(case):
    ours, theirs, x = both(case, name="noise")
    assert isinstance(ours, type(theirs))
    assert ours.get_config() == theirs.get_config()
    again = type(ours).from_config(theirs.get_config())
    np.testing.assert_array_equal(again(x, training=True), ours(x, training=True))
    assert keras.saving.get_registered_name(type(ours)) == f"flatnoise>{case[0]}"


def test_arguments_are_checked_by_keras():
    for cls in (layers.Dropout, layers.AlphaDropout, layers.GaussianDropout):
        with pytest.raises(ValueError, match="`rate`"):
            cls(1.5)
    with pytest.raises(ValueError, match="`stddev`"):
        layers.GaussianNoise(-1.0)


@cases(ALL)
def test_models_save_and_load(case, tmp_path):
    ours, _, x = both(case)
    model = keras.Sequential([keras.Input(batch_shape=x.shape), ours])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is type(ours)
    np.testing.assert_array_equal(loaded(x, training=True), model(x, training=True))


@cases(ALL)
def test_symbolic_shapes_stay(case):
    ours, _, x = both(case)
    inputs = keras.Input(batch_shape=(None, *x.shape[1:]))
    assert ours(inputs).shape == inputs.shape
    assert ours.compute_output_shape(inputs.shape) == inputs.shape


@cases([case for case in ALL if case[1].get("noise_shape", (None,))[0] is None])
def test_unknown_batches_give_the_same_noise(case):
    ours, _, x = both(case)
    signature = [tf.TensorSpec([None, *x.shape[1:]], x.dtype)]
    unknown, _, _ = both(case)
    traced = tf.function(in_training(unknown), input_signature=signature)
    np.testing.assert_array_equal(traced(x), ours(x, training=True))


def test_masks_pass():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    for name, arguments, shape in ALL:
        if len(shape) == 2:
            noisy = getattr(layers, name)(**arguments)(embedded, training=True)
            np.testing.assert_array_equal(noisy._keras_mask, ids != 0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_models_train(jit_compile):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.GaussianNoise(0.1),
            layers.SpatialDropout2D(0.1),
            keras.layers.Flatten(),
            layers.AlphaDropout(0.1),
            layers.Dropout(0.2),
            layers.GaussianDropout(0.1),
            keras.layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse", jit_compile=jit_compile)
    x = np.random.default_rng(1).normal(size=(64, 8, 8, 3)).astype(np.float32)
    y = x.mean((1, 2))[:, :2]
    losses = model.fit(x, y, batch_size=16, epochs=8, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
