"""Augments scikit-learn's sample photographs with camera-like noise in a `tf.data` pipeline.

The pipeline cuts crops from two photographs, flips them randomly and adds noise, with several crops
in parallel. The seed of a crop's noise is derived from its number, so every crop gets the same
noise regardless of the processing order. The program reports the measured and the requested noise,
whether the order matters, and the cost of the noise compared with stock TensorFlow. It also draws
crops before and after.
"""

import argparse
import pathlib
import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_images

import flatnoise

SIZE = 128
GREY_LEVELS = 255
SCENE, NOISE = 0, 1  # the random numbers of a crop

AddNoise = Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]


def fused_noise(crop: tf.Tensor, seed: tf.Tensor, stddev: float) -> tf.Tensor:
    """Adds noise in one pass over the crop."""
    return flatnoise.flatten_add_normal(crop, seed, stddev=stddev, flatten=False)


def stock_noise(crop: tf.Tensor, seed: tf.Tensor, stddev: float) -> tf.Tensor:
    """The same with stock ops, through a tensor of noise."""
    noise = tf.random.stateless_normal(tf.shape(crop), seed, stddev=stddev, alg="philox")
    return crop + noise


def cut(photographs: tf.Tensor, seed: int, index: tf.Tensor) -> tf.Tensor:
    """The crop with this number: SIZE×SIZE×3, float32 gray levels."""
    pair = tf.stack([tf.constant(seed, tf.int64), 2 * index + SCENE])
    photograph = photographs[index % tf.shape(photographs, tf.int64)[0]]
    crop = tf.image.stateless_random_crop(photograph, [SIZE, SIZE, 3], pair)
    return tf.cast(tf.image.stateless_random_flip_left_right(crop, pair), tf.float32)


def crops(photographs: tf.Tensor, count: int, seed: int, parallel: int) -> tf.data.Dataset:
    """Clean crops with their numbers, as a dataset."""
    return tf.data.Dataset.range(count).map(
        lambda index: (index, cut(photographs, seed, index)), num_parallel_calls=parallel
    )


def noised(
    dataset: tf.data.Dataset, add_noise: AddNoise, seed: int, stddev: float, parallel: int
) -> tf.data.Dataset:
    """Adds noise to crops, with the crop's number as the seed."""
    return dataset.map(
        lambda index, crop: (
            index,
            add_noise(crop, tf.stack([tf.constant(seed, tf.int64), 2 * index + NOISE]), stddev),
        ),
        num_parallel_calls=parallel,
        deterministic=False,
    )


def in_order(dataset: tf.data.Dataset) -> np.ndarray:
    """All crops, ordered by number."""
    elements = sorted(dataset.as_numpy_iterator(), key=lambda element: element[0])
    return np.stack([crop for _, crop in elements])


def run_through(dataset: tf.data.Dataset) -> float:
    """The time to iterate over the dataset, in seconds."""
    start = time.perf_counter()
    for _ in dataset:
        pass
    return time.perf_counter() - start


def time_noise(photographs: tf.Tensor, arguments: argparse.Namespace) -> dict[str, float]:
    """Median crops per second for each way to add noise, alternating between them.

    The clean crops are precomputed, so this measures only the noise and the pipeline.
    """
    seed, stddev, parallel = arguments.seed, arguments.stddev, tf.data.AUTOTUNE
    clean = crops(photographs, arguments.crops, seed, parallel).cache()
    run_through(clean)
    ways = {
        "no noise": lambda crop, seed, stddev: crop,
        "flatnoise": fused_noise,
        "stock TensorFlow": stock_noise,
    }
    datasets = {name: noised(clean, way, seed, stddev, parallel) for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, dataset in datasets.items():
            times[name].append(run_through(dataset))
    return {name: arguments.crops / statistics.median(taken) for name, taken in times.items()}


def draw(rows: dict[str, np.ndarray], path: pathlib.Path, columns: int = 6) -> None:
    """Writes a picture with one row of crops per entry."""
    figure = Figure(figsize=(columns * 1.7, len(rows) * 1.75), layout="constrained")
    axes = figure.subplots(len(rows), columns)
    for row_axes, (label, images) in zip(axes, rows.items(), strict=True):
        row_axes[0].set_ylabel(label)
        for axis, image in zip(row_axes, images, strict=False):
            axis.imshow(np.clip(image, 0, GREY_LEVELS).astype(np.uint8))
            axis.set(xticks=[], yticks=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Augment photographs with noise in tf.data.")
    parser.add_argument("--crops", type=int, default=512)
    parser.add_argument("--stddev", type=float, default=20.0, help="in gray levels from 0 to 255")
    parser.add_argument("--rounds", type=int, default=9, help="number of timing rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default="demo/augmented_photographs.png")
    return parser.parse_args(arguments)


def main(command_line: list[str] | None = None) -> None:
    """Augments, checks, draws and measures."""
    arguments = parse_arguments(command_line)
    seed, stddev = arguments.seed, arguments.stddev
    photographs = tf.constant(np.stack(load_sample_images().images))
    print(f"{arguments.crops} crops of {SIZE}×{SIZE}×3 from {len(photographs)} photographs")

    one, many = 1, 8
    clean = in_order(crops(photographs, arguments.crops, seed, one))
    noisy, again = (
        in_order(
            noised(
                crops(photographs, arguments.crops, seed, parallel),
                fused_noise,
                seed,
                stddev,
                parallel,
            )
        )
        for parallel in (one, many)
    )
    noise = noisy - clean
    print(f"Noise asked for: mean 0, standard deviation {stddev:.3f} grey levels")
    print(f"Noise measured:  mean {noise.mean():.3f}, standard deviation {noise.std():.3f}")
    print(f"{one} at a time and {many} at a time, equal to the bit: {np.array_equal(noisy, again)}")
    draw({"before": clean, "after": noisy}, arguments.output)
    print(f"Wrote {arguments.output}")

    print("\nCrops a second that are there already (median, taking turns):")
    for name, rate in time_noise(photographs, arguments).items():
        print(f"  {name:<17}{rate:9,.0f}")


if __name__ == "__main__":
    main()
