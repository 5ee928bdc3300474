"""The draws of layers' seed generators, and ops that accept the state in place of a draw."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import (
    COMPILE,
    FUNCTIONS,
    NOISES,
    THOROUGH,
    VARIANTS,
    Variant,
    require_native_in_xla,
    valid_values,
)
from flatnoise import layers
from flatnoise._src import seeds

X = tf.reshape(tf.linspace(-2.0, 3.0, 42), [7, 3, 2])
# The pair drawn from a state: its last word and its first divided by 256, modulo 2**31 - 2.
PAIRS = {
    (0, 0, 0): (0, 0),
    (256, 0, 42): (42, 1),
    (767, 0, 42): (42, 2),
    (512, 12345, 42): (42, 2),
    (0, 0, 2**31 - 3): (2147483645, 0),
    (0, 0, 2**31 - 2): (0, 0),
    (0, 0, 2**40 + 7): (1031, 0),
    (0, 0, 2**63 - 1): (7, 0),
    (0, 0, -(2**63)): (2147483638, 0),
    (1024, 0, -1): (2147483645, 4),
    (256 * (2**31 - 3), 0, 5): (5, 2147483645),
    (256 * (2**31 - 2), 0, 5): (5, 0),
    (2**63 - 1, 0, 5): (5, 33554431),
    (-(2**63), 0, 5): (5, 2113929214),
    (-257, -1, 5): (5, 2147483644),
}
RAW = {"offset": 3, "parameters": [0.25, 0.5]}


@pytest.fixture(params=COMPILE)
def compiler(native, request):
    if request.param == "xla":
        require_native_in_xla()
    return COMPILE[request.param]


def generator_in(state):
    generator = seeds.SeedGenerator(0)
    generator.state.assign(np.array(state, np.int64))
    return generator


def same_bits(actual, expected):
    def bits(results):
        return [each.numpy().tobytes() for each in tf.nest.flatten(results)]

    return bits(actual) == bits(expected)


@pytest.mark.parametrize("state, pair", PAIRS.items())
def test_a_state_draws_the_pair_that_it_always_drew(state, pair):
    np.testing.assert_array_equal(seeds.next_seed(generator_in(state)), pair)


@pytest.mark.parametrize("distribution, combination", [("normal", "add"), ("uniform", "mask")])
def test_the_op_takes_a_state_for_its_pair(compiler, distribution, combination):
    parameters = [0.25, 0.5] if combination == "add" else [0.5, 7.0, 2.0, 1.0]

    @compiler
    def noised(seed):
        return flatnoise.raw_ops.FlattenNoise(
            input=X,
            seed=seed,
            offset=3,
            parameters=parameters,
            distribution=distribution,
            combination=combination,
        )

    for state, pair in PAIRS.items():
        expected = noised(tf.constant(pair, tf.int64))
        assert same_bits(noised(tf.constant(state, tf.int64)), expected), state


def test_the_gradient_op_takes_a_state_for_its_pair(compiler):
    @compiler
    def sums(seed):
        return flatnoise.raw_ops.FlattenNoiseGrad(grad=X, seed=seed, input=X, **RAW)

    for state, pair in PAIRS.items():
        assert same_bits(sums(tf.constant(state, tf.int64)), sums(tf.constant(pair, tf.int64)))


def test_a_state_of_a_shape_that_only_a_run_shows(native):
    @tf.function(input_signature=[tf.TensorSpec(None, tf.int64)])
    def noised(seed):
        return flatnoise.raw_ops.FlattenNoise(input=X, seed=seed, **RAW)

    assert same_bits(noised([256, 0, 42]), noised([42, 1]))


# Inside XLA, the fallback compiles slowly, and its draw is the same for all noises.
VARIANTS_AND_NOISES = [
    pytest.param(variant, noise, id=f"{variant.implementation}-{variant.mode}-{noise.name}")
    for variant in VARIANTS
    for noise in NOISES.values()
    if variant != Variant("tensorflow", "xla") or noise.name in THOROUGH
]


@pytest.mark.parametrize("variant, noise", VARIANTS_AND_NOISES)
def test_functions_take_a_generator_for_the_pairs_that_it_draws(variant, noise):
    if variant.mode == "xla":
        require_native_in_xla()
    values = valid_values(noise.parameters)
    generator = generator_in((256 * (2**31 - 3), 0, 2**40 + 7))

    def noised(x, seed):
        return FUNCTIONS[noise.name](x, seed, *values, implementation=variant.implementation)

    drawing = variant.compile(lambda x: noised(x, generator))
    given = variant.compile(noised)
    for pair in [(1031, 2147483645), (1031, 0), (1031, 1)]:
        assert same_bits(drawing(X), given(X, tf.constant(pair, tf.int64)))


@pytest.mark.parametrize("mode", COMPILE)
def test_gradients_are_made_of_the_noise_that_was_drawn(implementation, mode):
    if mode == "xla":
        require_native_in_xla()
    stddev = tf.constant([0.5, 0.25])

    def gradients(x, seed):
        with tf.GradientTape() as tape:
            tape.watch([x, stddev])
            y = flatnoise.flatten_multiply_normal(
                x, seed, 1.0, stddev, flatten=False, implementation=implementation
            )
        return tape.gradient(y, [x, stddev])

    generator = seeds.SeedGenerator(9)
    drawing = COMPILE[mode](lambda x: gradients(x, generator))
    given = COMPILE[mode](gradients)
    for count in range(2):
        assert same_bits(drawing(X), given(X, tf.constant([9, count])))


def test_a_call_draws_once(implementation, noise):
    for make in (seeds.SeedGenerator, keras.random.SeedGenerator):
        generator = make(3)
        FUNCTIONS[noise.name](X, generator, implementation=implementation)
        np.testing.assert_array_equal(generator.next(), [3, 1])


OTHER_SEEDS = [
    *[(shape, tf.int64) for shape in ([0], [1], [4], [1, 3], [2, 1], [])],
    ([3], tf.int32),
]


@pytest.mark.parametrize("shape, dtype", OTHER_SEEDS)
def test_the_raw_ops_take_no_other_seeds(compiler, shape, dtype):
    seed = tf.zeros(shape, dtype)
    message = r"seed must have shape \[2\], or shape \[3\] and type int64, got shape"
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        compiler(lambda: flatnoise.raw_ops.FlattenNoise(input=X, seed=seed, **RAW))()
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        compiler(lambda: flatnoise.raw_ops.FlattenNoiseGrad(grad=X, seed=seed, input=X, **RAW))()


@pytest.mark.parametrize("mode", COMPILE)
def test_the_functions_take_no_state_from_users(implementation, mode, noise):
    function = COMPILE[mode](lambda seed: FUNCTIONS[noise.name](X, seed))
    with pytest.raises(
        ValueError,
        match=r"`seed`. Expected an integer, two integers, an int32 or int64 tensor of shape "
        r"\(2,\), or a keras.random.SeedGenerator, such as 42 or \[42, 0\]. Received: "
        r"seed=a int64 tensor of shape \(3,\)",
    ):
        function(tf.constant([256, 0, 42], tf.int64))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_state_whose_shape_only_a_run_shows_is_refused(implementation, jit_compile):
    @tf.function(input_signature=[tf.TensorSpec(None, tf.int64)], jit_compile=jit_compile)
    def noised(seed):
        return flatnoise.flatten_mask(X, seed, implementation=implementation)

    assert same_bits(noised([42, 1]), flatnoise.flatten_mask(X, [42, 1]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="seed_must_have_shape_2"):
        noised([256, 0, 42])


def computing_ops(function, *arguments):
    graph = function.get_concrete_function(*arguments).graph
    types = collections.Counter(op.type for op in graph.get_operations())
    for passive in ("Placeholder", "Const", "Identity", "NoOp"):
        del types[passive]
    return types


def test_a_layer_is_a_draw_and_an_op_in_graphs(native):
    layer = layers.AddGaussianNoise(seed=1)
    assert computing_ops(tf.function(lambda x: layer(x)), tf.TensorSpec([None, 32])) == {
        "RngReadAndSkip": 1,
        "Flatnoise>FlattenNoise": 1,
    }
