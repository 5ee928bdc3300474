"""The GPU op classes and XLA's handlers for CUDA, run without a GPU.

`tests/cuda_on_host` builds the glue between TensorFlow and the CUDA kernels into a separate
library: the same classes and handlers, as CPU kernels under a label. The kernel bodies run on the
host, on a stream that counts launches and fails on request. The CPU kernels give the expected
results.
"""

import contextlib
import ctypes
import functools
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

import flatnoise
from conftest import (
    COMPILE,
    COMPUTE_DTYPE,
    FUNCTIONS,
    NOISES,
    THOROUGH,
    require_native,
    require_native_in_xla,
)
from flatnoise._src import gpu

pytestmark = pytest.mark.long

LABEL = "cuda_on_host"
OPS = ("Flatnoise>FlattenNoise", "Flatnoise>FlattenNoiseGrad")
SEED = (3, -4)

# Input shapes, and the shapes of the parameters in turn: a scalar, per feature, per sample, over
# several dimensions, per element.
FLATTENED = [
    ((1,), [(), (1,)]),
    ((4, 2, 3), [(), (6,), (4, 1), (4, 6)]),
    ((37, 5, 7), [(35,), (), (37, 35), (37, 1)]),
    ((60, 1024), [(), (1024,)]),
    ((0, 4), [(4,), ()]),
    ((4, 0), [(), (4, 1)]),
]
KEPT = [
    ((5,), [(), (5,)]),
    ((4, 2, 3), [(3,), (2, 3), (4, 1, 1), ()]),
    ((9, 8, 8, 16), [(16,), (), (8, 8, 16), (9, 8, 8, 16)]),
]
CASES = [
    (*case, flatten) for cases, flatten in ((FLATTENED, True), (KEPT, False)) for case in cases
]
LINEAR = [noise for noise in NOISES.values() if noise.combination.is_linear]
# For gradients: all for some noises, a few for the others.
GRADIENTS = [
    pytest.param(noise, dtype, case, id=f"{name}-{dtype}-{case}")
    for name, noise in NOISES.items()
    for dtype in COMPUTE_DTYPE
    for case in CASES
    if name in THOROUGH or (dtype == "float32" and case in CASES[::3])
]

# CUDA's error numbers (cudaError in driver_types.h), and the messages for users.
INSUFFICIENT_DRIVER, NO_KERNEL_IMAGE, OUT_OF_RESOURCES = 35, 209, 701
LAUNCH_ERRORS = {
    INSUFFICIENT_DRIVER: "; install an NVIDIA driver for CUDA",
    NO_KERNEL_IMAGE: ": flatnoise was built for the architectures",
    OUT_OF_RESOURCES: 'CUDA reports "too many resources requested for launch"',
}


def library_path():
    """The library in the folder from an environment variable, or the newest in build/."""
    major, minor = tf.version.VERSION.split(".")[:2]
    name = f"libflatnoise_cuda_on_host_tf{major}_{minor}.so"
    root = pathlib.Path(__file__).parents[1]
    folder = os.environ.get("FLATNOISE_CUDA_ON_HOST")
    built = (root / folder).glob(name) if folder else root.glob(f"build/*/tests/{name}")
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


@functools.cache
def load_host_library():
    path = library_path()
    if path is None:
        return None
    tf.load_library(str(path))
    return ctypes.CDLL(str(path))


@pytest.fixture
def host():
    require_native()
    loaded = load_host_library()
    if loaded is None:
        pytest.skip(
            "no build of tests/cuda_on_host for this TensorFlow was found: it takes "
            "-DFLATNOISE_WITH_TESTS=ON and CUDA's headers"
        )
    yield loaded
    loaded.FlatnoiseFailLaunches(0)


@pytest.fixture(params=["function", "xla"])
def compile_as(request, host):
    """Compiles a function whose noise ops run on the host like on a GPU."""
    if request.param == "xla":
        require_native_in_xla()
    return functools.partial(labelled, COMPILE[request.param])


def labelled(compiler, function):
    def under_label(*arguments):
        with tf.compat.v1.get_default_graph()._kernel_label_map(dict.fromkeys(OPS, LABEL)):
            return function(*arguments)

    return compiler(under_label)


@contextlib.contextmanager
def launching(host, count):
    """Asserts the number of kernel launches. A CPU kernel in their place wouldn't launch any."""
    before = host.FlatnoiseLaunchesSoFar()
    yield
    assert host.FlatnoiseLaunchesSoFar() - before == count


def random_tensor(shape, dtype, seed):
    return tf.cast(tf.random.stateless_normal(shape, [seed, 2]), dtype)


def parameters_of(noise, shapes, dtype):
    """A value for each of the op's parameters, cycling through the shapes."""
    return [
        0.25 + 0.5 * tf.random.stateless_uniform(shapes[k % len(shapes)], [k, 1], dtype=dtype)
        for k in range(len(noise.combination.parameters))
    ]


def noised(noise, x, parameters, seed=SEED, offset=0, **attributes):
    return flatnoise.raw_ops.FlattenNoise(
        input=x,
        seed=tf.constant(seed, tf.int64) if isinstance(seed, tuple) else seed,
        offset=offset,
        parameters=parameters,
        distribution=noise.distribution,
        combination=noise.combination.name,
        **attributes,
    )


def same_bits(actual, expected):
    def bits(results):
        return [None if r is None else r.numpy().tobytes() for r in tf.nest.flatten(results)]

    return bits(actual) == bits(expected)


@pytest.mark.skipif(
    os.environ.get("FLATNOISE_REQUIRE_CUDA_ON_HOST") != "1",
    reason="FLATNOISE_REQUIRE_CUDA_ON_HOST is not 1",
)
def test_the_library_is_there():
    assert load_host_library() is not None


@pytest.mark.parametrize("op", OPS)
def test_kernels_take_all_of_their_inputs_on_the_device(host, op):
    """The GPU registrations, if any, have no arguments in host memory."""
    registered = kernels.get_registered_kernels_for_op(op).kernel
    ours = [k for k in registered if k.device_type == "GPU" or k.label == LABEL]
    assert {"CPU", *(["GPU"] if gpu.cuda_build().version else [])} <= {k.device_type for k in ours}
    assert [list(kernel.host_memory_arg) for kernel in ours] == [[]] * len(ours)


@pytest.mark.parametrize("offset", [0, 5, 2**40 + 3])
def test_forward_has_the_bits_of_the_cpu(compile_as, host, noise, dtype, offset):
    inputs = [random_tensor(shape, dtype, 1) for shape, _, _ in CASES]
    parameters = [parameters_of(noise, shapes, COMPUTE_DTYPE[dtype]) for _, shapes, _ in CASES]

    def forward(inputs, parameters, offset):
        flattens = [flatten for _, _, flatten in CASES]
        return [
            noised(noise, x, p, offset=offset, flatten=flatten)
            for x, p, flatten in zip(inputs, parameters, flattens, strict=True)
        ]

    arguments = (inputs, parameters, tf.constant(offset, tf.int64))
    expected = forward(*arguments)
    not_empty = sum(x.shape.num_elements() > 0 for x in inputs)
    with launching(host, not_empty):
        actual = compile_as(forward)(*arguments)
    assert [a.shape for a in actual] == [e.shape for e in expected]
    assert same_bits(actual, expected)


# A generator's state, and the pair that it draws: its last value and its first value divided by
# 256, modulo 2**31 - 2.
STATE, PAIR_OF_STATE = tf.constant([-1024, 0, 2**31 + 1], tf.int64), tf.constant([3, 2**31 - 6])


def test_seeds_of_every_kind_name_the_same_noise(compile_as, host, noise):
    x = random_tensor((20, 30), "float32", 1)
    parameters = parameters_of(noise, [()], "float32")
    run = compile_as(lambda x, seed: noised(noise, x, parameters, seed=seed))
    narrow, wide = (tf.constant(SEED, dtype) for dtype in (tf.int32, tf.int64))
    for seed, same in ((narrow, wide), (wide, narrow), (STATE, PAIR_OF_STATE)):
        with launching(host, 1):
            actual = run(x, seed)
        assert same_bits(actual, noised(noise, x, parameters, seed=same))


@pytest.mark.parametrize("noise", LINEAR, ids=lambda noise: noise.name)
def test_gradients_take_a_state_for_the_pair_that_it_draws(compile_as, host, noise):
    x = random_tensor((20, 30), "float32", 1)

    @compile_as
    def sums(x, seed):
        return flatnoise.raw_ops.FlattenNoiseGrad(
            grad=x,
            seed=seed,
            offset=3,
            parameters=parameters_of(noise, [(), (30,)], "float32"),
            input=x,
            distribution=noise.distribution,
            combination=noise.combination.name,
        )

    assert same_bits(sums(x, STATE), sums(x, PAIR_OF_STATE))


def test_the_output_may_take_the_input_s_memory(compile_as, host, noise, dtype):
    x = random_tensor((50, 60), dtype, 1)
    parameters = parameters_of(noise, [(60,), ()], COMPUTE_DTYPE[dtype])

    def twice(x):
        return noised(noise, noised(noise, x, parameters, flatten=False), parameters, offset=7)

    with launching(host, 2):
        actual = compile_as(twice)(x)
    assert same_bits(actual, twice(x))


def test_functions_reach_the_kernels(compile_as, host, noise):
    x = random_tensor((6, 5, 4), "float32", 1)
    # Numbers, because for tensors, stock ops (which XLA fuses) would compute the op's parameters.
    values = [parameter.default for parameter in noise.parameters]
    call = functools.partial(FUNCTIONS[noise.name], implementation="native")
    with launching(host, 1):
        actual = compile_as(lambda x, seed: call(x, seed, *values))(x, [1, 2])
    assert same_bits(actual, call(x, [1, 2], *values))


@pytest.mark.parametrize("noise, dtype, case", GRADIENTS)
def test_gradients_are_those_of_the_cpu_and_repeat(compile_as, host, noise, dtype, case):
    shape, parameter_shapes, flatten = case
    x = random_tensor(shape, dtype, 1)
    parameters = parameters_of(noise, parameter_shapes, COMPUTE_DTYPE[dtype])

    def gradients(x, parameters, dy):
        with tf.GradientTape() as tape:
            tape.watch([x, parameters])
            y = noised(noise, x, parameters, offset=3, flatten=flatten)
        return tape.gradient(y, [x, *parameters], output_gradients=dy)

    dy = random_tensor(noised(noise, x, parameters, flatten=flatten).shape, dtype, 2)
    expected = gradients(x, parameters, dy)
    compiled = compile_as(gradients)
    before = host.FlatnoiseLaunchesSoFar()
    actual = compiled(x, parameters, dy)
    assert host.FlatnoiseLaunchesSoFar() > before
    assert [a is None for a in actual] == [e is None for e in expected]
    assert same_bits(actual[0], expected[0])
    assert same_bits(compiled(x, parameters, dy), actual)
    tolerance = 1e-11 if dtype == "float64" else 2e-5
    size = tolerance * max(1.0, float(tf.reduce_sum(abs(tf.cast(x, tf.float64)))))
    for one, other in zip(actual[1:], expected[1:], strict=True):
        if one is not None:
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=size)


def wrong_values(noise):
    """(index of the op's parameter, an invalid value) for every parameter."""
    candidates = [np.nan, np.inf, -np.inf, -1.0, 2.0]
    return [
        (k, value)
        for k, parameter in enumerate(noise.combination.parameters)
        for value in candidates
        if parameter.holds is not None and not parameter.holds(value)
    ]


def test_wrong_values_make_nan_of_the_elements_that_they_concern(compile_as, host, noise, dtype):
    compute = COMPUTE_DTYPE[dtype]
    x = random_tensor((8, 50), dtype, 1)
    wrong = wrong_values(noise)
    checked = {k for k, each in enumerate(noise.combination.parameters) if each.holds is not None}
    assert {k for k, _ in wrong} == checked

    def runs(x, right):
        results = []
        for k, value in wrong:
            for bad in (tf.constant(value, compute), one_bad_feature(right[k], value)):
                parameters = [*right[:k], bad, *right[k + 1 :]]
                results.append(noised(noise, x, parameters, validate_args=True))
        return results

    def one_bad_feature(parameter, value):
        columns = tf.broadcast_to(parameter, [50])
        return tf.where(tf.range(50) == 11, tf.constant(value, compute), columns)

    right = parameters_of(noise, [()], compute)
    expected = noised(noise, x, right).numpy().astype(np.float64)
    expected[:, 11] = np.nan
    with launching(host, 2 * len(wrong)):
        results = compile_as(runs)(x, right)
    for scalar, feature in zip(results[::2], results[1::2], strict=True):
        assert np.isnan(scalar.numpy().astype(np.float64)).all()
        np.testing.assert_array_equal(feature.numpy().astype(np.float64), expected)


@pytest.mark.parametrize("offset", [-1, -(2**63)])
def test_negative_offsets_make_nan(compile_as, host, noise, dtype, offset):
    compute = COMPUTE_DTYPE[dtype]
    cases = [((1,), (1, 1)), ((3, 7), (7,)), ((200, 33), ())]
    inputs = [random_tensor(shape, dtype, 1) for shape, _ in cases]
    parameters = [parameters_of(noise, [(), pattern], compute) for _, pattern in cases]

    def forward_and_gradients(inputs, parameters, offset):
        results = []
        for x, values in zip(inputs, parameters, strict=True):
            with tf.GradientTape() as tape:
                tape.watch(values)
                y = noised(noise, x, values, offset=offset)
            results += [y, *tape.gradient(y, values)]
        return results

    run = compile_as(forward_and_gradients)
    for result in run(inputs, parameters, tf.constant(offset, tf.int64)):
        assert result is None or np.isnan(result.numpy().astype(np.float64)).all()


@pytest.mark.parametrize("error", LAUNCH_ERRORS)
def test_launches_that_fail_say_why_and_what_to_do(compile_as, host, noise, error):
    x = random_tensor((4, 5), "float32", 1)
    parameters = parameters_of(noise, [()], "float32")

    def forward(x, parameters):
        return noised(noise, x, parameters)

    def backward(x, parameters):
        return flatnoise.raw_ops.FlattenNoiseGrad(
            grad=x,
            seed=tf.constant(SEED, tf.int64),
            offset=0,
            parameters=parameters,
            input=x,
            distribution=noise.distribution,
            combination=noise.combination.name,
        )

    for function in (forward, backward) if noise.combination.is_linear else (forward,):
        compiled = compile_as(function)
        host.FlatnoiseFailLaunches(error)
        with launching(host, 0), pytest.raises(tf.errors.InternalError) as caught:
            compiled(x, parameters)
        assert "flatnoise's kernel did not start on the GPU" in str(caught.value)
        assert LAUNCH_ERRORS[error] in str(caught.value)
        assert 'implementation="tensorflow" uses stock ops' in str(caught.value)
        host.FlatnoiseFailLaunches(0)
        with launching(host, 1):
            compiled(x, parameters)


@pytest.mark.parametrize("noise", LINEAR, ids=lambda noise: noise.name)
def test_gradients_give_their_scratch_memory_back_and_say_when_there_is_none(host, noise):
    require_native_in_xla()
    x = random_tensor((400, 700), "float32", 1)
    parameters = parameters_of(noise, [(700,), ()], "float32")

    def gradients(x, parameters):
        return flatnoise.raw_ops.FlattenNoiseGrad(
            grad=x,
            seed=tf.constant(SEED, tf.int64),
            offset=0,
            parameters=parameters,
            input=x,
            distribution=noise.distribution,
            combination=noise.combination.name,
        )

    compiled = labelled(COMPILE["xla"], gradients)
    compiled(x, parameters)
    assert host.FlatnoiseScratchBlocksInUse() == 0
    host.FlatnoiseHaveScratchMemory(False)
    try:
        with pytest.raises(tf.errors.ResourceExhaustedError, match="no memory for the gradients'"):
            compiled(x, parameters)
    finally:
        host.FlatnoiseHaveScratchMemory(True)


# The shape functions can't detect these, because shapes are unknown at graph construction time.
WRONG_SHAPES = {
    "seed must have shape [2], or shape [3] and type int64, got shape [4] and type int64": {
        "seed": tf.zeros([4], tf.int64)
    },
    "offset must be a scalar, got shape [1]": {"offset": tf.zeros([1], tf.int64)},
    "input must have a batch dimension (rank 1 or more), got a scalar": {"x": tf.zeros([])},
    "must have a shape that broadcasts to the output's shape [4,6], got shape [5]": {
        "parameter": tf.zeros([5])
    },
}


@pytest.mark.parametrize("message", WRONG_SHAPES)
def test_wrong_shapes_are_refused_in_the_words_of_the_cpu(host, noise, message):
    arguments = {
        "x": tf.zeros([4, 2, 3]),
        "seed": tf.zeros([2], tf.int64),
        "offset": tf.zeros([], tf.int64),
        "parameter": tf.zeros([]),
        **WRONG_SHAPES[message],
    }
    unknown = [tf.TensorSpec(None, tensor.dtype) for tensor in arguments.values()]

    def run(x, seed, offset, parameter):
        count = len(noise.combination.parameters)
        return noised(noise, x, [parameter] * count, seed=seed, offset=offset)

    compiled = labelled(functools.partial(tf.function, input_signature=unknown), run)
    with launching(host, 0), pytest.raises(tf.errors.InvalidArgumentError) as caught:
        compiled(*arguments.values())
    assert message in str(caught.value)
