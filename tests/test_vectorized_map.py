"""Vectorization of the compiled op in `tf.vectorized_map` and Jacobians matches single calls."""

import contextlib
import logging

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPUTE_DTYPE, FUNCTIONS, noises_and_cases, valid_range, valid_values
from flatnoise._src import noises
from processes import run_code

SEED = [3, -4]
COUNT, SHAPE = 5, (4, 2, 3)
LOOPS = {"While", "StatelessWhile", "Enter"}
LINEAR = ("add_normal", "add_uniform", "multiply_normal")

pytestmark = pytest.mark.usefixtures("native")


def op_types(function, *arguments):
    graph = tf.function(function).get_concrete_function(*arguments).graph
    library = graph.as_graph_def().library.function
    inside = {node.op for each in library for node in each.node_def}
    return inside | {operation.type for operation in graph.get_operations()}


@contextlib.contextmanager
def messages_of_tensorflow():
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    tf.get_logger().addHandler(handler)
    try:
        yield messages
    finally:
        tf.get_logger().removeHandler(handler)


def mapped(function, *elements):
    """`tf.vectorized_map` over the first axis of `elements`, without messages from TensorFlow."""
    with messages_of_tensorflow() as messages:
        result = tf.vectorized_map(lambda each: function(*each), elements)
    assert not [message for message in messages if "while_loop" in message]
    return result


def one_by_one(function, *elements):
    results = [function(*each) for each in zip(*elements, strict=True)]
    return tf.nest.map_structure(lambda *rows: np.stack(rows), *results)


def has_loop(function, *elements):
    return bool(LOOPS & op_types(lambda *elements: mapped(function, *elements), *elements))


def inputs_of(dtype="float32", shape=SHAPE):
    return tf.cast(tf.random.stateless_normal([COUNT, *shape], [1, 2]), dtype)


def values_of(parameters, shape=(), dtype="float32"):
    """Values of a shape for every parameter and every iteration."""
    return [
        tf.random.stateless_uniform(
            [COUNT, *shape], [7, place], *valid_range(parameter.name, place), dtype=dtype
        )
        for place, parameter in enumerate(parameters)
    ]


@pytest.mark.parametrize("flatten", [True, False])
def test_over_inputs_it_gives_the_bits_of_single_calls(noise, dtype, flatten):
    def call(x):
        return FUNCTIONS[noise.name](x, SEED, flatten=flatten, offset=5)

    x = inputs_of(dtype)
    np.testing.assert_array_equal(mapped(call, x), one_by_one(call, x))
    assert not has_loop(call, x)


def test_over_inputs_of_one_seed_all_get_the_same_noise():
    zeros = tf.zeros([COUNT, 3, 4])
    rows = mapped(lambda x: flatnoise.flatten_add_normal(x, SEED), zeros)
    assert len(np.unique(rows, axis=0)) == 1


def kinds_and_places():
    """Each kind of noise, with each set of op parameters that differ between iterations."""
    for distribution, combination in noises.KINDS:
        places = range(len(noises.COMBINATIONS[combination].parameters))
        for varied in [tuple(places), *((place,) for place in places)]:
            yield distribution, combination, varied


def raw_op(distribution, combination, varied):
    """The op as a function of an input and of the parameters at some indices."""
    parameters = noises.COMBINATIONS[combination].parameters
    values = valid_values(parameters)

    def call(x, *differing):
        operands = list(values)
        for place, value in zip(varied, differing, strict=True):
            operands[place] = value
        return flatnoise.raw_ops.FlattenNoise(
            input=x,
            seed=SEED,
            offset=3,
            parameters=operands,
            distribution=distribution,
            combination=combination,
            validate_args=True,
        )

    return call


@pytest.mark.parametrize("distribution, combination, varied", list(kinds_and_places()))
@pytest.mark.parametrize(
    "shape, dtype",
    [((), "float32"), ((6,), "bfloat16"), ((4, 1), "float64"), ((4, 6), "float32")],
    ids=str,
)
def test_over_parameters_it_gives_the_bits_of_single_calls(
    distribution, combination, varied, shape, dtype
):
    op = raw_op(distribution, combination, varied)
    parameters = noises.COMBINATIONS[combination].parameters
    values = [values_of(parameters, shape, COMPUTE_DTYPE[dtype])[place] for place in varied]
    same = inputs_of(dtype)[0]

    def of_one_input(*values):
        return op(same, *values)

    np.testing.assert_array_equal(mapped(of_one_input, *values), one_by_one(of_one_input, *values))
    elements = (inputs_of(dtype), *values)
    np.testing.assert_array_equal(mapped(op, *elements), one_by_one(op, *elements))
    assert not has_loop(op, *elements)


SEEDS = tf.constant([[index, 7] for index in range(COUNT)])
OFFSETS = tf.constant([0, 1, 4, 2**33, 2**40], tf.int64)
STREAMS = {
    "seeds": lambda x, seed, offset: flatnoise.flatten_multiply_normal(x, seed),
    "offsets": lambda x, seed, offset: flatnoise.flatten_multiply_normal(x, SEED, offset=offset),
    "both": lambda x, seed, offset: flatnoise.flatten_multiply_normal(x, seed, offset=offset),
}


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize("inputs", ["stacked", "the same"])
def test_every_iteration_may_have_a_stream_of_its_own(streams, inputs):
    x = tf.ones_like(inputs_of()) if inputs == "the same" else inputs_of()
    same = x[0]

    def call(x, seed, offset):
        return STREAMS[streams](same if inputs == "the same" else x, seed, offset)

    elements = (x, SEEDS, OFFSETS)
    result = mapped(call, *elements)
    np.testing.assert_array_equal(result, one_by_one(call, *elements))
    assert len(np.unique(result / tf.reshape(x, result.shape), axis=0)) == COUNT


def test_who_wants_no_loops_is_told_what_needs_one():
    def call(seed):
        return flatnoise.flatten_add_normal(tf.zeros([2, 3]), seed)

    with pytest.raises(ValueError, match="needs a loop: every iteration has another seed"):
        tf.vectorized_map(call, SEEDS, fallback_to_while_loop=False)


def test_layers_add_noise_of_its_own_to_every_element():
    layer = flatnoise.layers.AddGaussianNoise(seed=1)
    rows = tf.vectorized_map(layer, tf.zeros([COUNT, 3, 4]), warn=False)
    assert len(np.unique(rows, axis=0)) == COUNT


UNKNOWN = {"sizes": [None, None, None, 3], "count": [None, *SHAPE], "rank": None}


@pytest.mark.parametrize("noise, unknown", noises_and_cases(UNKNOWN, ["sizes"]))
@pytest.mark.parametrize("flatten", [True, False])
def test_shapes_may_be_unknown(noise, unknown, flatten):
    def call(x):
        return FUNCTIONS[noise.name](x, SEED, flatten=flatten)

    traced = tf.function(
        lambda x: mapped(call, x), input_signature=[tf.TensorSpec(UNKNOWN[unknown], tf.float32)]
    )
    x = inputs_of()
    np.testing.assert_array_equal(traced(x), one_by_one(call, x))
    types = {each.type for each in traced.get_concrete_function().graph.get_operations()}
    assert bool(types & LOOPS) == (unknown == "rank" and not flatten)


def test_there_may_be_no_iteration_and_no_element():
    def call(x):
        return flatnoise.flatten_add_normal(x, SEED)

    assert tf.vectorized_map(call, tf.zeros([3, 0, 5])).shape == (3, 0, 5)
    assert tf.vectorized_map(call, tf.zeros([3, 4, 0])).shape == (3, 4, 0)


def test_a_map_may_be_inside_a_map(noise):
    def call(x):
        return FUNCTIONS[noise.name](x, SEED)

    x = tf.random.stateless_normal([3, COUNT, *SHAPE], [5, 6])
    expected = np.stack([one_by_one(call, each) for each in x])
    np.testing.assert_array_equal(mapped(lambda x: mapped(call, x), x), expected)
    assert not has_loop(lambda x: mapped(call, x), x)


@pytest.mark.usefixtures("native_in_xla")
def test_inside_xla_it_is_that_to_a_rounding(noise):
    """XLA fuses products and sums of stock ops."""

    def call(x, *parameters):
        return FUNCTIONS[noise.name](x, SEED, *parameters)

    elements = (inputs_of(), *values_of(noise.parameters))
    compiled = tf.function(lambda *elements: mapped(call, *elements), jit_compile=True)
    expected = one_by_one(call, *elements)
    np.testing.assert_allclose(compiled(*elements), expected, rtol=1e-6, atol=1e-6)


def test_stock_ops_do_the_same(noise):
    def call(x):
        return FUNCTIONS[noise.name](x, SEED, implementation="tensorflow")

    x = inputs_of()
    np.testing.assert_allclose(mapped(call, x), one_by_one(call, x), rtol=1e-6, atol=1e-6)


WRONG = {
    "add_normal": ("stddev", "stddev"),
    "multiply_normal": ("stddev", "stddev"),
    "dropout": ("rate", "rate"),
    "salt_and_pepper": ("amount", "amount"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_refused_in_any_iteration(name):
    argument, text = WRONG[name]
    values = tf.constant([0.5, 0.5, -0.5, 0.5, 0.5])

    def call(value):
        return FUNCTIONS[name](tf.zeros([2, 3]), SEED, **{argument: value})

    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{text}.* must be"):
        tf.vectorized_map(call, values)


def gradients_of(call, arguments, map_with):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        result = tf.cast(map_with(call, *arguments), tf.float64)
        total = tf.reduce_sum(tf.sin(result))
    return tape.gradient(total, arguments)


@pytest.mark.parametrize("shape", [(), (4, 1)], ids=str)
def test_gradients_pass_through_a_map(noise, shape):
    def call(x, *parameters):
        return FUNCTIONS[noise.name](x, SEED, *parameters)

    arguments = [inputs_of("float64"), *values_of(noise.parameters, shape, "float64")]
    actual = gradients_of(call, arguments, mapped)
    expected = gradients_of(
        call,
        arguments,
        lambda call, *all: tf.stack([call(*each) for each in zip(*all, strict=True)]),
    )
    for parameter, one, other in zip((None, *noise.parameters), actual, expected, strict=True):
        assert (one is None) == (other is None)
        assert parameter is None or parameter.is_differentiable or one is None or not np.any(one)
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_gradients_pass_through_a_map_of_seeds():
    def call(x, seed):
        return flatnoise.flatten_multiply_normal(x, seed)

    x = inputs_of()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = mapped(call, x, SEEDS)
    factors = one_by_one(call, tf.ones_like(x), SEEDS)
    np.testing.assert_array_equal(tape.gradient(y, x), factors.reshape(x.shape))


FORMS = {"scalar": (), "per feature": (6,), "per sample": (4, 1), "whole": (4, 6)}


@pytest.mark.parametrize("noise, form", noises_and_cases(FORMS, ["per feature"]))
def test_jacobians_are_those_of_a_loop(noise, form):
    x = inputs_of("float64")[0]
    sources = [x, *(each[0] for each in values_of(noise.parameters, FORMS[form], "float64"))]

    def jacobians(use_pfor):
        def compute(*sources):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(sources)
                y = FUNCTIONS[noise.name](sources[0], SEED, *sources[1:])
            return [
                tape.jacobian(y, source, experimental_use_pfor=use_pfor)
                for source, is_used in zip(sources, used, strict=True)
                if is_used
            ]

        return compute

    used = [True, *(parameter.is_differentiable for parameter in noise.parameters)]
    with messages_of_tensorflow() as messages:
        actual = jacobians(True)(*sources)
    assert not [message for message in messages if "while_loop" in message]
    for one, other in zip(actual, jacobians(False)(*sources), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
    assert not LOOPS & op_types(jacobians(True), *sources)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_jacobians_of_parameters_are_sums_in_double_precision(name, dtype):
    """The single term of each sum is exact, except for the op's rounding."""
    x = inputs_of(dtype)[0]
    second = tf.fill([6], 1.5)
    with tf.GradientTape() as tape:
        tape.watch(second)
        y = FUNCTIONS[name](x, SEED, 0.25, second)
    jacobian = tape.jacobian(y, second)
    assert jacobian.dtype == tf.float32
    alone = FUNCTIONS[name](tf.ones_like(x, tf.float32), SEED, 0.0, 1.0) - float("add" in name)
    factor = tf.reshape(tf.cast(x, tf.float32), [4, 6]) if "multiply" in name else 1.0
    expected = np.einsum("bf,fg->bfg", factor * alone, np.eye(6))
    np.testing.assert_allclose(jacobian, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LINEAR)
def test_batch_jacobians_are_those_of_a_loop(name):
    x = inputs_of()[0]

    def jacobian(use_pfor):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = FUNCTIONS[name](x, SEED) ** 2
        return tape.batch_jacobian(y, x, experimental_use_pfor=use_pfor)

    np.testing.assert_array_equal(jacobian(True), jacobian(False))


WITHOUT_CONVERTERS = """
import sys
import tensorflow as tf
sys.modules["tensorflow.python.ops.parallel_for.pfor"] = None  # the import of it fails from now on
import flatnoise
x = tf.random.stateless_normal([5, 4, 6], [1, 2])
def call(x):
    return flatnoise.flatten_add_normal(x, [3, -4])
y = tf.vectorized_map(call, x, warn=False)
assert (y.numpy() == tf.stack([call(each) for each in x]).numpy()).all()
"""


def byte_images():
    return tf.cast(tf.random.stateless_uniform([COUNT, *SHAPE], [1, 2], 0, 256, tf.int32), tf.uint8)


# The other ops, by the operands that differ between iterations.
OTHER_OPS = {
    "clipped": (
        lambda x: flatnoise.flatten_add_normal(x, SEED, stddev=2.0, clip=(-0.5, 1.0)),
        inputs_of,
    ),
    "bytes": (lambda x: flatnoise.flatten_add_normal(x, SEED, stddev=30.0), byte_images),
    "scaled bytes": (
        lambda x: flatnoise.flatten_add_normal(
            x, SEED, stddev=0.1, dtype="bfloat16", input_scale=1 / 255
        ),
        byte_images,
    ),
    "diffused": (lambda x: flatnoise.diffuse(x, SEED, 0.8, 0.6), inputs_of),
    "with its noise": (
        lambda x: flatnoise.diffuse(x, SEED, 0.8, 0.6, return_noise=True),
        inputs_of,
    ),
    "noise by itself": (
        lambda stddev: flatnoise.normal(SHAPE, SEED, 0.5, stddev),
        lambda: tf.linspace(0.5, 2.0, COUNT),
    ),
}


@pytest.mark.parametrize("name", OTHER_OPS)
def test_all_ops_are_run_at_once(name):
    function, make_elements = OTHER_OPS[name]
    elements = make_elements()
    assert not has_loop(function, elements)
    got, expected = mapped(function, elements), one_by_one(function, elements)
    tf.nest.map_structure(np.testing.assert_array_equal, got, expected)


def test_jacobians_of_diffusion_are_those_of_a_loop():
    x = tf.random.stateless_normal(SHAPE, [1, 2], dtype=tf.float64)

    def jacobians(experimental_use_pfor):
        rates = tf.constant(0.8, tf.float64), tf.constant([0.5, 0.6, 0.7], tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, *rates])
            y = flatnoise.diffuse(x, SEED, *rates)
        return [
            tape.jacobian(y, each, experimental_use_pfor=experimental_use_pfor)
            for each in (x, *rates)
        ]

    for at_once, looped in zip(jacobians(True), jacobians(False), strict=True):
        np.testing.assert_allclose(at_once, looped, rtol=1e-12, atol=1e-12)


def test_a_tensorflow_without_its_private_registry_makes_a_loop():
    run_code(WITHOUT_CONVERTERS)
