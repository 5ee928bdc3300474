"""Parameters broadcast against the output's shape, by NumPy's rules and without enlarging it."""

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, FUNCTIONS, NAMES, NOISES, THOROUGH, Variant, valid_range
from flatnoise._src import broadcasting
from philox_reference import stream

BATCH, HEIGHT, WIDTH, CHANNELS = 4, 5, 3, 2
SHAPE = (BATCH, HEIGHT, WIDTH, CHANNELS)
FEATURES = HEIGHT * WIDTH * CHANNELS
SEED, OFFSET = (7, -8), 5

# The shapes of the two parameters.
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
    """A different value for each element, in random order."""
    values = np.random.default_rng(3).permutation(np.linspace(low, high, int(np.prod(shape))))
    return values.reshape(shape).astype(dtype)


def parameters(noise, shapes, dtype):
    """Values for a noise's parameters, alternating between the two shapes."""
    return [
        numbers(shapes[k % 2], *valid_range(name, k), dtype)
        for k, name in enumerate(NAMES[noise.name])
    ]


# The limit of SELU, alpha times its scale.
SELU_LIMIT = -1.6732632423543772 * 1.0507009873554805


def alpha_dropout(x, z, rate):
    scale = ((1 - rate) * (1 + rate * SELU_LIMIT**2)) ** -0.5
    return scale * np.where(z < rate, SELU_LIMIT, x) - scale * SELU_LIMIT * rate


def salt_and_pepper(x, z, amount, salt_vs_pepper, salt, pepper):
    replaced = np.where(z >= 1 - amount * salt_vs_pepper, salt, x)
    return np.where(z < amount * (1 - salt_vs_pepper), pepper, replaced)


def add_scaled(x, z, loc, scale):
    return x + (loc + scale * z)


# The formula of each noise, in NumPy.
EXPECTED = {
    "add_normal": add_scaled,
    "add_uniform": lambda x, z, minval, maxval: x + (minval + (maxval - minval) * z),
    "add_laplace": add_scaled,
    "add_gumbel": add_scaled,
    "add_logistic": add_scaled,
    "add_truncated_normal": add_scaled,
    "multiply_normal": lambda x, z, mean, stddev: x * (mean + stddev * z),
    "dropout": lambda x, z, rate: np.where(z < rate, 0, x / (1 - rate)),
    "alpha_dropout": alpha_dropout,
    "mask": lambda x, z, rate, value: np.where(z < rate, value, x),
    "salt_and_pepper": salt_and_pepper,
}


def terms_of_scaled(g, x, z, loc, scale):
    return g, g * z


# The terms of the parameters' gradients for each element, or None without a gradient.
TERMS = {
    "add_normal": terms_of_scaled,
    "add_uniform": lambda g, x, z, *_: (g * (1 - z), g * z),
    "add_laplace": terms_of_scaled,
    "add_gumbel": terms_of_scaled,
    "add_logistic": terms_of_scaled,
    "add_truncated_normal": terms_of_scaled,
    "multiply_normal": lambda g, x, z, *_: (g * x, g * x * z),
    "dropout": lambda g, x, z, rate: (None,),
    "alpha_dropout": lambda g, x, z, rate: (None,),
    "mask": lambda g, x, z, rate, value: (None, g * (z < rate)),
    "salt_and_pepper": lambda g, x, z, amount, share, *_: (
        *(None, None),
        g * (z >= 1 - amount * share),
        g * (z < amount * (1 - share)),
    ),
}
# For each combination, the noise with the op's parameters is tested with every shape. Other noises
# are tested with a few shapes, and those that transform uniform numbers with one shape. All except
# these few tests are slow.
IN_EVERY_SHAPE = ("add_normal", "multiply_normal", "salt_and_pepper")
IN_FEW_SHAPES = ("add_uniform", "dropout", "alpha_dropout", "mask")
FEW = (
    "flattened-scalars",
    "flattened-samples and features",
    "kept-samples",
    "kept-samples and channels",
)
ONE = ("kept-samples and channels",)


def marks_of(case):
    return () if case.id in FEW else pytest.mark.long


def shapes_of(name):
    if name in IN_EVERY_SHAPE:
        return [case.id for case in CASES]
    return FEW if name in IN_FEW_SHAPES else ONE


TWO_SHAPES = [case.values[1] for case in CASES if case.id in ("flattened-scalars", *ONE)]
NOISES_AND_SHAPES = [
    pytest.param(NOISES[name], *case.values, id=f"{name}-{case.id}", marks=marks_of(case))
    for name in NOISES
    for case in CASES
    if case.id in shapes_of(name)
]
# With dtypes: only float32 is tested with more than one shape.
TYPES_TOO = [
    pytest.param(*case.values, dtype, id=f"{case.id}-{dtype}", marks=case.marks)
    for case in NOISES_AND_SHAPES
    for dtype in COMPUTE_DTYPE
    if dtype == "float32" or case.id.endswith(ONE)
]


def z_of(noise, flatten, dtype):
    count = int(np.prod(SHAPE))
    numbers = stream(noise.distribution, SEED, OFFSET, count, COMPUTE_DTYPE[dtype])
    return numbers.astype(np.float64).reshape(output_shape(flatten))


def allowed_error(variant, dtype, x, z, expected, values):
    """The error of z, of the three roundings, and of rounding to a half-precision dtype."""
    largest = max(np.max(np.abs(value)) for value in values) * 2
    factor = np.maximum(np.abs(x), 1)
    error = largest * factor * variant.tolerance(dtype, z)
    error = error + 4 * np.finfo(COMPUTE_DTYPE[dtype]).eps * factor * largest * 8
    return error + {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype, 0) * np.abs(expected)


@pytest.mark.fallback_in_xla(shapes=TWO_SHAPES, dtype=["float32", "bfloat16"])
@pytest.mark.parametrize("noise, flatten, shapes, dtype", TYPES_TOO)
def test_parameters_broadcast(variant, noise, dtype, flatten, shapes):
    x = tf.cast(numbers(SHAPE, -2, 2, np.float32), dtype)
    values = parameters(noise, shapes, COMPUTE_DTYPE[dtype])
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


@pytest.mark.fallback_in_xla(shapes=TWO_SHAPES)
@pytest.mark.parametrize("noise, flatten, shapes", NOISES_AND_SHAPES)
def test_gradients_are_summed_over_what_was_broadcast(variant, noise, flatten, shapes):
    x = numbers(SHAPE, -2, 2, np.float64)
    values = parameters(noise, shapes, np.float64)
    upstream = numbers(output_shape(flatten), 1, 2, np.float64)

    @variant.compile
    def gradients(x, upstream, *values):
        with tf.GradientTape() as tape:
            tape.watch([x, *values])
            y = FUNCTIONS[noise.name](
                x,
                SEED,
                *values,
                offset=OFFSET,
                flatten=flatten,
                implementation=variant.implementation,
            )
        return tape.gradient(y, [x, *values], output_gradients=upstream)

    of_x, *got = gradients(*map(tf.constant, (x, upstream, *values)))
    z = z_of(noise, flatten, "float64")
    # Every noise is linear in its input.
    slope = EXPECTED[noise.name](1.0, z, *values) - EXPECTED[noise.name](0.0, z, *values)
    np.testing.assert_allclose(of_x, (upstream * slope).reshape(SHAPE), rtol=1e-10, atol=1e-10)
    terms = TERMS[noise.name](upstream, x.reshape(z.shape), z, *values)
    for gradient, value, term in zip(got, values, terms, strict=True):
        assert (gradient is None) == (term is None)
        if gradient is None:
            continue
        assert gradient.shape == value.shape
        expected = summed_to(value.shape, term)
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-10)


SECOND_ORDER = [
    pytest.param(NOISES[name], shape, id=f"{name}-{shape}")
    for name in NOISES
    for shape in [(), (CHANNELS,), (HEIGHT, 1, CHANNELS), (2, 1, 1, 1)]
    if name in IN_EVERY_SHAPE or shape == ()
]


@pytest.mark.long
@pytest.mark.parametrize("noise, shape", SECOND_ORDER)
def test_second_order_gradients_are_the_numerical_ones(implementation, noise, shape):
    @tf.function
    def first_order(*arguments):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            x, *values = arguments
            y = FUNCTIONS[noise.name](
                x, SEED, *values, flatten=False, implementation=implementation
            )
            loss = tf.reduce_sum(tf.sin(y))
        differentiable = [x] + [
            value for value, p in zip(values, noise.parameters, strict=True) if p.is_differentiable
        ]
        gradients = tape.gradient(loss, differentiable)
        return tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], axis=0)

    x = numbers((2, HEIGHT, 2, CHANNELS), -1, 1, np.float64)
    values = parameters(noise, (shape, shape), np.float64)
    arguments = [tf.constant(value) for value in (x, *values)]
    theoretical, numerical = tf.test.compute_gradient(first_order, arguments)
    is_smooth = [True, *(parameter.is_differentiable for parameter in noise.parameters)]
    for ours, measured, smooth in zip(theoretical, numerical, is_smooth, strict=True):
        if not smooth:
            continue
        np.testing.assert_allclose(ours, measured, atol=5e-4)


UNKNOWN = {
    "all ranks": lambda shape: None,
    "all sizes": lambda shape: [None] * len(shape),
    "the batch": lambda shape: [None, *shape[1:]] if len(shape) == len(SHAPE) else shape,
}


@pytest.mark.long
@pytest.mark.fallback_in_xla(shapes=TWO_SHAPES)
@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize("flatten, shapes", CASES)
def test_what_is_unknown_when_traced_broadcasts_when_run(
    request, implementation, unknown, jit_compile, flatten, shapes
):
    if jit_compile and implementation == "native":
        request.getfixturevalue("native_in_xla")
    x = numbers(SHAPE, -2, 2, np.float32)
    values = parameters(NOISES["add_uniform"], shapes, np.float32)
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


# Shapes that don't broadcast to the output's shape, or would enlarge it.
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
NAMES_AND_MISFITS = [
    pytest.param(noise, name, flatten, shape, id=f"{noise.name}-{name}-{shape}-{flatten}")
    for noise in NOISES.values()
    for name in NAMES[noise.name]
    for flatten, shape in MISFITS
    if (noise.name in THOROUGH and name == NAMES[noise.name][-1]) or shape == (BATCH,)
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("noise, name, flatten, shape", NAMES_AND_MISFITS)
def test_an_error_names_the_argument_and_both_shapes(
    implementation, noise, name, flatten, shape, form
):
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
    scalars = parameters(noise, ((), ()), COMPUTE_DTYPE[dtype])
    results = [
        variant.run(
            noise.name,
            x,
            SEED,
            [np.full(shapes[k % 2], value) for k, value in enumerate(scalars)],
            flatten=False,
        )
        for shapes in KEPT.values()
    ]
    for result in results[1:]:
        tf.debugging.assert_equal(result, results[0])
