"""Short runs of the example programs, which must show what they claim."""

import importlib.util
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.long

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def load(name):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(capsys):
    """Runs an example with arguments and returns what it printed."""

    def run_example(name, *arguments):
        load(name).main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    return run_example


@pytest.fixture
def draw(run, tmp_path):
    """Runs an example and checks that it has written a picture."""

    def run_example(name, *arguments):
        picture = tmp_path / "picture.png"
        printed = run(name, *arguments, "--output", picture)
        assert picture.stat().st_size > 1000
        return printed

    return run_example


def numbers_in(printed, pattern):
    found = re.search(pattern, printed)
    assert found, printed
    return [float(number.replace(",", "")) for number in found.groups()]


@pytest.mark.parametrize("compile_it", [False, True], ids=["plain", "XLA"])
def test_the_sampling_step_and_its_gradients_are_those_of_stock_ops(compile_it):
    vae = load("vae_digits")
    rng = np.random.default_rng(0)
    mean, log_var, upstream = tf.unstack(tf.constant(rng.normal(size=[3, 5, 7]), tf.float32))

    def both_ways(sample, seed):
        with tf.GradientTape() as tape:
            tape.watch([mean, log_var])
            code = sample(mean, log_var, seed)
        return code, *tape.gradient(code, [mean, log_var], output_gradients=upstream)

    given = tf.function(lambda seed: both_ways(vae.sample, seed), jit_compile=compile_it)
    expected = both_ways(vae.stock_sample, tf.constant([1, 2]))
    for ours, stock in zip(given(tf.constant([1, 2])), expected, strict=True):
        np.testing.assert_allclose(ours, stock, rtol=1e-5, atol=1e-5)


def test_the_autoencoder_takes_noise_away(draw):
    printed = draw("denoise_digits", "--epochs", 3, "--rounds", 2)
    (gain,) = numbers_in(printed, r"a gain of (\S+) dB")
    assert gain > 2
    assert re.search(r"flatnoise +\S+ ms", printed)


def test_the_variational_autoencoder_learns(draw):
    printed = draw("vae_digits", "--epochs", 3)
    before, after = numbers_in(printed, r"digits: (\S+) nats before, (\S+) after")
    assert after > before + 10


def test_classifiers_trained_with_noise_hold_out_against_it(draw):
    printed = draw("robust_digits", "--epochs", 10)
    # The third column, for noise with standard deviation 0.4.
    plain, fixed, learned = (
        numbers_in(printed, rf"{name} +\S+ +\S+ +(\S+)")[0]
        for name in ("no noise", "fixed noise", "learned noise")
    )
    assert fixed > plain
    assert learned > plain


def test_the_generator_learns(draw):
    printed = draw("gan_digits", "--epochs", 60, "--seeds", 1)
    for name in ("without noise layers", "with noise layers"):
        (untrained,) = numbers_in(printed, r"untrained generator +(\S+)")
        (trained,) = numbers_in(printed, rf"{name} +(\S+)")
        assert trained < untrained / 2


@pytest.mark.parametrize("steps", [1, 7])
def test_the_reverse_process_ends_in_the_digits_whose_noise_is_predicted(steps):
    example = load("diffuse_digits")
    digits = np.random.default_rng(0).uniform(-1, 1, [3, 64]).astype(np.float32)

    class Oracle(example.DiffusionModel):
        def predict_noise(self, noisy, noise_rates):
            return (noisy - tf.sqrt(1 - noise_rates**2) * digits) / noise_rates

    states = Oracle(seed=1).generate(3, seed=5, steps=steps)
    assert len(states) == steps + 1
    noise = tf.random.stateless_normal([3, 64], [5, 0], alg="philox")
    np.testing.assert_allclose(states[0], noise, rtol=1e-5, atol=1e-6)
    # The first prediction is divided by a signal rate of 0.02.
    np.testing.assert_allclose(states[-1], digits, atol=1e-4)


def test_digits_come_out_of_noise(draw):
    printed = draw("diffuse_digits", "--epochs", 10, "--steps", 5)
    (error,) = numbers_in(printed, r"in held-out digits: (\S+) of 1")
    assert error < 0.5
    (noise,) = numbers_in(printed, r"noise +(\S+)\n")
    (generated,) = numbers_in(printed, r"generated +(\S+)\n")
    assert generated < noise / 2


def test_the_pipeline_adds_the_noise_asked_for_in_any_order(draw):
    printed = draw("augment_photographs", "--crops", 24, "--stddev", 10, "--rounds", 1)
    mean, stddev = numbers_in(printed, r"measured: +mean (\S+), standard deviation (\S+)")
    # Six standard errors for 24 crops of 128×128×3.
    assert abs(mean) < 6 * 10 / np.sqrt(24 * 128 * 128 * 3)
    assert abs(stddev - 10) < 6 * 10 / np.sqrt(2 * 24 * 128 * 128 * 3)
    assert "equal to the bit: True" in printed
    assert re.search(r"flatnoise +[\d,]+\n", printed)


def test_stock_ops_are_served_where_flatnoise_cannot_be_imported(run, native):
    printed = run("serve_digits", "--epochs", 10)
    as_it_is, _, with_stock_ops = printed.partition("Exported with")
    assert "Op type not registered 'Flatnoise>FlattenNoise'" in as_it_is
    assert "import of flatnoise halted" in with_stock_ops
    (difference,) = numbers_in(printed, r"from the answers given here: (\S+)")
    assert difference < 1e-5
    one, many = numbers_in(printed, r"one answer: +(\S+)\n.*answers: +(\S+)")
    assert many > one > 0.5
