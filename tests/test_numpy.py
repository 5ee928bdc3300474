"""`flatnoise.numpy`: the op on arrays, without TensorFlow, and its errors."""

import ml_dtypes
import numpy as np
import pytest

import flatnoise.numpy
from conftest import COMPUTE_DTYPE, NOISES, THOROUGH, Variant, noises_and_cases
from philox_reference import blocks, philox
from processes import run_code
from test_broadcasting import (
    CASES,
    EXPECTED,
    OFFSET,
    SEED,
    SHAPE,
    TERMS,
    TYPES_TOO,
    allowed_error,
    numbers,
    output_shape,
    parameters,
    summed_to,
    z_of,
)

pytest.importorskip("flatnoise._core")

DTYPES = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float32": np.float32,
    "float64": np.float64,
}
NATIVE = Variant("native", "eager")
X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)


def function_of(noise):
    return getattr(flatnoise.numpy, noise.function)


@pytest.mark.parametrize("noise, flatten, shapes, dtype", TYPES_TOO)
def test_parameters_broadcast(noise, dtype, flatten, shapes):
    x = numbers(SHAPE, -2, 2, np.float32).astype(DTYPES[dtype])
    values = parameters(noise, shapes, COMPUTE_DTYPE[dtype])
    got = function_of(noise)(x, SEED, *values, offset=OFFSET, flatten=flatten)
    assert got.shape == output_shape(flatten)
    assert got.dtype == x.dtype
    z = z_of(noise, flatten, dtype)
    exact = x.astype(np.float64).reshape(z.shape)
    expected = EXPECTED[noise.name](exact, z, *(value.astype(np.float64) for value in values))
    error = np.abs(got.astype(np.float64) - expected)
    assert np.all(error <= allowed_error(NATIVE, dtype, exact, z, expected, values))


@pytest.mark.parametrize("name", ["add_normal", "multiply_normal"])
@pytest.mark.parametrize("flatten, shapes", CASES)
def test_gradients_are_summed_over_what_was_broadcast(name, flatten, shapes):
    noise = NOISES[name]
    x = numbers(SHAPE, -2, 2, np.float64)
    grad = numbers(output_shape(flatten), 1, 2, np.float64)
    values = parameters(noise, shapes, np.float64)
    got = flatnoise.numpy.flatten_noise_grad(
        grad,
        SEED,
        values,
        x,
        distribution=noise.distribution,
        combination=noise.combination.name,
        offset=OFFSET,
    )
    z = z_of(noise, flatten, "float64")
    terms = TERMS[noise.name](grad, x.reshape(z.shape), z, *values)
    for gradient, value, term in zip(got, values, terms, strict=True):
        assert gradient.shape == value.shape
        expected = summed_to(value.shape, term)
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-10)


def test_the_type_of_gradients_is_that_of_the_parameters(dtype):
    grad = np.ones([4, 6], DTYPES[dtype])
    for gradient in flatnoise.numpy.flatten_noise_grad(grad, SEED, (0, np.ones([6]))):
        assert gradient.dtype == COMPUTE_DTYPE[dtype]


@pytest.mark.parametrize("instruction_set", flatnoise.build_info()["instruction_sets"])
def test_every_instruction_set_gives_the_same_bits(noise, dtype, instruction_set):
    x = numbers((37, 41), -2, 2, np.float32).astype(DTYPES[dtype])
    run = function_of(noise)
    values = parameters(noise, ((), (41,)), COMPUTE_DTYPE[dtype])
    given = run(x, SEED, *values, offset=2**33 + 5, instruction_set=instruction_set)
    assert given.tobytes() == run(x, SEED, *values, offset=2**33 + 5).tobytes()


def test_the_raw_function_takes_the_ops_parameters():
    raw = flatnoise.numpy.flatten_noise(X, SEED, (0.25, 1.0), distribution="uniform")
    named = flatnoise.numpy.flatten_add_uniform(X, SEED, 0.25, 1.25)
    np.testing.assert_array_equal(raw, named)
    # Parameter values aren't checked.
    zeros = np.zeros_like(X)
    mirrored = flatnoise.numpy.flatten_noise(zeros, SEED, (0.0, -1.0))
    np.testing.assert_array_equal(mirrored, -flatnoise.numpy.flatten_noise(zeros, SEED, (0, 1)))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.astype(x.dtype.newbyteorder(">")),
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1][::-1],
    ],
    ids=["big endian", "by columns", "strided", "reversed twice"],
)
def test_arrays_may_lie_in_memory_as_they_like(noise, make):
    np.testing.assert_array_equal(function_of(noise)(make(X), SEED), function_of(noise)(X, SEED))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), (5,)], ids=str)
def test_empty_and_flat_arrays(noise, shape):
    assert function_of(noise)(np.zeros(shape), SEED).shape == (shape[0], int(np.prod(shape[1:])))


NAN, INF = float("nan"), float("inf")
WRONG = {
    "a scalar": ({"inputs": np.float32(1)}, "inputs"),
    "integers": ({"inputs": [1, 2]}, "inputs"),
    "complex numbers": ({"inputs": np.zeros(2, np.complex64)}, "inputs"),
    "no inputs": ({"inputs": None}, "inputs"),
    "text": ({"inputs": "text"}, "inputs"),
    "uneven rows": ({"inputs": [[1.0], [2.0, 3.0]]}, "inputs"),
    "no seed": ({"seed": None}, "seed"),
    "one float as seed": ({"seed": 5.0}, "seed"),
    "seed of three": ({"seed": (1, 2, 3)}, "seed"),
    "seed of floats": ({"seed": (1.5, 2)}, "seed"),
    "seed beyond int64": ({"seed": (2**63, 0)}, "seed"),
    "negative offset": ({"offset": -1}, "offset"),
    "offset beyond int64": ({"offset": 2**63}, "offset"),
    "offset of floats": ({"offset": 1.5}, "offset"),
    "unknown instruction set": ({"instruction_set": "neon"}, "instruction_set"),
}
NOT_FINITE = [NAN, INF, 1e39]
WRONG_FOR_EVERY_PARAMETER = [
    *(None, "x", 1j, True, object()),
    *([[1.0], [2.0, 3.0]], [0.5] * 4, [[[0.5]]], []),
]


def wrong_for(noise, parameter):
    if noise.name not in THOROUGH:
        return [None, [0.5] * 4]
    return (NOT_FINITE if parameter.must_be_finite else []) + WRONG_FOR_EVERY_PARAMETER


WRONG_PARAMETERS = [
    pytest.param(noise, parameter.name, wrong, id=f"{noise.name}-{parameter.name}-{wrong!r:.20}")
    for noise in NOISES.values()
    for parameter in noise.parameters
    for wrong in wrong_for(noise, parameter)
]


@pytest.mark.parametrize(
    "noise, case", noises_and_cases(WRONG, ["integers", "no seed", "negative offset"])
)
def test_wrong_arguments_are_named(noise, case):
    wrong, name = WRONG[case]
    with pytest.raises(ValueError, match=rf"argument `{name}`. Expected .* Received: {name}="):
        function_of(noise)(**{"inputs": X, "seed": SEED, **wrong})


@pytest.mark.parametrize("noise, name, wrong", WRONG_PARAMETERS)
def test_wrong_parameters_are_named(noise, name, wrong):
    with pytest.raises(ValueError, match=rf"argument `{name}`. Expected .* Received: {name}="):
        function_of(noise)(X, SEED, **{name: wrong})


@pytest.mark.parametrize(
    "name, wrong, message",
    [
        ("flatten_add_normal", {"stddev": -1}, "`stddev`. Expected .* not negative"),
        ("flatten_multiply_normal", {"stddev": [1, -1, 1]}, "`stddev`. Expected .* not negative"),
        ("flatten_add_uniform", {"minval": 2}, "Expected minval <= maxval"),
        ("flatten_add_uniform", {"minval": -3e38, "maxval": 3e38}, "Expected minval <= maxval"),
        ("flatten_add_gumbel", {"scale": -1}, "`scale`. Expected .* not negative"),
        ("flatten_dropout", {"rate": 1.5}, "`rate`. Expected a number from 0 to 1"),
        ("flatten_alpha_dropout", {"rate": 1}, "`rate`. Expected .* less than 1"),
        ("flatten_salt_and_pepper", {"amount": [0, -0.1, 1]}, "`amount`. Expected .* from 0 to 1"),
    ],
)
def test_rules_are_held(name, wrong, message):
    with pytest.raises(ValueError, match=message):
        getattr(flatnoise.numpy, name)(X, SEED, **wrong)


@pytest.mark.parametrize(
    "wrong, name",
    [
        ({"distribution": "cauchy"}, "distribution"),
        ({"combination": "divide"}, "combination"),
        ({"parameters": (1.0,)}, "parameters"),
        ({"parameters": None}, "parameters"),
        ({"parameters": (np.ones(4), 1.0)}, "loc"),
        ({"parameters": (1.0, "x")}, "scale"),
    ],
)
def test_the_raw_functions_name_wrong_arguments(wrong, name):
    arguments = {"seed": SEED, "parameters": (0.0, 1.0), **wrong}
    for run in (flatnoise.numpy.flatten_noise, flatnoise.numpy.flatten_noise_grad):
        with pytest.raises(ValueError, match=f"argument `{name}`"):
            run(X, **arguments)


def test_only_linear_combinations_have_gradients_here():
    with pytest.raises(ValueError, match=r"`combination`. Expected one of 'add', 'multiply'"):
        flatnoise.numpy.flatten_noise_grad(
            X, SEED, (0.5, 0, 1, 0), distribution="uniform", combination="mask"
        )


@pytest.mark.parametrize("wrong", [None, np.ones(5, np.float32), np.ones([2, 3]), "x"], ids=repr)
def test_products_need_inputs_for_their_gradients(wrong):
    with pytest.raises(ValueError, match="argument `inputs`"):
        flatnoise.numpy.flatten_noise_grad(X, SEED, (0, 1), wrong, combination="multiply")


@pytest.mark.parametrize("seed", [(0, 0), (-5, 2**62)], ids=str)
@pytest.mark.parametrize("first", [0, 7, 2**64 - 3])
def test_words_are_those_of_the_stream(seed, first):
    np.testing.assert_array_equal(
        flatnoise.numpy.random_words(seed, 3, first), blocks(seed, first, 3)
    )


@pytest.mark.parametrize(
    "arguments, name",
    [
        (((1, 2), -1), "blocks"),
        (((1, 2), 2**48 + 1), "blocks"),
        (((1, 2), 1.5), "blocks"),
        (((1, 2), 1, -1), "first_block"),
        (((1, 2), 1, 2**64), "first_block"),
        (((1, 2), 3, 2**64 - 2), "first_block"),
        (((1,), 1), "seed"),
    ],
    ids=str,
)
def test_wrong_words_are_refused(arguments, name):
    with pytest.raises(ValueError, match=f"argument `{name}`"):
        flatnoise.numpy.random_words(*arguments)


def test_philox_takes_a_key_for_each_counter():
    counters = [[0, 0, 0, 0], [1, 2, 3, 2**32 - 1]]
    keys = [[0, 0], [4, 5]]
    expected = [philox([counter], key)[0] for counter, key in zip(counters, keys, strict=True)]
    np.testing.assert_array_equal(flatnoise.numpy.philox4x32(counters, keys), expected)


@pytest.mark.parametrize(
    "counter, key, name",
    [
        ([[0, 0, 0, -1]], [[0, 0]], "counter"),
        ([[0, 0, 0, 2**32]], [[0, 0]], "counter"),
        ([[0.0] * 4], [[0, 0]], "counter"),
        ([0] * 4, [[0, 0]], "counter"),
        ([[0] * 4], [[0, 0], [0, 0]], "key"),
        ([[0] * 4], [0, 0], "key"),
        ([[0] * 4, [0]], [[0, 0]], "counter"),
    ],
    ids=str,
)
def test_wrong_counters_are_refused(counter, key, name):
    with pytest.raises(ValueError, match=f"argument `{name}`"):
        flatnoise.numpy.philox4x32(counter, key)


def test_tensorflow_is_not_needed():
    program = """
import importlib.util, sys
sys.modules["tensorflow"] = None
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "tensorflow" else found(name)
import numpy as np
import flatnoise.numpy
print(flatnoise.numpy.flatten_add_normal(np.zeros([2, 3], np.float32), (1, 2)).shape)
"""
    assert run_code(program) == "(2, 3)\n"
