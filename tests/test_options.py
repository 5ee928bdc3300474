"""Options of every noise: clipping, shared noise and uint8."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, FUNCTIONS, NOISES, THOROUGH, Variant, valid_values

SEED = (5, -6)
X = np.linspace(-2, 2, 4 * 6 * 5 * 3).reshape(4, 6, 5, 3)
IMAGES = (np.arange(4 * 6 * 5 * 3) * 37 % 256).astype(np.uint8).reshape(4, 6, 5, 3)
CLIP = (-0.5, 0.75)
THOROUGH_NOISES = [NOISES[name] for name in THOROUGH]


def run(variant, noise, inputs, **options):
    """Runs the noise's function in the variant's mode, with inputs as run-time values."""
    values = valid_values(noise.parameters)

    @variant.compile
    def call(inputs):
        return FUNCTIONS[noise.name](
            inputs, SEED, *values, implementation=variant.implementation, **options
        )

    return call(tf.convert_to_tensor(inputs))


# Bounds.


def clipped(values, low, high):
    return np.where(values < low, low, np.where(values > high, high, values))


@pytest.mark.fallback_in_xla(noise=THOROUGH_NOISES)
@pytest.mark.parametrize("flatten", [True, False])
def test_results_stay_between_bounds(variant, noise, dtype, flatten):
    x = tf.cast(X, dtype)
    compute = COMPUTE_DTYPE[dtype]
    # In the compute dtype, because results are clipped before they are rounded.
    wide = run(variant, noise, tf.cast(x, compute), flatten=flatten).numpy()
    bounds = np.asarray(CLIP, compute)
    expected = tf.cast(clipped(wide, *bounds), dtype).numpy()
    got = run(variant, noise, x, flatten=flatten, clip=CLIP).numpy()
    assert got.dtype == expected.dtype and got.shape == expected.shape
    tolerance = 0 if variant.implementation == "native" else 1e-5
    np.testing.assert_allclose(
        got.astype(np.float64), expected.astype(np.float64), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("clip", [(-np.inf, 0.0), (0.0, np.inf), [0, 1], (np.float32(0.5), 0.5)])
def test_bounds_may_be_infinite_integers_or_equal(variant, clip):
    got = run(variant, NOISES["add_normal"], tf.constant(X, tf.float32), clip=clip).numpy()
    assert got.min() >= clip[0] and got.max() <= clip[1]


def test_what_is_not_a_number_stays_so(variant):
    x = np.array([[np.nan, 5.0]], np.float32)
    got = run(variant, NOISES["add_normal"], x, clip=(0.0, 1.0)).numpy()
    assert np.isnan(got[0, 0]) and got[0, 1] == 1.0


def gradients(variant, noise, inputs, with_clip):
    """Gradients of a weighted sum for the inputs and the differentiable parameters."""
    names = [parameter.name for parameter in noise.parameters]
    values = dict(zip(names, valid_values(noise.parameters), strict=True))
    wanted = {
        each.name: tf.constant(values[each.name], inputs.dtype)
        for each in noise.parameters
        if each.is_differentiable
    }
    weights = tf.reshape(tf.range(X.size, dtype=inputs.dtype), X.shape) % 7 - 3

    @variant.compile
    def compute(inputs, wanted):
        with tf.GradientTape() as tape:
            tape.watch([inputs, wanted])
            y = FUNCTIONS[noise.name](
                inputs,
                SEED,
                **{**values, **wanted},
                flatten=False,
                clip=CLIP if with_clip == "fused" else None,
                implementation=variant.implementation,
            )
            y = tf.clip_by_value(y, *CLIP) if with_clip == "after" else y
            loss = tf.reduce_sum(weights * y)
        return tape.gradient(loss, [inputs, *wanted.values()])

    return compute(inputs, wanted)


def test_gradients_are_those_of_clipping_afterwards(variant, noise):
    x = tf.constant(X, tf.float64)
    fused = gradients(variant, noise, x, "fused")
    after = gradients(variant, noise, x, "after")
    for ours, expected in zip(fused, after, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


def test_gradients_of_half_precision_know_what_was_clipped_before_rounding(native):
    x = tf.cast(X, tf.bfloat16)
    noise = NOISES["add_normal"]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = FUNCTIONS[noise.name](x, SEED, stddev=0.5, flatten=False, clip=CLIP)
    wide = FUNCTIONS[noise.name](tf.cast(x, tf.float32), SEED, stddev=0.5, flatten=False)
    passes = (wide >= CLIP[0]) & (wide <= CLIP[1])
    np.testing.assert_array_equal(tape.gradient(y, x) == 1, passes)


@pytest.mark.parametrize(
    "clip", [(1, 0), 3, (0,), (0, 1, 2), (0, np.nan), ("0", 1), (True, 2), np.array([0, 1])]
)
def test_other_bounds_are_refused(implementation, clip):
    with pytest.raises(ValueError, match=r"`clip`.*low <= high"):
        flatnoise.flatten_add_normal(X, SEED, clip=clip, implementation=implementation)


# Shared noise.


@pytest.mark.fallback_in_xla(noise=THOROUGH_NOISES)
@pytest.mark.parametrize(
    "noise_shape",
    [(None, None, None, 1), (4, 6, 5, 1), (1, None, None, None), (None, 1, 1, None), (1, 1, 1, 1)],
    ids=str,
)
@pytest.mark.parametrize("flatten", [True, False])
def test_noise_is_shared_along_axes(variant, noise, noise_shape, flatten):
    x = tf.constant(X, tf.float32)
    got = run(variant, noise, x, flatten=flatten, noise_shape=noise_shape).numpy()
    sizes = [1 if wanted == 1 else size for wanted, size in zip(noise_shape, X.shape, strict=True)]
    # The noise of a tensor with that shape.
    kind = noise.combination
    dtype = np.float32
    z = FUNCTIONS["add_" + noise.distribution](
        tf.zeros(sizes), SEED, 0.0, 1.0, flatten=False, implementation="tensorflow"
    ).numpy()
    values = [dtype(value) for value in valid_values(noise.parameters)]
    given = [noise.array_dtype(dtype)(value) for value in values]
    parameters = [dtype(each) for each in noise.to_op(np, *given)]
    expected = kind.combine(np, X.astype(dtype), z, parameters, lambda a: a)
    expected = expected.reshape(4, -1) if flatten else expected
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-5)


def test_sizes_that_only_a_run_shows(implementation):
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def add(x):
        return flatnoise.flatten_add_normal(
            x,
            SEED,
            flatten=False,
            noise_shape=(None, None, None, 1),
            implementation=implementation,
        )

    noise = add(tf.zeros(X.shape)).numpy()
    np.testing.assert_array_equal(noise, np.repeat(noise[..., :1], 3, axis=-1))
    assert len(np.unique(noise)) == X.size // 3


def test_shared_noise_has_gradients(variant):
    @variant.compile
    def compute(x, scale):
        with tf.GradientTape() as tape:
            tape.watch([x, scale])
            y = flatnoise.flatten_multiply_normal(
                x,
                SEED,
                1.0,
                scale,
                flatten=False,
                noise_shape=(None, None, None, 1),
                implementation=variant.implementation,
            )
        return y, tape.gradient(y, [x, scale])

    x, scale = tf.constant(X), tf.constant(0.5, tf.float64)
    y, (of_x, of_scale) = compute(x, scale)
    np.testing.assert_allclose(of_x, y / x, rtol=1e-9)
    np.testing.assert_allclose(of_scale, tf.reduce_sum((y - x) / scale), rtol=1e-9)


@pytest.mark.parametrize(
    "noise_shape",
    [(4, 6, 5), (4, 6, 5, 2), (1, 1, 1, 0), 1, "1111", (1, 1, 1, 1.0), (1, 1, 1, -1)],
    ids=str,
)
def test_other_noise_shapes_are_refused(implementation, noise_shape):
    with pytest.raises(ValueError, match=r"`noise_shape`.*\(4, 6, 5, 3\)"):
        flatnoise.flatten_add_normal(
            X, SEED, noise_shape=noise_shape, implementation=implementation
        )


# Bytes.


def as_bytes(values):
    """Rounds to nearest, ties to even. NaN becomes 0."""
    rounded = np.clip(np.rint(values.astype(np.float64)), 0, 255)
    return np.where(np.isnan(values), 0, rounded).astype(np.uint8)


LEVELS = {"add_normal": (4.0, 30.0), "add_uniform": (-40.0, 40.0), "mask": (0.3, 300.0)}


@pytest.mark.fallback_in_xla(output=["uint8", "float32"])
@pytest.mark.parametrize(
    "name", ["add_normal", "add_uniform", "multiply_normal", "dropout", "mask", "salt_and_pepper"]
)
@pytest.mark.parametrize("output", ["uint8", "float16", "bfloat16", "float32"])
@pytest.mark.parametrize("input_scale", [1.0, 1 / 255], ids=["kept", "scaled"])
def test_bytes_get_the_noise_of_the_numbers_that_they_are(variant, name, output, input_scale):
    values = LEVELS.get(name, valid_values(NOISES[name].parameters))

    @variant.compile
    def call(inputs, **options):
        return FUNCTIONS[name](
            inputs, SEED, *values, implementation=variant.implementation, **options
        )

    numbers = IMAGES.astype(np.float32) * np.float32(input_scale)
    wide = call(tf.constant(numbers)).numpy()
    expected = as_bytes(wide) if output == "uint8" else tf.cast(wide, output).numpy()
    got = call(tf.constant(IMAGES), dtype=output, input_scale=input_scale).numpy()
    assert got.dtype == expected.dtype and got.shape == (4, 90)
    if variant.implementation == "native":
        np.testing.assert_array_equal(got, expected)
    else:  # logarithms may differ between functions
        close = {"uint8": 1, "float16": 0.3, "bfloat16": 2, "float32": 1e-3}[output]
        np.testing.assert_allclose(
            got.astype(np.float64), expected.astype(np.float64), rtol=0, atol=close
        )


def test_bytes_stay_bytes_unless_another_type_is_asked_for(variant):
    got = run(variant, NOISES["add_normal"], IMAGES)
    assert got.dtype == tf.uint8


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_implementations_differ_where_a_number_is_next_to_a_tie_alone(native_in_xla, mode):
    native, stock = (
        run(Variant(implementation, mode), NOISES["add_uniform"], IMAGES).numpy()
        for implementation in ("native", "tensorflow")
    )
    np.testing.assert_array_equal(native, stock)


def test_bytes_are_clipped_and_share_noise(variant):
    got = run(
        variant,
        NOISES["add_normal"],
        IMAGES,
        flatten=False,
        dtype="float32",
        input_scale=1 / 255,
        clip=(0, 1),
        noise_shape=(None, None, None, 1),
    ).numpy()
    assert got.shape == IMAGES.shape and got.min() == 0 and got.max() == 1
    inside = (got > 0) & (got < 1)
    noise = np.where(inside, got - IMAGES * np.float32(1 / 255), np.nan)
    spread = np.nanmax(noise, -1, initial=-9) - np.nanmin(noise, -1, initial=9)
    assert spread.max() < 1e-6


def test_parameters_have_gradients_where_the_output_is_real(variant):
    @variant.compile
    def compute(images, stddev):
        with tf.GradientTape() as tape:
            tape.watch(stddev)
            y = flatnoise.flatten_multiply_normal(
                images,
                SEED,
                1.0,
                stddev,
                dtype="float32",
                input_scale=1 / 255,
                implementation=variant.implementation,
            )
        return y, tape.gradient(y, stddev)

    y, of_stddev = compute(tf.constant(IMAGES), tf.constant(0.5))
    x = (IMAGES.astype(np.float64) / 255).reshape(4, -1)
    np.testing.assert_allclose(of_stddev, np.sum((y - x) / 0.5), rtol=1e-3, atol=1e-3)


def test_pipelines_take_bytes():
    images = tf.data.Dataset.from_tensor_slices(np.stack([IMAGES] * 3)).enumerate()
    noisy = images.map(
        lambda i, x: flatnoise.flatten_add_normal(x, [7, i], stddev=20.0, flatten=False),
        num_parallel_calls=2,
    )
    for i, got in enumerate(noisy):
        expected = flatnoise.flatten_add_normal(IMAGES, [7, i], stddev=20.0, flatten=False)
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (X, {"dtype": "float32"}, r"`dtype`.*float64 for float64"),
        (X, {"input_scale": 2.0}, r"`input_scale`.*1.0 for float64"),
        (IMAGES, {"dtype": "float64"}, r"`dtype`.*uint8 or float16"),
        (IMAGES, {"dtype": "int32"}, r"`dtype`"),
        (IMAGES, {"dtype": "no type"}, r"`dtype`"),
        (IMAGES, {"input_scale": np.inf}, r"`input_scale`.*finite"),
        (IMAGES, {"input_scale": "1"}, r"`input_scale`.*finite"),
    ],
)
def test_other_types_and_scales_are_refused(implementation, inputs, options, message):
    with pytest.raises(ValueError, match=message):
        flatnoise.flatten_add_normal(inputs, SEED, implementation=implementation, **options)


# Layers.

LAYERS = [
    flatnoise.layers.AddGaussianNoise,
    flatnoise.layers.AddUniformNoise,
    flatnoise.layers.AddNoise,
    flatnoise.layers.AddLaplaceNoise,
    flatnoise.layers.AddTruncatedGaussianNoise,
    flatnoise.layers.MultiplyGaussianNoise,
    flatnoise.layers.MaskingNoise,
    flatnoise.layers.SaltAndPepperNoise,
    flatnoise.layers.LearnedGaussianNoise,
]


@pytest.mark.parametrize("layer_class", LAYERS)
def test_layers_clip_and_share_noise(layer_class):
    layer = layer_class(seed=1, flatten=False, clip=(-0.5, 1), noise_shape=[None, None, None, 1])
    x = tf.constant(X, tf.float32)
    y = layer(x).numpy()
    assert y.min() == -0.5 and y.max() == 1
    grey = layer(tf.fill(X.shape, 0.25)).numpy()
    np.testing.assert_array_equal(grey, np.repeat(grey[..., :1], 3, axis=-1))
    assert len(np.unique(grey)) > 1


@pytest.mark.parametrize("layer_class", LAYERS)
def test_layers_keep_their_options_in_files(layer_class, tmp_path):
    layer = layer_class(seed=1, flatten=False, clip=(0, np.inf), noise_shape=(None, 1, 1, 3))
    model = keras.Sequential([keras.Input(X.shape[1:]), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    assert loaded.clip == (0.0, np.inf) and loaded.noise_shape == (None, 1, 1, 3)
    x = tf.constant(X, tf.float32)
    np.testing.assert_array_equal(loaded(x), layer(x))


def test_layers_refuse_other_options():
    with pytest.raises(ValueError, match="`clip`"):
        flatnoise.layers.AddGaussianNoise(clip=(1, 0))
    with pytest.raises(ValueError, match="`noise_shape`"):
        flatnoise.layers.AddGaussianNoise(noise_shape=5)
    layer = flatnoise.layers.AddGaussianNoise(noise_shape=(None, 7, None, None))
    with pytest.raises(ValueError, match="`noise_shape`"):
        layer(tf.constant(X, tf.float32))
