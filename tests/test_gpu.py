"""The op on a GPU: the CPU's bits, inside and outside XLA. Skipped where there is no GPU.

Nothing here multiplies matrices, so that no CUDA library but the runtime is called.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPILE, COMPUTE_DTYPE, Variant
from flatnoise._src import gpu, library
from flatnoise._src.noises import COMBINATIONS

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
    """The function's results as arrays, computed on a device from tensors that lie there."""
    with tf.device(device):
        placed = tf.nest.map_structure(tf.identity, arguments)
        results = tf.nest.flatten(function(*placed))
        for result in results:
            assert device.strip("/") in result.device
        return [result.numpy() for result in results]


@needs_gpu
@pytest.mark.parametrize("combination", COMBINATIONS)
@pytest.mark.parametrize("offset", [0, 5, 2**40 + 3])
@pytest.mark.parametrize("shape", [(1,), (3, 7), (4, 5, 3), (300, 1000), (0, 4), (4, 0)], ids=str)
def test_forward_has_the_bits_of_the_cpu(
    compile_as, distribution, dtype, shape, offset, combination
):
    parameter = COMPUTE_DTYPE[dtype]
    features = int(np.prod(shape[1:]))
    x = tf.cast(tf.random.stateless_normal(shape, [1, 2]), dtype)
    for scale in (tf.ones([], parameter), tf.linspace(tf.ones([], parameter), 2, features)):
        loc = tf.constant(-0.25, parameter)

        def noised(x, seed, loc, scale, offset):
            return flatnoise.raw_ops.FlattenNoise(
                input=x,
                seed=seed,
                offset=offset,
                parameters=[loc, scale],
                distribution=distribution,
                combination=combination,
            )

        arguments = (x, SEED, loc, scale, tf.constant(offset, tf.int64))
        (expected,) = on("/CPU:0", noised, *arguments)
        (actual,) = on("/GPU:0", compile_as(noised), *arguments)
        assert actual.shape == expected.shape
        assert actual.tobytes() == expected.tobytes()


@needs_gpu
@pytest.mark.parametrize("features", [1, 6, 700, 4096])
def test_gradients_repeat_and_are_those_of_the_cpu(compile_as, distribution, dtype, features):
    dy = tf.cast(tf.random.stateless_normal([200, features], [1, 2]), dtype)
    parameter = COMPUTE_DTYPE[dtype]

    def gradients(dy, loc, scale):
        with tf.GradientTape() as tape:
            tape.watch([loc, scale])
            y = flatnoise.raw_ops.FlattenNoise(
                input=tf.zeros_like(dy),
                seed=tf.identity(SEED),
                offset=3,
                parameters=[loc, scale],
                distribution=distribution,
            )
        return tape.gradient(y, [loc, scale], output_gradients=dy)

    for scale in (tf.ones([], parameter), tf.ones([features], parameter)):
        arguments = (dy, tf.zeros([], parameter), scale)
        expected = on("/CPU:0", gradients, *arguments)
        first = on("/GPU:0", compile_as(gradients), *arguments)
        again = on("/GPU:0", compile_as(gradients), *arguments)
        for cpu, one, two in zip(expected, first, again, strict=True):
            assert one.tobytes() == two.tobytes()
            tolerance = 1e-11 if dtype == "float64" else 2e-5
            np.testing.assert_allclose(one, cpu, rtol=tolerance, atol=200 * tolerance)


@needs_gpu
def test_stock_ops_agree(compile_as, distribution):
    x = tf.random.stateless_normal([64, 1000], [1, 2])
    native, stock = (
        on("/GPU:0", compile_as(lambda x, s, v=v: v.call(distribution, x, s)), x, SEED)[0]
        for v in (Variant("native", "gpu"), Variant("tensorflow", "gpu"))
    )
    np.testing.assert_allclose(native, stock, rtol=0, atol=2e-5)


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
def test_xla_lowers_to_a_call_of_the_kernel(native_in_xla, distribution):
    """What XLA would compile for a GPU can be seen without one."""
    if gpu.cuda_build().version is None:
        pytest.skip("flatnoise was built without CUDA kernels")

    @tf.function(jit_compile=True)
    def add(x, seed, loc, scale, offset):
        return flatnoise.raw_ops.FlattenNoise(
            input=x, seed=seed, offset=offset, parameters=[loc, scale], distribution=distribution
        )

    arguments = (tf.zeros([4, 2, 3]), SEED, tf.zeros([]), tf.ones([6]), tf.zeros([], tf.int64))
    hlo = add.experimental_get_compiler_ir(*arguments)(stage="hlo", platform_name="GPU")
    assert 'custom_call_target="flatnoise_noise"' in hlo
    assert "f32[4,6]" in hlo
