"""Noise without an input, which equals the noise of the functions that add it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import ADD, COMPUTE_DTYPE, PARAMETERS, STOCK
from philox_reference import stream

SEED = (-3, 7)
SHAPE = (3, 4, 5)
DRAW = {name: getattr(flatnoise, name) for name in ADD}
FORMS = {
    "scalars": (0.25, 1.5),
    "per feature": (np.linspace(-1, 1, 5), np.linspace(0.5, 2, 5) + 1),
    "per sample": (0.25, np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)),
    "in gaps": (np.linspace(-1, 1, 15).reshape(3, 1, 5), 1.5),
}
FORMS_AND_DTYPES = [
    *((form, "float32") for form in FORMS),
    *(("scalars", dtype) for dtype in COMPUTE_DTYPE if dtype != "float32"),
]


def draw(variant, distribution, shape, *parameters, **options):
    @variant.compile
    def run(parameters):
        return DRAW[distribution](
            shape, SEED, *parameters, implementation=variant.implementation, **options
        )

    return run(parameters)


@pytest.mark.parametrize(("form", "dtype"), FORMS_AND_DTYPES)
def test_it_is_what_is_added(variant, distribution, dtype, form):
    parameters = [tf.cast(each, COMPUTE_DTYPE[dtype]) for each in FORMS[form]]
    got = draw(variant, distribution, SHAPE, *parameters, dtype=dtype)
    assert got.shape == SHAPE and got.dtype == dtype

    @variant.compile
    def add(parameters):
        return ADD[distribution](
            tf.zeros(SHAPE, dtype),
            SEED,
            *parameters,
            flatten=False,
            implementation=variant.implementation,
        )

    expected = add(parameters)
    tolerance = 0 if variant.implementation == "native" else {"float16": 2e-3, "bfloat16": 2e-2}
    if tolerance:
        tolerance = tolerance.get(dtype, 1e-5)
    np.testing.assert_allclose(
        tf.cast(got, tf.float64), tf.cast(expected, tf.float64), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("name", STOCK)
def test_it_is_the_stream_of_the_definition(variant, name):
    z = stream(name, SEED, 0, 60, "float32").reshape(SHAPE)
    got = draw(variant, name, SHAPE)
    np.testing.assert_allclose(got, z, rtol=0, atol=variant.tolerance("float32", z).max())


def test_parts_are_those_of_the_whole(variant, distribution):
    whole = draw(variant, distribution, [6, 7])
    part = draw(variant, distribution, [4, 7], offset=14)
    tolerance = 0 if variant.implementation == "native" else 1e-4
    np.testing.assert_allclose(part, whole[2:], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "shape",
    [
        [3, 2],
        (3, 2),
        tf.TensorShape([3, 2]),
        np.array([3, 2]),
        tf.constant([3, 2]),
        tf.constant([3, 2], tf.int64),
        [tf.constant(3), 2],
    ],
    ids=["list", "tuple", "TensorShape", "array", "int32", "int64", "mixed"],
)
def test_shapes_of_every_kind(implementation, shape):
    got = flatnoise.normal(shape, SEED, implementation=implementation)
    assert got.shape == (3, 2)


def test_a_shape_that_only_a_run_shows(implementation):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([3])])
    def run(shape, stddev):
        return flatnoise.normal(shape, SEED, 0.0, stddev, implementation=implementation)

    assert run([2, 3], [1.0, 2.0, 3.0]).shape == (2, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run([2, -3], [1.0, 2.0, 3.0])
    with pytest.raises(tf.errors.InvalidArgumentError):
        run([2, 4], [1.0, 2.0, 3.0])


@pytest.mark.parametrize("shape", [[0], [0, 3], [3, 0]], ids=str)
def test_empty_shapes(variant, shape):
    assert draw(variant, "normal", shape).shape == shape


def test_gradients_are_sums(variant, distribution):
    @variant.compile
    def compute(first, second):
        with tf.GradientTape() as tape:
            tape.watch([first, second])
            y = DRAW[distribution](
                SHAPE,
                SEED,
                first,
                second,
                dtype="float64",
                implementation=variant.implementation,
            )
            loss = tf.reduce_sum(y**2)
        return y, tape.gradient(loss, [first, second])

    first, second = tf.constant(0.25, tf.float64), tf.constant([1.0, 2, 3, 4, 5], tf.float64)
    y, (of_first, of_second) = compute(first, second)
    scale = second - first if distribution == "uniform" else second
    z = (y - first) / scale
    of_loc, of_scale = tf.reduce_sum(2 * y), tf.reduce_sum(2 * y * z, [0, 1])
    if distribution == "uniform":
        of_loc -= tf.reduce_sum(of_scale)
    np.testing.assert_allclose(of_first, of_loc, rtol=1e-8)
    np.testing.assert_allclose(of_second, of_scale, rtol=1e-8)


def test_a_generator_gives_other_noise_each_time(implementation):
    generator = keras.random.SeedGenerator(4)
    first, second = (
        flatnoise.normal([8], generator, implementation=implementation).numpy() for _ in range(2)
    )
    assert (first != second).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": []}, r"`shape`.*one size or more"),
        ({"shape": 5}, r"`shape`"),
        ({"shape": [2, -1]}, r"`shape`"),
        ({"shape": [2.5]}, r"`shape`"),
        ({"shape": "2"}, r"`shape`"),
        ({"seed": "x"}, r"`seed`"),
        ({"stddev": -1.0}, r"`stddev`.*not negative"),
        ({"mean": [1.0, 2.0]}, r"`mean`.*\(3, 4, 5\)"),
        ({"dtype": "int32"}, r"`dtype`.*bfloat16"),
        ({"dtype": "no type"}, r"`dtype`"),
        ({"offset": -1}, r"`offset`"),
        ({"implementation": "fast"}, r"`implementation`"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        flatnoise.normal(**{"shape": SHAPE, "seed": SEED, **arguments})


def test_the_parameters_are_those_of_the_functions_that_add():
    for distribution, names in PARAMETERS.items():
        for name in names:
            with pytest.raises(ValueError, match=f"`{name}`"):
                DRAW[distribution](SHAPE, SEED, **{name: np.nan})
