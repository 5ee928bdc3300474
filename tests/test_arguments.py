"""Errors of the functional API and the raw op: which arguments, when, and which message."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import (
    COMPILE,
    FUNCTIONS,
    NAMES,
    NOISES,
    PROBABILITIES,
    THOROUGH,
    noises_and_cases,
    require_native_in_xla,
    valid_values,
)
from flatnoise._src import library, seeds

X = tf.zeros([2, 3])
SEED = (1, 2)
NAN, INF = float("nan"), float("inf")

# (arguments, the argument that the error names)
WRONG_FOR_EVERY_NOISE = {
    "integer input": ({"inputs": tf.zeros([2, 3], tf.int32)}, "inputs"),
    "integer list": ({"inputs": [[1, 2]]}, "inputs"),
    "complex input": ({"inputs": tf.zeros([2], tf.complex64)}, "inputs"),
    "rank 0": ({"inputs": tf.zeros([])}, "inputs"),
    "ragged input": ({"inputs": tf.ragged.constant([[1.0], [2.0, 3.0]])}, "inputs"),
    "sparse input": ({"inputs": tf.sparse.from_dense([[1.0, 0.0]])}, "inputs"),
    "no input": ({"inputs": None}, "inputs"),
    "input of text": ({"inputs": "text"}, "inputs"),
    "input of uneven rows": ({"inputs": [[1.0], [2.0, 3.0]]}, "inputs"),
    "any object as input": ({"inputs": object()}, "inputs"),
    "too many features": ({"inputs": tf.zeros([0, 2**31, 2**32])}, "inputs"),
    "no seed": ({"seed": None}, "seed"),
    "one float as seed": ({"seed": 5.0}, "seed"),
    "a boolean as seed": ({"seed": True}, "seed"),
    "one number beyond int64 as seed": ({"seed": 2**63}, "seed"),
    "seed of three": ({"seed": (1, 2, 3)}, "seed"),
    "seed tensor of three": ({"seed": tf.constant([1, 2, 3])}, "seed"),
    "seed of rank 2": ({"seed": np.zeros([1, 2], np.int64)}, "seed"),
    "seed of floats": ({"seed": (1.0, 2.0)}, "seed"),
    "seed of booleans": ({"seed": (True, False)}, "seed"),
    "seed tensor of floats": ({"seed": tf.constant([1.0, 2.0])}, "seed"),
    "seed tensor of uint64": ({"seed": tf.constant([1, 2], tf.uint64)}, "seed"),
    "seed of a tensor and None": ({"seed": (tf.constant(1), None)}, "seed"),
    "seed beyond int64": ({"seed": (2**63, 0)}, "seed"),
    "negative offset": ({"offset": -1}, "offset"),
    "offset beyond int64": ({"offset": 2**63}, "offset"),
    "offset of floats": ({"offset": 1.0}, "offset"),
    "offset tensor of floats": ({"offset": tf.constant(1.0)}, "offset"),
    "offset vector": ({"offset": tf.constant([1, 2])}, "offset"),
    "unknown implementation": ({"implementation": "fast"}, "implementation"),
}
NOT_FINITE = [NAN, INF, -INF, 1e300]
WRONG_FOR_EVERY_PARAMETER = [
    *("0.5", None, True, 1j, [0.0, 1.0], [[0.0] * 3] * 3),
    tf.constant([0.0, 1.0]),
    tf.zeros([1, 2, 3]),
    tf.constant(1),
    tf.zeros([0]),
    [tf.constant(0.0), "0.5", 1.0],
]


def wrong_for(noise, parameter):
    if noise.name not in THOROUGH:
        return [None, [0.0, 1.0], tf.constant(1)]
    return (NOT_FINITE if parameter.must_be_finite else []) + WRONG_FOR_EVERY_PARAMETER


WRONG_PARAMETERS = [
    pytest.param(noise, parameter.name, wrong, id=f"{noise.name}-{parameter.name}-{wrong!r:.60}")
    for noise in NOISES.values()
    for parameter in noise.parameters
    for wrong in wrong_for(noise, parameter)
]


def arguments(**changes):
    return {"inputs": X, "seed": SEED, **changes}


@pytest.mark.parametrize(
    "noise, case",
    noises_and_cases(WRONG_FOR_EVERY_NOISE, ["integer input", "no seed", "negative offset"]),
)
@pytest.mark.parametrize("mode", ["eager", "traced"])
def test_wrong_arguments_are_named(implementation, noise, case, mode):
    wrong, name = WRONG_FOR_EVERY_NOISE[case]
    options = arguments(**{"implementation": implementation, **wrong})
    call = {
        "eager": lambda: FUNCTIONS[noise.name](**options),
        "traced": lambda: tf.function(lambda: FUNCTIONS[noise.name](**options))(),
    }[mode]
    with pytest.raises(ValueError, match=rf"argument `{name}`. Expected .* Received: {name}="):
        call()


@pytest.mark.parametrize("noise, name, wrong", WRONG_PARAMETERS)
def test_wrong_parameters_are_named(implementation, noise, name, wrong):
    with pytest.raises(ValueError, match=rf"argument `{name}`. Expected .*{name}="):
        FUNCTIONS[noise.name](**arguments(**{name: wrong, "implementation": implementation}))


REMEDIES = {
    "samples": (True, [4], r"\(4, 6\), as shape \(4, 1\) does\. Received"),
    "samples of images": (True, [4, 1, 1], r"as shape \(4, 1\) does, or with flatten=False to"),
    "samples, not flattened": (False, [4], r"\(4, 2, 3\), as shape \(4, 1, 1\) does\. Received"),
    "channels": (True, [3], r"\(4, 6\), or with flatten=False to \(4, 2, 3\)\. Received"),
    "features as they were": (True, [2, 3], r"as shape \(6,\) does, or with flatten=False to"),
    "features": (
        False,
        [6],
        r"as shape \(2, 3\) does, or with flatten=True to \(4, 6\)\. Received",
    ),
    "elements as they were": (True, [4, 2, 3], r"as shape \(4, 6\) does, or with flatten=False"),
    "elements": (False, [4, 6], r"as shape \(4, 2, 3\) does, or with flatten=True to"),
    "nothing that fits": (True, [5], r"the output's shape \(4, 6\)\. Received"),
}


@pytest.mark.parametrize("case", REMEDIES)
@pytest.mark.parametrize("form", ["tensor", "array", "numpy"])
def test_a_wrong_shape_is_told_what_would_do(implementation, case, form):
    flatten, shape, expected = REMEDIES[case]
    inputs, stddev = np.ones([4, 2, 3], np.float32), np.ones(shape, np.float32)
    function = functools.partial(flatnoise.flatten_add_normal, implementation=implementation)
    if form == "numpy":
        function = pytest.importorskip("flatnoise.numpy").flatten_add_normal
    with pytest.raises(ValueError, match=expected):
        function(
            inputs,
            SEED,
            stddev=tf.constant(stddev) if form == "tensor" else stddev,
            flatten=flatten,
        )


def test_an_unknown_batch_is_not_taken_for_the_number_of_channels(implementation):
    @tf.function(input_signature=[tf.TensorSpec([None, 2, 3], tf.float32)])
    def add(x):
        return flatnoise.flatten_add_normal(x, SEED, stddev=[1.0] * 3)

    expected = r"shape \(None, 6\), or with flatten=False to \(None, 2, 3\)\. Received"
    with pytest.raises(ValueError, match=expected):
        add(tf.zeros([4, 2, 3]))


def test_a_tensor_that_is_no_seed_is_told_what_could_be(implementation):
    message = (
        r"keras.random.SeedGenerator, such as 42 or \[42, 0\]\. Received: seed=a float32 tensor"
    )
    with pytest.raises(ValueError, match=message):
        flatnoise.flatten_add_normal(X, tf.zeros([2]), implementation=implementation)


SCALES = [
    (name, parameter)
    for name in NOISES
    for parameter in NAMES[name]
    if parameter in ("stddev", "scale")
]


@pytest.mark.parametrize("value", [-0.1, -1, [1.0, -1e-9, 0.0]])
@pytest.mark.parametrize("name, scale", SCALES)
def test_a_negative_scale_is_refused(implementation, name, scale, value):
    message = rf"`{scale}`. Expected .* not negative. Received: {scale}="
    with pytest.raises(ValueError, match=message):
        FUNCTIONS[name](X, SEED, **{scale: value}, implementation=implementation)


@pytest.mark.parametrize("minval, maxval", [(1, 0), (0.1, -0.1), ([0, 0, 2], 1), (-3e38, 3e38)])
def test_an_empty_or_infinite_range_is_refused(implementation, minval, maxval):
    with pytest.raises(ValueError, match="Expected minval <= maxval"):
        flatnoise.flatten_add_uniform(X, SEED, minval, maxval, implementation=implementation)


def test_a_range_of_tensors_is_checked_by_the_op(implementation):
    minval = tf.constant([0.0, 0.0, 2.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"maxval - minval \(scale\)"):
        flatnoise.flatten_add_uniform(X, SEED, minval, 1.0, implementation=implementation)


def test_an_unknown_implementation_is_told_the_known_ones():
    with pytest.raises(ValueError, match=r"'auto', 'native', 'tensorflow'. Received.*'fast'"):
        flatnoise.flatten_add_normal(X, SEED, implementation="fast")


@pytest.mark.parametrize(
    "seed", [(1, 2), [1, 2], np.array([1, 2]), np.array([1, 2], np.uint8), tf.constant([1, 2])]
)
@pytest.mark.parametrize("offset", [4, np.int64(4), tf.constant(4), tf.constant(4, tf.int64)])
def test_seeds_and_offsets_come_in_many_forms(implementation, seed, offset):
    expected = flatnoise.flatten_add_uniform(X, (1, 2), offset=4, implementation=implementation)
    actual = flatnoise.flatten_add_uniform(X, seed, offset=offset, implementation=implementation)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("seed", [7, np.int32(7), -1, 2**40 + 7], ids=repr)
def test_an_integer_is_the_seed_that_keras_makes_of_it(implementation, seed):
    actual = flatnoise.flatten_add_normal(X, seed, implementation=implementation)
    pair = flatnoise.flatten_add_normal(X, [int(seed), 0], implementation=implementation)
    np.testing.assert_array_equal(actual, pair)
    if 0 <= seed < 2**31:  # the range that Keras accepts
        expected = X + keras.random.normal(X.shape, seed=int(seed))
        np.testing.assert_allclose(actual, expected, atol=4e-6)


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize(
    "make", [keras.random.SeedGenerator, seeds.SeedGenerator], ids=["of Keras", "of the layers"]
)
def test_each_call_draws_the_next_seed_of_a_generator(implementation, mode, make):
    if mode == "xla" and implementation == "native":
        require_native_in_xla()
    generator, theirs = make(2**40 + 7), keras.random.SeedGenerator(2**40 + 7)
    add = COMPILE[mode](
        lambda x: flatnoise.flatten_add_normal(x, generator, implementation=implementation)
    )
    x = tf.zeros([4, 5])
    for _ in range(3):
        expected = keras.random.normal(x.shape, seed=theirs)
        np.testing.assert_allclose(add(x), expected, atol=4e-6)


def test_what_can_t_be_a_seed_is_told_what_could():
    with pytest.raises(
        ValueError, match=r"SeedGenerator, such as 42 or \[42, 0\]. Received: seed="
    ):
        flatnoise.flatten_add_normal(X, "42")


FORMS = {
    "float64": np.float64,
    "float16": np.float16,
    "tensor": tf.constant,
    "variable": tf.Variable,
    "float64 tensor": lambda value: tf.constant(value, tf.float64),
    "list": lambda value: [value] * 3,
    "bfloat16 tensor": lambda value: tf.constant([value] * 3, tf.bfloat16),
}


@pytest.mark.parametrize("noise, form", noises_and_cases(FORMS, ["float16", "variable", "list"]))
def test_parameters_come_in_many_forms(implementation, noise, form):
    values = dict(zip(NAMES[noise.name], valid_values(noise.parameters), strict=True))
    forms = {name: FORMS[form](value) for name, value in values.items()}
    x = tf.ones([2, 3])
    expected = FUNCTIONS[noise.name](x, SEED, implementation=implementation, **values)
    actual = FUNCTIONS[noise.name](x, SEED, implementation=implementation, **forms)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


# Zeros of both signs, float32's smallest normal and largest number, and a number that rounds to it.
NUMBERS = [0.0, -0.0, 0.1, 2.0**-126, float(np.finfo(np.float32).max), 3.4028235e38, 2, 2**60 + 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_numbers_keep_their_bits_in_every_mode(implementation, number, dtype):
    inputs = np.array([[-0.0, 0.0, 1.0]], dtype)
    z = tf.random.stateless_normal(inputs.shape, SEED, dtype=dtype, alg="philox").numpy()
    expected = inputs + (dtype(number) + dtype(0) * z)

    def add_mean(mean):
        return flatnoise.flatten_add_normal(inputs, SEED, mean, 0.0, implementation=implementation)

    for other in (0.0, -0.0):  # TensorFlow's cache may confuse them
        add_mean(other)
    for form in (number, np.array(number), tf.constant(np.array(number, dtype))):
        actual = add_mean(form).numpy()
        np.testing.assert_array_equal(actual, expected)
        np.testing.assert_array_equal(np.signbit(actual), np.signbit(expected))
    np.testing.assert_array_equal(tf.function(lambda: add_mean(number))(), expected)


# The op checks the values of tensors at run time: its arguments, and the name in the error.
WRONG_AT_RUN_TIME = {
    "rank 0": ({"inputs": tf.zeros([])}, "input"),
    "seed of three": ({"seed": tf.constant([1, 2, 3], tf.int64)}, "seed_must_have_shape_2"),
    "seed of rank 2": ({"seed": tf.constant([[1, 2]], tf.int64)}, "seed_must_have_shape_2"),
    "negative offset": ({"offset": tf.constant(-1, tf.int64)}, "offset"),
    "offset vector": ({"offset": tf.constant([1, 2], tf.int64)}, "offset"),
}
WRONG_SHAPES = {
    "too long": [4],
    "of too many dimensions": [1, 2, 3],
    "enlarges the output": [2, 2, 3],
    "of no size": [2, 0],
}
WRONG_FIRST = {"NaN": NAN, "infinite": -INF}
WRONG_SECOND = {"NaN": NAN, "infinite": INF, "too low": -0.5, "too low once": [1.0, -0.5, 1.0]}
WRONG_RATE = {"NaN": NAN, "too low": -0.5, "too high": 1.5, "too high once": [0.5, 1.5, 0.5]}
# The op's names for parameters, if they differ.
OP_NAMES = {"mean": "loc", "stddev": "scale", "minval": "loc|scale", "maxval": "scale"}


def wrong_values(parameter):
    if parameter.name in PROBABILITIES:
        return WRONG_RATE
    if not parameter.must_be_finite:
        return {}
    return WRONG_FIRST if parameter.name in ("mean", "loc", "minval") else WRONG_SECOND


def wrong_parameters(parameter):
    """Invalid values for a parameter, and their descriptions."""
    for how, shape in WRONG_SHAPES.items():
        yield how, tf.fill(shape, 0.5)
    for how, value in wrong_values(parameter).items():
        yield how, tf.constant(value)


def wrong_at_run_time(noise):
    """Invalid arguments, their names in errors, and descriptions."""
    for how, (wrong, name) in WRONG_AT_RUN_TIME.items():
        yield pytest.param(noise, wrong, name, id=f"{noise.name}-{how}")
    for parameter in noise.parameters:
        name = OP_NAMES.get(parameter.name, parameter.name)
        for how, value in wrong_parameters(parameter):
            wrong = {parameter.name: value}
            yield pytest.param(noise, wrong, name, id=f"{noise.name}-{parameter.name} {how}")


def cases_of(noises, endings=("",)):
    cases = [case for noise in noises for case in wrong_at_run_time(noise)]
    return [case for case in cases if case.id.endswith(endings)]


FEW = ("negative offset", " of too many dimensions", " NaN", " too low", " too high")
NOISES_AND_WRONGS = cases_of([NOISES[name] for name in THOROUGH]) + cases_of(
    [noise for name, noise in NOISES.items() if name not in THOROUGH], FEW
)
TRACED = {}


def traced_with_unknown_shapes(implementation, noise, jit_compile):
    key = (implementation, noise.name, jit_compile)

    def run(inputs, seed, offset, *values):
        return FUNCTIONS[noise.name](
            inputs, seed, *values, offset=offset, implementation=implementation
        )

    if key not in TRACED:
        types = [tf.float32, tf.int64, tf.int64, *[tf.float32] * len(noise.parameters)]
        signature = [tf.TensorSpec(None, dtype) for dtype in types]
        TRACED[key] = tf.function(run, signature, jit_compile=jit_compile)
    return TRACED[key]


def run_with(wrong, implementation, noise, jit_compile):
    """Traces with unknown shapes, then runs with valid arguments except for the given ones."""
    arguments = {
        "inputs": X,
        "seed": tf.constant([1, 2], tf.int64),
        "offset": tf.constant(0, tf.int64),
    }
    for name, value in zip(NAMES[noise.name], valid_values(noise.parameters), strict=True):
        arguments[name] = tf.constant(value)
    run = traced_with_unknown_shapes(implementation, noise, jit_compile)
    return run(*{**arguments, **wrong}.values())


def refusal(name):
    """A pattern for an error that names an argument or the op that raises it."""
    return f"({name}).* must|ncompatible shapes|node {name}"


@pytest.mark.parametrize("noise, wrong, name", NOISES_AND_WRONGS)
def test_what_was_unknown_when_traced_is_checked_when_run(implementation, noise, wrong, name):
    with pytest.raises(tf.errors.InvalidArgumentError, match=refusal(name)):
        run_with(wrong, implementation, noise, jit_compile=False)


@pytest.mark.parametrize("value", [NAN, -0.5, INF])
def test_eager_tensors_are_checked_by_the_op(implementation, value):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"scale.* must be finite and not"):
        flatnoise.flatten_add_normal(
            X, SEED, stddev=tf.constant(value), implementation=implementation
        )


@pytest.mark.parametrize("noise, wrong, name", cases_of(NOISES.values(), FEW))
def test_xla_drops_assertions_and_gives_nan_instead_of_wrong_numbers(noise, wrong, name):
    assert np.all(np.isnan(run_with(wrong, "tensorflow", noise, jit_compile=True)))


@pytest.mark.parametrize("noise, wrong, name", NOISES_AND_WRONGS)
def test_the_compiled_op_raises_under_xla_too(native_in_xla, noise, wrong, name):
    with pytest.raises(tf.errors.InvalidArgumentError, match=refusal(name)):
        run_with(wrong, "native", noise, jit_compile=True)


RAW = {"input": X, "seed": [1, 2], "offset": 0, "parameters": [0.0, 1.0]}


def test_the_raw_op_is_the_functional_api_without_its_checks(native):
    raw = flatnoise.raw_ops.FlattenNoise(**RAW, distribution="uniform")
    np.testing.assert_array_equal(raw, flatnoise.flatten_add_uniform(X, SEED))
    mirrored = flatnoise.raw_ops.FlattenNoise(
        **{**RAW, "parameters": [0.0, -1.0]}, distribution="uniform"
    )
    np.testing.assert_array_equal(mirrored, -raw)


@pytest.mark.parametrize(
    "wrong, name",
    [
        ({"input": tf.zeros([])}, "input"),
        ({"seed": [1, 2, 3]}, "seed"),
        ({"offset": -1}, "offset"),
        ({"parameters": [[1.0, 2.0], 1.0]}, r"mean \(loc\)"),
        ({"parameters": [1.0, [[[1.0]]]]}, r"stddev \(scale\)"),
        ({"parameters": [1.0]}, "parameters"),
        ({"parameters": [1.0, 2.0, 3.0]}, "parameters"),
        ({"distribution": "cauchy"}, "distribution"),
        ({"combination": "divide"}, "combination"),
        ({"distribution": "uniform", "combination": "multiply"}, "combination"),
    ],
)
def test_the_raw_op_checks_its_shapes(native, wrong, name):
    with pytest.raises(tf.errors.InvalidArgumentError, match=name):
        flatnoise.raw_ops.FlattenNoise(**{**RAW, **wrong})


@pytest.mark.parametrize(
    "wrong, name",
    [
        ({"input": tf.zeros([])}, "input"),
        ({"seed": [1, 2, 3]}, "seed"),
        ({"parameters": [[1.0, 2.0], 1.0]}, r"mean \(loc\)"),
        ({"parameters": [1.0, [[[1.0]]]]}, r"stddev \(scale\)"),
        ({"offset": [0, 0]}, "offset"),
    ],
)
def test_the_shape_function_finds_wrong_shapes_when_traced(native, wrong, name):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=name):
        flatnoise.raw_ops.FlattenNoise(**{**RAW, "input": tf.zeros([2, 3]), **graph(wrong)})


def graph(values):
    return {name: tf.zeros([]) if name == "input" else value for name, value in values.items()}


def test_the_raw_op_says_why_it_is_missing(monkeypatch):
    missing = library.Library(path=None, reason="no library for this TensorFlow")
    monkeypatch.setattr(library, "load", lambda: missing)
    with pytest.raises(RuntimeError, match="no library for this TensorFlow"):
        flatnoise.raw_ops.FlattenNoise(**RAW)
    with pytest.raises(RuntimeError, match="no library for this TensorFlow"):
        flatnoise.flatten_add_normal(X, SEED, implementation="native")


@pytest.mark.parametrize("flatten", ["no", 0, 1, None, (1, 2)], ids=repr)
def test_flatten_has_to_be_a_boolean(noise, implementation, flatten):
    with pytest.raises(ValueError, match=r"`flatten`. Expected a boolean. Received: flatten="):
        FUNCTIONS[noise.name](
            tf.zeros([2, 3]),
            [1, 2],
            *valid_values(noise.parameters),
            flatten=flatten,
            implementation=implementation,
        )


def test_inputs_of_a_functional_model_are_sent_to_the_layers(noise, implementation):
    with pytest.raises(ValueError, match=r"flatnoise\.layers.* Received: inputs=a KerasTensor"):
        FUNCTIONS[noise.name](keras.Input((3,)), [1, 2], implementation=implementation)


def test_integers_are_called_what_they_were_given_as():
    with pytest.raises(ValueError, match=r"Received: inputs=\[\[1, 2\]\] of shape \(1, 2\)"):
        flatnoise.flatten_add_normal([[1, 2]], [1, 2])


@pytest.mark.parametrize("flatten", [True, False])
def test_booleans_of_numpy_are_those_of_python(noise, implementation, flatten):
    given, expected = (
        FUNCTIONS[noise.name](
            tf.zeros([2, 3, 4]),
            [1, 2],
            *valid_values(noise.parameters),
            flatten=flag,
            implementation=implementation,
        )
        for flag in (np.bool_(flatten), flatten)
    )
    np.testing.assert_array_equal(given, expected)
    layer = flatnoise.layers.AddNoise(flatten=np.bool_(flatten))
    assert layer.get_config()["flatten"] is flatten
