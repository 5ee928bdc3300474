"""The op on a GPU is bit-identical to the CPU, inside and outside XLA. Skipped without a GPU.

No test multiplies matrices, so only CUDA's runtime library is used.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPILE, COMPUTE_DTYPE, FUNCTIONS, valid_values
from flatnoise._src import gpu, library
from flatnoise._src.noises import COMBINATIONS, KINDS

needs_gpu = pytest.mark.skipif(
    not tf.config.list_physical_devices("GPU"), reason="TensorFlow sees no GPU"
)
SEED = tf.constant([3, -4], tf.int64)


@pytest.fixture(params=["eager", "function", "xla"])
def compile_as(request, native):
    if gpu.problem() is not None:
        pytest.skip(str(gpu.problem()))
    if request.param == "xla" and not library.load().has_xla_kernels:
        pytest.skip(str(library.load().xla_reason))
    return COMPILE[request.param]


def on(device, function, *arguments):
    """The function's results as arrays, computed on a device from tensors on it."""
    with tf.device(device):
        placed = tf.nest.map_structure(tf.identity, arguments)
        results = tf.nest.flatten(function(*placed))
        for result in results:
            assert device.strip("/") in result.device
        return [result.numpy() for result in results]


def raw(kind, x, parameters, offset):
    distribution, combination = kind
    return flatnoise.raw_ops.FlattenNoise(
        input=x,
        seed=tf.identity(SEED),
        offset=offset,
        parameters=list(parameters),
        distribution=distribution,
        combination=combination,
    )


def parameters_of(kind, dtype, features):
    """The op's parameters: all scalars, or every second one with one value per feature."""
    scalars = [
        tf.constant(value, COMPUTE_DTYPE[dtype])
        for value in valid_values(COMBINATIONS[kind[1]].parameters)
    ]
    yield scalars
    ramp = tf.linspace(tf.ones([], COMPUTE_DTYPE[dtype]), 1.5, features)
    yield [value * ramp if place % 2 else value for place, value in enumerate(scalars)]


# All shapes and offsets in float32. For other dtypes, one case with many threads.
PROBLEMS = [
    *(("float32", shape, 5) for shape in [(1,), (3, 7), (300, 1000), (0, 4), (4, 0)]),
    *(("float32", (4, 5, 3), offset) for offset in (0, 5, 2**40 + 3)),
    *((dtype, (300, 1000), 5) for dtype in ("float16", "bfloat16", "float64")),
]


@needs_gpu
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("dtype, shape, offset", PROBLEMS, ids=str)
def test_forward_has_the_bits_of_the_cpu(compile_as, kind, dtype, shape, offset):
    x = tf.cast(tf.random.stateless_normal(shape, [1, 2]), dtype)

    def noised(x, parameters, offset):
        return raw(kind, x, parameters, offset)

    for parameters in parameters_of(kind, dtype, int(np.prod(shape[1:]))):
        arguments = (x, parameters, tf.constant(offset, tf.int64))
        (expected,) = on("/CPU:0", noised, *arguments)
        (actual,) = on("/GPU:0", compile_as(noised), *arguments)
        assert actual.shape == expected.shape
        assert actual.tobytes() == expected.tobytes()


@needs_gpu
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize(
    "dtype, features",
    [
        *(("float32", features) for features in (1, 6, 700, 4096)),
        *((dtype, 700) for dtype in ("float16", "bfloat16", "float64")),
    ],
)
def test_gradients_repeat_and_are_those_of_the_cpu(compile_as, kind, dtype, features):
    x, dy = (
        tf.cast(tf.random.stateless_normal([200, features], [1, seed]), dtype) for seed in (2, 3)
    )

    def gradients(x, dy, parameters):
        with tf.GradientTape() as tape:
            tape.watch([x, *parameters])
            y = raw(kind, x, parameters, 3)
        found = tape.gradient(y, [x, *parameters], output_gradients=dy)
        return [gradient for gradient in found if gradient is not None]

    for parameters in parameters_of(kind, dtype, features):
        arguments = (x, dy, parameters)
        expected = on("/CPU:0", gradients, *arguments)
        first = on("/GPU:0", compile_as(gradients), *arguments)
        again = on("/GPU:0", compile_as(gradients), *arguments)
        for cpu, one, two in zip(expected, first, again, strict=True):
            assert one.tobytes() == two.tobytes()
            tolerance = 1e-11 if dtype == "float64" else 2e-5
            np.testing.assert_allclose(
                one.astype(np.float64), cpu.astype(np.float64), rtol=tolerance, atol=200 * tolerance
            )


def state_of(draws):
    """A seed generator's state after a number of draws."""
    return tf.constant([256 * draws, 0, 11], tf.int64)


# More ways to call the kernel. Each takes a tensor [300, 1001], so that parts are unaligned.
CALLS = {
    "clip": lambda x: flatnoise.flatten_add_normal(x, SEED, stddev=2.0, clip=(-0.5, 0.75)),
    "clip, replaced": lambda x: flatnoise.flatten_salt_and_pepper(x, SEED, 0.4, clip=(-1, 1)),
    "no input": lambda x: flatnoise.normal(x.shape, SEED, 0.5, 2.0, dtype=x.dtype),
    "no input, a mean per feature": lambda x: flatnoise.uniform(
        x.shape, SEED, tf.cast(x[0], COMPUTE_DTYPE[x.dtype.name]), 9.0, dtype=x.dtype
    ),
    "noise too": lambda x: flatnoise.diffuse(x, SEED, 0.6, 0.8, return_noise=True),
    "noise too, a rate per sample": lambda x: flatnoise.diffuse(
        x,
        SEED,
        tf.linspace(tf.zeros([1], COMPUTE_DTYPE[x.dtype.name]), 1.0, 300),
        0.8,
        return_noise=True,
    ),
    "the noise of a generator": lambda x: flatnoise.raw_ops.FlattenNoise(
        input=x,
        seed=tf.identity(state_of(5)),
        offset=tf.constant(0, tf.int64),
        parameters=[tf.constant(value, COMPUTE_DTYPE[x.dtype.name]) for value in (0.0, 0.1)],
        distribution="normal",
        combination="add",
    ),
}


@needs_gpu
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("dtype", COMPUTE_DTYPE)
def test_every_way_to_call_has_the_bits_of_the_cpu(compile_as, call, dtype):
    x = tf.cast(tf.random.stateless_normal([300, 1001], [1, 2]), dtype)
    expected = on("/CPU:0", CALLS[call], x)
    actual = on("/GPU:0", compile_as(CALLS[call]), x)
    for one, other in zip(actual, expected, strict=True):
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()


@needs_gpu
def test_a_layer_draws_the_same_noise_on_both_devices(compile_as):
    x = tf.random.stateless_normal([30, 1001], [1, 2])

    def drawn(device):
        with tf.device(device):
            layer = flatnoise.layers.AddGaussianNoise(stddev=0.1, seed=3)
            call = compile_as(lambda x: layer(x, training=True))
            return [on(device, call, x)[0].tobytes() for _ in range(3)]

    on_cpu = drawn("/CPU:0")
    assert len(set(on_cpu)) == 3
    assert drawn("/GPU:0") == on_cpu


@needs_gpu
def test_stock_ops_agree(compile_as, noise):
    x = tf.random.stateless_normal([64, 1000], [1, 2])
    values = list(map(tf.constant, valid_values(noise.parameters)))
    native, stock = (
        on(
            "/GPU:0",
            compile_as(
                lambda x, seed, values, implementation=implementation: FUNCTIONS[noise.name](
                    x, seed, *values, implementation=implementation
                )
            ),
            *(x, SEED, values),
        )[0]
        for implementation in ("native", "tensorflow")
    )
    np.testing.assert_allclose(native, stock, rtol=0, atol=4e-5)


@needs_gpu
@pytest.mark.parametrize("wrong", [{"stddev": -1.0}, {"mean": np.nan}, {"offset": -1}], ids=str)
def test_wrong_values_become_nan_as_nothing_waits_for_the_device(compile_as, wrong):
    names = list(wrong)
    values = [
        tf.constant(value, tf.int64 if name == "offset" else tf.float32)
        for name, value in wrong.items()
    ]

    def add(x, *values):
        return flatnoise.flatten_add_normal(x, SEED, **dict(zip(names, values, strict=True)))

    (result,) = on("/GPU:0", compile_as(add), tf.zeros([4, 5]), *values)
    assert np.isnan(result).all()


@needs_gpu
def test_fit_compiles_with_xla_by_default_and_trains_as_without(compile_as, monkeypatch):
    class Gain(keras.layers.Layer):
        def build(self, shape):
            self.gain = self.add_weight(shape=(shape[-1],), initializer="zeros")

        def call(self, inputs):
            return inputs * self.gain

    x = np.random.default_rng(1).normal(size=(256, 64)).astype(np.float32)

    def losses(jit_compile):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([flatnoise.layers.AddGaussianNoise(stddev=0.1, seed=3), Gain()])
        model.compile("sgd", "mse", jit_compile=jit_compile)
        history = model.fit(x, x, batch_size=32, epochs=2, shuffle=False, verbose=0)
        return model.jit_compile, history.history["loss"]

    (compiled, auto), (_, without) = losses("auto"), losses(False)
    assert compiled
    np.testing.assert_allclose(auto, without, rtol=1e-5)


@pytest.mark.skipif(not tf.test.is_built_with_cuda(), reason="TensorFlow was built without CUDA")
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_xla_lowers_to_a_call_of_the_kernel(native_in_xla, kind):
    """XLA's code for a GPU can be inspected without a GPU."""
    if gpu.cuda_build().version is None:
        pytest.skip("flatnoise was built without CUDA kernels")
    noised = tf.function(lambda *arguments: raw(kind, *arguments), jit_compile=True)
    _, parameters = parameters_of(kind, "float32", 6)
    arguments = (tf.zeros([4, 2, 3]), parameters, tf.zeros([], tf.int64))
    hlo = noised.experimental_get_compiler_ir(*arguments)(stage="hlo", platform_name="GPU")
    assert 'custom_call_target="flatnoise_noise"' in hlo
    assert "f32[4,6]" in hlo
