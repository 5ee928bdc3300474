"""Parameters broadcast against the output's shape, by NumPy's rule and without enlarging it."""

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, FUNCTIONS, NAMES, Variant
from flatnoise._src import broadcasting
from philox_reference import stream

BATCH, HEIGHT, WIDTH, CHANNELS = 4, 5, 3, 2
SHAPE = (BATCH, HEIGHT, WIDTH, CHANNELS)
FEATURES = HEIGHT * WIDTH * CHANNELS
SEED, OFFSET = (7, -8), 5

# Shapes of the two parameters.
FLATTENED = {
    "scalars": ((), ()),
    "one element": ((1,), (1, 1)),
    "features": ((FEATURES,), (FEATURES,)),
    "samples": ((BATCH, 1), (BATCH, 1)),
    "the whole shape": ((BATCH, FEATURES), (BATCH, FEATURES)),
    "features of one row": ((1, FEATURES), (FEATURES,)),
    "scalar and features": ((), (FEATURES,)),
    "samples and features": ((BATCH, 1), (FEATURES,)),
}
KEPT = {
    "scalars": ((), ()),
    "one element": ((1,), (1, 1, 1, 1)),
    "channels": ((CHANNELS,), (CHANNELS,)),
    "all but the batch": ((HEIGHT, WIDTH, CHANNELS), (HEIGHT, WIDTH, CHANNELS)),
    "samples": ((BATCH, 1, 1, 1), (BATCH, 1, 1, 1)),
    "rows": ((HEIGHT, 1, 1), (HEIGHT, 1, 1)),
    "batch and rows": ((BATCH, HEIGHT, 1, 1), (BATCH, HEIGHT, 1, 1)),
    "columns and channels": ((1, WIDTH, CHANNELS), (WIDTH, CHANNELS)),
    "rows and channels": ((HEIGHT, 1, CHANNELS), (HEIGHT, 1, CHANNELS)),
    "samples and channels": ((BATCH, 1, 1, CHANNELS), (BATCH, 1, WIDTH, 1)),
    "the whole shape": (SHAPE, SHAPE),
    "scalar and channels": ((), (CHANNELS,)),
    "samples, and rows and channels": ((BATCH, 1, 1, 1), (HEIGHT, 1, CHANNELS)),
}
CASES = [
    pytest.param(flatten, shapes, id=f"{'flattened' if flatten else 'kept'}-{name}")
    for flatten, cases in ((True, FLATTENED), (False, KEPT))
    for name, shapes in cases.items()
]


def output_shape(flatten):
    return (BATCH, FEATURES) if flatten else SHAPE


def numbers(shape, low, high, dtype):
    """Different values for each element, in no order."""
    values = np.random.default_rng(3).permutation(np.linspace(low, high, int(np.prod(shape))))
    return values.reshape(shape).astype(dtype)


def parameters(shapes, dtype):
    """Every value of the second is above every one of the first, so both orders are right."""
    first, second = shapes
    return numbers(first, -1.0, 0.25, dtype), numbers(second, 0.5, 2.0, dtype)


# What each noise is, in NumPy.
EXPECTED = {
    "add_normal": lambda x, z, mean, stddev: x + (mean + stddev * z),
    "add_uniform": lambda x, z, minval, maxval: x + (minval + (maxval - minval) * z),
    "multiply_normal": lambda x, z, mean, stddev: x * (mean + stddev * z),
}
# The terms of the parameters' gradients, for each element.
TERMS = {
    "add_normal": lambda g, x, z: (g, g * z),
    "add_uniform": lambda g, x, z: (g * (1 - z), g * z),
    "multiply_normal": lambda g, x, z: (g * x, g * x * z),
}


def z_of(noise, flatten, dtype):
    count = int(np.prod(SHAPE))
    numbers = stream(noise.distribution, SEED, OFFSET, count, COMPUTE_DTYPE[dtype])
    return numbers.astype(np.float64).reshape(output_shape(flatten))


def allowed_error(variant, dtype, x, z, expected, values):
    """Of z, of the three roundings that follow, and of that to a half-precision type."""
    largest = max(np.max(np.abs(value)) for value in values) * 2
    factor = np.maximum(np.abs(x), 1)
    error = largest * factor * variant.tolerance(dtype, z)
    error = error + 4 * np.finfo(COMPUTE_DTYPE[dtype]).eps * factor * largest * 8
    return error + {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype, 0) * np.abs(expected)


@pytest.mark.parametrize("flatten, shapes", CASES)
def test_parameters_broadcast(variant, noise, dtype, flatten, shapes):
    x = tf.cast(numbers(SHAPE, -2, 2, np.float32), dtype)
    values = parameters(shapes, COMPUTE_DTYPE[dtype])
    got = variant.run(noise.name, x, SEED, values, offset=OFFSET, flatten=flatten)
    assert got.shape == output_shape(flatten)
    assert got.dtype == x.dtype
    z = z_of(noise, flatten, dtype)
    exact = tf.cast(x, tf.float64).numpy().reshape(z.shape)
    expected = EXPECTED[noise.name](exact, z, *(value.astype(np.float64) for value in values))
    error = np.abs(tf.cast(got, tf.float64) - expected)
    assert np.all(error <= allowed_error(variant, dtype, exact, z, expected, values))


def summed_to(shape, terms):
    """`terms` summed over what an array of `shape` was broadcast over, in float64."""
    sizes = (1,) * (terms.ndim - len(shape)) + tuple(shape)
    axes = tuple(axis for axis, size in enumerate(sizes) if size == 1)
    return terms.sum(axes).reshape(shape)


@pytest.mark.parametrize("flatten, shapes", CASES)
def test_gradients_are_summed_over_what_was_broadcast(variant, noise, flatten, shapes):
    x = numbers(SHAPE, -2, 2, np.float64)
    values = parameters(shapes, np.float64)
    upstream = numbers(output_shape(flatten), 1, 2, np.float64)

    @variant.compile
    def gradients(x, upstream, *values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = FUNCTIONS[noise.name](
                x,
                SEED,
                *values,
                offset=OFFSET,
                flatten=flatten,
                implementation=variant.implementation,
            )
        return tape.gradient(y, values, output_gradients=upstream)

    got = gradients(*map(tf.constant, (x, upstream, *values)))
    z = z_of(noise, flatten, "float64")
    terms = TERMS[noise.name](upstream, x.reshape(z.shape), z)
    for gradient, value, term in zip(got, values, terms, strict=True):
        assert gradient.shape == value.shape
        expected = summed_to(value.shape, term)
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", [(), (CHANNELS,), (HEIGHT, 1, CHANNELS), (2, 1, 1, 1)], ids=str)
def test_second_order_gradients_are_the_numerical_ones(implementation, noise, shape):
    def first_order(*arguments):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            x, first, second = arguments
            y = FUNCTIONS[noise.name](
                x, SEED, first, second, flatten=False, implementation=implementation
            )
            loss = tf.reduce_sum(tf.sin(y))
        gradients = tape.gradient(loss, list(arguments))
        return tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], axis=0)

    x = numbers((2, HEIGHT, 2, CHANNELS), -1, 1, np.float64)
    arguments = [tf.constant(value) for value in (x, *parameters((shape, shape), np.float64))]
    theoretical, numerical = tf.test.compute_gradient(first_order, arguments)
    for ours, measured in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(ours, measured, atol=5e-4)


UNKNOWN = {
    "all ranks": lambda shape: None,
    "all sizes": lambda shape: [None] * len(shape),
    "the batch": lambda shape: [None, *shape[1:]] if len(shape) == len(SHAPE) else shape,
}


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize("flatten, shapes", CASES)
def test_what_is_unknown_when_traced_broadcasts_when_run(
    request, implementation, unknown, jit_compile, flatten, shapes
):
    if jit_compile and implementation == "native":
        request.getfixturevalue("native_in_xla")
    x, values = numbers(SHAPE, -2, 2, np.float32), parameters(shapes, np.float32)
    signature = [tf.TensorSpec(UNKNOWN[unknown](array.shape), tf.float32) for array in (x, *values)]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def add(x, minval, maxval):
        return flatnoise.flatten_add_uniform(
            x, SEED, minval, maxval, flatten=flatten, implementation=implementation
        )

    expected = flatnoise.flatten_add_uniform(
        x, SEED, *values, flatten=flatten, implementation="tensorflow"
    )
    np.testing.assert_allclose(add(x, *values), expected, atol=1e-6)


# Shapes that don't broadcast to the output's, or would enlarge it.
MISFITS = [
    (True, (FEATURES - 1,)),
    (True, (BATCH,)),
    (True, (HEIGHT, WIDTH, CHANNELS)),
    (True, (2, FEATURES)),
    (True, (1, BATCH, FEATURES)),
    (True, (0,)),
    (False, (FEATURES,)),
    (False, (BATCH,)),
    (False, (BATCH, 1)),
    (False, (WIDTH, HEIGHT, CHANNELS)),
    (False, (1, *SHAPE)),
]
FORMS = {"array": np.asarray, "list": lambda array: array.tolist(), "tensor": tf.constant}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("flatten, shape", MISFITS)
def test_an_error_names_the_argument_and_both_shapes(
    implementation, noise, flatten, shape, position, form
):
    name = NAMES[noise.name][position]
    wrong = FORMS[form](np.ones(shape, np.float32))
    with pytest.raises(ValueError, match=f"argument `{name}`. Expected .*{name}=") as caught:
        FUNCTIONS[noise.name](
            np.zeros(SHAPE, np.float32),
            SEED,
            flatten=flatten,
            implementation=implementation,
            **{name: wrong},
        )
    assert str(output_shape(flatten)) in str(caught.value)
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("flatten, shape", MISFITS)
def test_what_was_unknown_is_refused_when_run(implementation, flatten, shape):
    @tf.function(input_signature=[tf.TensorSpec(None)] * 2)
    def add(x, stddev):
        return flatnoise.flatten_add_normal(
            x, SEED, stddev=stddev, flatten=flatten, implementation=implementation
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"stddev \(scale\) must have a shape"):
        add(tf.zeros(SHAPE), tf.ones(shape))


def test_the_raw_op_refuses_what_is_not_one_run(native):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"stddev \(scale\)"):
        flatnoise.raw_ops.FlattenNoise(
            input=tf.zeros(SHAPE),
            seed=SEED,
            offset=0,
            parameters=[0.0, tf.ones([HEIGHT, 1, CHANNELS])],
            flatten=False,
        )


def test_parameters_are_read_in_place_wherever_they_can_be(native):
    def ops_for(shape):
        def add(stddev):
            return flatnoise.flatten_add_normal(
                np.zeros(SHAPE, np.float32), SEED, stddev=stddev, flatten=False
            )

        graph = tf.function(add).get_concrete_function(tf.TensorSpec(shape)).graph
        return {operation.type for operation in graph.get_operations()}

    expanded = {
        shape for shapes in KEPT.values() for shape in shapes if "BroadcastTo" in ops_for(shape)
    }
    assert expanded == {(HEIGHT, 1, CHANNELS), (BATCH, 1, 1, CHANNELS), (BATCH, 1, WIDTH, 1)}


@pytest.mark.parametrize(
    "shape, output, expanded",
    [
        ((5, 1, 2), (4, 5, 3, 2), (1, 5, 3, 2)),
        ((4, 1, 1, 2), (4, 5, 3, 2), (4, 5, 3, 2)),
        ((4, 1, 3, 1), (4, 5, 3, 2), (4, 5, 3, 1)),
        ((5, 1, 2), (None, 5, None, 2), (1, 5, None, 2)),
        ((None, 1, 2), (4, None, 3, 2), None),
    ],
)
def test_the_least_that_is_one_run(shape, output, expanded):
    assert not broadcasting.is_one_run(shape, output)
    assert broadcasting.one_run_shape(shape, output) == expanded
    if expanded is not None and None not in expanded:
        assert broadcasting.is_one_run(expanded, output)


@pytest.mark.parametrize(
    "shape, output",
    [
        ((), None),
        ((None, None), None),
        ((5, 1, 2), (4, 5, 1, 2)),
        ((None, 3, 2), (4, 5, 3, 2)),
        ((0,), (4, 0)),
    ],
    ids=str,
)
def test_what_is_sure_to_be_one_run(shape, output):
    assert broadcasting.is_one_run(shape, output)


def test_native_bits_do_not_depend_on_how_a_value_is_broadcast(native, noise, dtype):
    x = tf.cast(numbers(SHAPE, -2, 2, np.float32), dtype)
    variant = Variant("native", "eager")
    results = [
        variant.run(
            noise.name, x, SEED, (np.full(first, -0.25), np.full(second, 0.75)), flatten=False
        )
        for first, second in KEPT.values()
    ]
    for result in results[1:]:
        tf.debugging.assert_equal(result, results[0])
