"""Bit-identical results for the same seed under all conditions in docs/determinism.md."""

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import COMPILE, FUNCTIONS, NOISES, STOCK, Variant, require_native_in_xla, valid_values
from processes import run_code

DIGEST = """
import hashlib
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
if DETERMINISM:
    tf.config.experimental.enable_op_determinism()
import flatnoise
digest = hashlib.sha256()
for dtype in (tf.float16, tf.bfloat16, tf.float32, tf.float64):
    x = tf.cast(tf.random.stateless_normal([61, 4099], [1, 2]), dtype)
    for function, numbers in VALUES.items():
        values = [tf.constant(number, tf.float64) for number in numbers]
        with tf.GradientTape() as tape:
            tape.watch([x, *values])
            y = getattr(flatnoise, function)(x, [3, 4], *values, offset=5, implementation="native")
        for result in (y, *tape.gradient(y, [x, *values])):
            if result is not None:
                digest.update(tf.io.serialize_tensor(result).numpy())
print(digest.hexdigest())
"""


VALUES = {noise.function: valid_values(noise.parameters) for noise in NOISES.values()}


def digest(threads=1, determinism=False, instruction_set=None):
    """A digest of noise and gradients for all dtypes, computed in a new process."""
    settings = f"THREADS, DETERMINISM, VALUES = {threads}, {determinism}, {VALUES}\n"
    variables = {"FLATNOISE_INSTRUCTION_SET": instruction_set} if instruction_set else {}
    return run_code(settings + DIGEST, **variables)


@pytest.fixture(scope="module")
def digest_of_one_thread():
    return digest()


@pytest.mark.parametrize("threads", [3, 8])
def test_any_number_of_threads_gives_the_same_bits(native, digest_of_one_thread, threads):
    assert digest(threads) == digest_of_one_thread


@pytest.mark.parametrize("instruction_set", flatnoise.build_info()["instruction_sets"])
def test_every_instruction_set_gives_the_same_bits(native, digest_of_one_thread, instruction_set):
    assert digest(2, instruction_set=instruction_set) == digest_of_one_thread


def test_op_determinism_is_accepted_and_changes_nothing(native, digest_of_one_thread):
    assert digest(2, determinism=True) == digest_of_one_thread


@pytest.mark.parametrize("mode", COMPILE)
def test_every_mode_gives_the_bits_of_the_core(native, noise, mode, dtype):
    if mode == "xla":
        require_native_in_xla()
    x = tf.cast(tf.random.stateless_normal([37, 501], [1, 2]), dtype)
    values = valid_values(noise.parameters)

    # Numbers, like the core, because for float32 tensors, alpha dropout's scale rounds differently.
    @COMPILE[mode]
    def run(x, seed):
        function = FUNCTIONS[noise.name]
        return function(x, seed, *values, offset=3, implementation="native")

    got = run(x, tf.constant([3, 4])).numpy()
    of_core = getattr(flatnoise.numpy, noise.function)
    expected = of_core(x.numpy(), (3, 4), *values, offset=3)
    assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", [mode for mode in COMPILE if mode != "eager"])
def test_every_mode_gives_the_same_bits_for_tensors_of_levels(native, noise, mode):
    if mode == "xla":
        require_native_in_xla()
    x = tf.random.stateless_normal([7, 501], [1, 2])
    levels = [
        value + 0.01 * tf.random.stateless_uniform([501], [3, place])
        for place, value in enumerate(valid_values(noise.parameters))
    ]

    def run(x, *levels):
        return FUNCTIONS[noise.name](x, [3, 4], *levels, implementation="native")

    assert COMPILE[mode](run)(x, *levels).numpy().tobytes() == run(x, *levels).numpy().tobytes()


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize("distribution", STOCK)
def test_the_fallback_repeats_itself(distribution, dtype, mode):
    variant = Variant("tensorflow", mode)
    x = tf.cast(tf.random.stateless_normal([37, 501], [1, 2]), dtype)
    first, again = (variant.add(distribution, x, [3, 4], 0.25, 1.5).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
