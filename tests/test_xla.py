"""The compiled op inside XLA is bit-identical, compiled once, and actually called."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from conftest import COMPUTE_DTYPE, FUNCTIONS, NOISES, valid_values
from processes import run_code

pytestmark = pytest.mark.usefixtures("native_in_xla")

SEED = tf.constant([3, -4], tf.int64)


def run(noise, x, seed, *values, offset=0, flatten=True):
    return FUNCTIONS[noise.name](
        x, seed, *values, offset=offset, flatten=flatten, implementation="native"
    )


def tensors_of(noise, dtype, shape=()):
    """Valid values for a noise's parameters, every second one as a tensor of the shape."""
    return [
        tf.fill(shape if place % 2 else [], tf.constant(value, COMPUTE_DTYPE[dtype]))
        for place, value in enumerate(valid_values(noise.parameters))
    ]


def both_ways(function, *arguments):
    """The results outside and inside XLA, as lists of arrays."""
    ways = (tf.function(function), tf.function(function, jit_compile=True))
    return [[tensor.numpy() for tensor in tf.nest.flatten(way(*arguments))] for way in ways]


def assert_same_bits(function, *arguments):
    outside, inside = both_ways(function, *arguments)
    for expected, actual in zip(outside, inside, strict=True):
        assert actual.shape == expected.shape
        assert actual.tobytes() == expected.tobytes()


# All shapes in float32, and one shape in the other dtypes.
PROBLEMS = [
    *(("float32", shape) for shape in [(3,), (4, 5, 2), (300, 1000), (0, 4), (4, 0)]),
    *((dtype, (4, 5, 2)) for dtype in ("float16", "bfloat16", "float64")),
]
# One noise for each combination.
NOISES_OF_EACH_COMBINATION = [
    pytest.param(NOISES[name], id=name)
    for name in ("add_normal", "multiply_normal", "mask", "salt_and_pepper")
]
of_each_combination = pytest.mark.parametrize("noise", NOISES_OF_EACH_COMBINATION)


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("dtype, shape", PROBLEMS, ids=str)
def test_forward_has_the_same_bits(noise, dtype, shape, flatten):
    x = tf.cast(tf.random.stateless_normal(shape, [1, 2]), dtype)
    features = [int(np.prod(shape[1:]))] if flatten else shape[1:]
    assert_same_bits(
        lambda x, seed, offset, *values: run(
            noise, x, seed, *values, offset=offset, flatten=flatten
        ),
        x,
        SEED,
        tf.constant(7, tf.int64),
        *tensors_of(noise, dtype, features),
    )


@of_each_combination
def test_sums_of_gradients_have_the_same_bits(noise, dtype):
    x, dy = (tf.cast(tf.random.stateless_normal([200, 700], [1, seed]), dtype) for seed in (2, 3))

    def sums(x, dy, *values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = run(noise, x, SEED, *values, offset=3)
        found = tape.gradient(y, values, output_gradients=dy)
        return [gradient for gradient in found if gradient is not None]

    for shape in ([], [700]):
        assert_same_bits(sums, x, dy, *tensors_of(noise, dtype, shape))


@of_each_combination
def test_gradients_of_gradients(noise):
    x = tf.random.stateless_normal([5, 13], [1, 2])

    def second_order(x, *values):
        with tf.GradientTape() as outer:
            outer.watch(values[-1])
            with tf.GradientTape() as inner:
                inner.watch(values[-1])
                loss = tf.reduce_sum(run(noise, x, SEED, *values) ** 3)
            slope = inner.gradient(loss, values[-1])
        return slope, outer.gradient(slope, values[-1])

    outside, inside = both_ways(second_order, x, *tensors_of(noise, "float32", [13]))
    for expected, actual in zip(outside, inside, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@of_each_combination
def test_control_flow(noise):
    values = valid_values(noise.parameters)

    def looped(x, steps):
        def body(step, x):
            seed = tf.stack([tf.cast(step, tf.int64), 5])
            noisy = tf.cond(
                step % 2 == 0,
                lambda: run(noise, x, seed),
                lambda: run(noise, x, seed, *values, offset=9),
            )
            return step + 1, noisy

        return tf.while_loop(lambda step, _: step < steps, body, (0, x))[1]

    assert_same_bits(looped, tf.ones([6, 11]), tf.constant(5))


@of_each_combination
def test_vectorized_map(noise):
    def mapped(x, seeds):
        return tf.vectorized_map(lambda row: run(noise, *row), (x, seeds))

    x, seeds = tf.ones([3, 4, 5]), tf.constant([[1, 2], [3, 4], [5, 6]], tf.int64)
    rows = [run(noise, x[i], seeds[i]) for i in range(3)]
    np.testing.assert_array_equal(tf.function(mapped)(x, seeds), tf.stack(rows))
    assert_same_bits(mapped, x, seeds)


PRELUDE = """
import numpy as np, tensorflow as tf, keras, flatnoise
assert flatnoise.build_info()["xla_loaded"]
"""


def compiled_in_new_process(code, folder, prelude=PRELUDE):
    """Runs `code` and returns the text of the modules that XLA compiled for it."""
    flags = f"--xla_dump_to={folder} --xla_dump_hlo_as_text"
    run_code(prelude + code, XLA_FLAGS=flags)
    return [file.read_text() for file in pathlib.Path(folder).glob("*after_optimizations.txt")]


def test_new_seeds_parameters_and_offsets_compile_nothing_new(tmp_path):
    modules = compiled_in_new_process(
        """
@tf.function(jit_compile=True)
def add(x, seed, stddev, offset):
    return flatnoise.flatten_add_normal(x, seed, stddev=stddev, offset=offset)

results = set()
for step in range(10):
    seed = tf.constant([step, 1], tf.int64)
    y = add(tf.zeros([4, 8]), seed, tf.constant(1.0 + step), tf.constant(step, tf.int64))
    results.add(y.numpy().tobytes())
assert len(results) == 10
""",
        tmp_path,
    )
    assert len([text for text in modules if "flatnoise_noise" in text]) == 1


def test_a_library_loaded_after_a_compilation_works(tmp_path):
    modules = compiled_in_new_process(
        """
import tensorflow as tf
tf.function(lambda x: x * 2, jit_compile=True)(tf.ones([3]))
import flatnoise
x = tf.zeros([2, 3])
inside = tf.function(lambda: flatnoise.flatten_add_normal(x, [1, 2]), jit_compile=True)()
assert (inside.numpy() == flatnoise.flatten_add_normal(x, [1, 2]).numpy()).all()
""",
        tmp_path,
        prelude="",
    )
    assert any("flatnoise_noise" in text for text in modules)


FIT = """
def losses(jit_compile, steps_per_execution):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            flatnoise.layers.AddNoise(noise_type="gaussian", stddev=0.3, seed=1),
            keras.layers.Dense(3),
        ]
    )
    model.compile("sgd", "mse", jit_compile=jit_compile, steps_per_execution=steps_per_execution)
    x = np.linspace(0, 1, 32 * 72, dtype="float32").reshape(32, 6, 6, 2)
    y = np.linspace(-1, 1, 96, dtype="float32").reshape(32, 3)
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    return history.history["loss"], model.jit_compile

def pretend_an_accelerator():  # Keras chooses XLA only where there is one
    devices = tf.config.list_physical_devices()
    other = tf.config.PhysicalDevice("/physical_device:OTHER:0", "OTHER")
    tf.config.list_physical_devices = lambda kind=None: devices if kind else [*devices, other]
"""


def test_fit_gives_the_same_losses_however_it_is_compiled(tmp_path):
    compiled_in_new_process(
        FIT
        + """
for steps_per_execution in (1, 4):
    expected, compiled = losses(False, steps_per_execution)
    assert not compiled
    for jit_compile in ("auto", True):
        actual, _ = losses(jit_compile, steps_per_execution)
        np.testing.assert_allclose(actual, expected, rtol=1e-5)
""",
        tmp_path,
    )


def test_auto_compiles_the_model_and_calls_the_compiled_op(tmp_path):
    modules = compiled_in_new_process(
        FIT
        + """
pretend_an_accelerator()
_, compiled = losses("auto", 1)
assert compiled
""",
        tmp_path,
    )
    steps = [text for text in modules if "flatnoise_noise" in text]
    assert steps
    assert all("API_VERSION_TYPED_FFI" in text for text in steps)
