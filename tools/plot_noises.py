"""Draws every noise on a photograph, for docs/gallery.md and docs/noises.md.

    python tools/plot_noises.py --output docs/images/noises

The photograph is from scikit-learn, at half its size with enlarged pixels. Below it is a histogram
of the noise applied to a gray of 0.5. Heights are square roots of the counts, so that rare values
are visible. The tool writes a picture of each noise in both color schemes.
"""

import argparse
import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image

import flatnoise
import flatnoise.numpy
import plots

SEED = (7, 2)
ROWS, COLUMNS = slice(14, 214), slice(70, 350)  # of the photograph
GREY = 0.5
GREY_COUNT = 2**18
VALUES = np.linspace(-0.5, 1.5, 121)  # for the histograms

# In pixels.
DOTS_PER_INCH = 150
SCALE = 3
GAP, HISTOGRAM, TICKS = 4, 40, 24

Array = Any


@dataclasses.dataclass(frozen=True)
class Example:
    """A call of a noise. Its standard deviation is near 0.15 if it has such a parameter."""

    name: str
    parameters: dict[str, float]
    is_for_standardized: bool = False

    def __call__(self, image: Array) -> Array:
        """The image with the noise."""
        if self.name == "diffuse":
            return flatnoise.diffuse(image, SEED, **self.parameters).numpy()
        function: Callable[..., Array] = getattr(flatnoise.numpy, self.name)
        return function(image, SEED, **self.parameters, flatten=False)

    @property
    def code(self) -> str:
        """The call, without the arguments that all examples share."""
        arguments = ", ".join(f"{name}={value:g}" for name, value in self.parameters.items())
        return f"{self.name}({arguments})"


EXAMPLES = (
    Example("flatten_add_normal", {"stddev": 0.15}),
    Example("flatten_add_uniform", {"minval": -0.26, "maxval": 0.26}),
    Example("flatten_add_laplace", {"scale": 0.106}),
    Example("flatten_add_gumbel", {"scale": 0.117}),
    Example("flatten_add_logistic", {"scale": 0.083}),
    Example("flatten_add_truncated_normal", {"stddev": 0.17}),
    Example("flatten_multiply_normal", {"stddev": 0.3}),
    Example("diffuse", {"signal_rate": 0.8, "noise_rate": 0.15}),
    Example("flatten_dropout", {"rate": 0.25}),
    Example("flatten_alpha_dropout", {"rate": 0.1}, is_for_standardized=True),
    Example("flatten_mask", {"rate": 0.25, "value": 0.8}),
    Example("flatten_salt_and_pepper", {"amount": 0.1}),
)


def photograph() -> Array:
    """A part of the photograph at half its size, float32 from 0 to 1."""
    part = load_sample_image("china.jpg")[ROWS, COLUMNS].astype(np.float32) / 255
    height, width, channels = part.shape
    return part.reshape(height // 2, 2, width // 2, 2, channels).mean((1, 3))


def noised(example: Example, image: Array, mean: Array, stddev: Array) -> Array:
    """Applies noise to an image, standardized for noise that expects mean 0 and variance 1."""
    if not example.is_for_standardized:
        return example(image)
    return example((image - mean) / stddev) * stddev + mean


def draw_histogram(axes: Axes, values: Array) -> None:
    """Draws a histogram, scaled to the available height."""
    counts, edges = np.histogram(values, VALUES)
    # The palette always contains this color.
    axes.stairs(np.sqrt(counts), edges, fill=True, color=rcParams["text.color"])
    axes.set(xlim=(VALUES[0], VALUES[-1]), yticks=[], xticks=[0, 0.5, 1])
    axes.tick_params(labelsize=8, length=3, pad=2)
    axes.spines[["left", "top", "right"]].set_visible(False)


def draw(picture: Array, greys: Array) -> Figure:
    """Draws a picture above a histogram."""
    height, width = SCALE * picture.shape[0], SCALE * picture.shape[1]
    total = height + GAP + HISTOGRAM + TICKS
    figure = Figure(figsize=(width / DOTS_PER_INCH, total / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
    axes = figure.add_axes((0, 1 - height / total, 1, height / total))
    axes.imshow(np.clip(picture, 0, 1), interpolation="nearest")
    axes.set_axis_off()
    draw_histogram(figure.add_axes((0, TICKS / total, 1, HISTOGRAM / total)), greys)
    return figure


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--output", type=pathlib.Path, required=True, help="folder for the pictures"
    )
    folder = parser.parse_args().output
    image, grey = photograph(), np.full(GREY_COUNT, GREY, np.float32)
    mean, stddev = image.mean(), image.std()

    def write(name: str, picture: Array, greys: Array) -> None:
        plots.write(lambda: draw(picture, greys), folder / f"{name}.png", colors=256)

    write("photograph", image, grey)
    for example in EXAMPLES:
        write(example.name, *(noised(example, each, mean, stddev) for each in (image, grey)))


if __name__ == "__main__":
    main()
