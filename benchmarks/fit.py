"""Times a training step of the demo model for every kind of noise, inside and outside XLA.

    python benchmarks/fit.py [--rounds N]

The models alternate step by step. Results are medians with quartiles.
"""

import argparse
import os
import pathlib
import statistics
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(pathlib.Path(__file__).parents[1] / "examples"))

import denoise_digits as demo
import keras

import flatnoise
from rounds import add_rounds

STEPS = 5


def keras_noise(stddev: float, flatten: bool) -> keras.layers.Layer:
    """Keras layers."""
    noise = keras.layers.GaussianNoise(stddev)
    return keras.Sequential([noise, keras.layers.Flatten()]) if flatten else noise


def fallback_noise(stddev: float, flatten: bool) -> keras.layers.Layer:
    """flatnoise's layer with stock TensorFlow ops."""
    return flatnoise.layers.AddGaussianNoise(
        stddev=stddev, flatten=flatten, training_only=True, implementation="tensorflow"
    )


VARIANTS = {
    "no noise": demo.no_noise,
    "flatnoise, the compiled op": demo.fused_noise,
    "flatnoise, stock ops": fallback_noise,
    "tf.random.normal": demo.StockNoise,
    "keras.layers.GaussianNoise": keras_noise,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_rounds(parser, default=60)
    rounds = parser.parse_args().rounds
    images, _ = demo.load_images()
    runs = {
        (name, jit_compile): demo.training_steps(noise, images, jit_compile)
        for jit_compile in (False, True)
        for name, noise in VARIANTS.items()
    }
    for run in runs.values():
        run(10)
    samples: dict[tuple[str, bool], list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            samples[key].append(1000 * run(STEPS))
    info = flatnoise.build_info()
    print(
        f"flatnoise {info['version']} ({info['instruction_set']}), "
        f"TensorFlow {info['tensorflow_version']}, {os.cpu_count()} cores; milliseconds for a "
        f"training step of {demo.BATCH} digits"
    )
    for (name, jit_compile), times in samples.items():
        first, median, third = statistics.quantiles(times, n=4)
        where = "XLA" if jit_compile else "no XLA"
        print(f"{where:<8}{name:<30}{median:8.3f}  [{first:.3f} - {third:.3f}]")


if __name__ == "__main__":
    main()
