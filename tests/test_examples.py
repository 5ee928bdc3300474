"""The example programs, in short form."""

import importlib.util
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


@pytest.fixture
def vae():
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("vae_digits", EXAMPLES / "vae_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("compile_it", [False, True], ids=["plain", "XLA"])
def test_the_sampling_step_and_its_gradients_are_those_of_stock_ops(vae, compile_it):
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


def test_the_variational_autoencoder_learns(vae, tmp_path, capsys):
    vae.main(["--epochs", "3", "--output", str(tmp_path / "digits.png")])
    printed = capsys.readouterr().out
    before, after = map(
        float, re.search(r"digits: (\S+) nats before, (\S+) after", printed).groups()
    )
    assert after > before + 10
    assert (tmp_path / "digits.png").stat().st_size > 1000
