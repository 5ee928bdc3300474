"""Draws every noise on a photograph, for docs/noises.md.

    python tools/plot_noises.py --output docs/images/noises.png

The photograph is from scikit-learn, enlarged by a factor of two. Below each picture is a histogram
of the noise applied to gray of 0.5. Heights are square roots of the counts, so that rare values are
visible.
"""

import argparse
import dataclasses
import io
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from sklearn.datasets import load_sample_image

import flatnoise.numpy as noise

SEED = (7, 2)
ROWS, COLUMNS = slice(14, 214), slice(70, 350)  # the part of the photograph
GREY = 0.5
GREY_COUNT = 2**18
VALUES = np.linspace(-0.5, 1.5, 121)  # for the histograms

# In pixels.
DOTS_PER_INCH = 100
SCALE = 2
ACROSS = 3
GAP, TITLE, HISTOGRAM = 12, 40, 40

Array = Any


@dataclasses.dataclass(frozen=True)
class Example:
    """A call of a noise. Its standard deviation is near 0.15 if it has such a parameter."""

    function: Callable[..., Array]
    parameters: dict[str, float]
    is_for_standardized: bool = False

    def __call__(self, image: Array) -> Array:
        """The image with the noise."""
        return self.function(image, SEED, **self.parameters, flatten=False)

    @property
    def title(self) -> str:
        """The call, on two lines."""
        arguments = ", ".join(f"{name}={value:g}" for name, value in self.parameters.items())
        return f"{self.function.__name__}\n{arguments}"


EXAMPLES = (
    Example(noise.flatten_add_normal, {"stddev": 0.15}),
    Example(noise.flatten_add_uniform, {"minval": -0.26, "maxval": 0.26}),
    Example(noise.flatten_add_laplace, {"scale": 0.106}),
    Example(noise.flatten_add_gumbel, {"scale": 0.117}),
    Example(noise.flatten_add_logistic, {"scale": 0.083}),
    Example(noise.flatten_add_truncated_normal, {"stddev": 0.17}),
    Example(noise.flatten_multiply_normal, {"stddev": 0.3}),
    Example(noise.flatten_dropout, {"rate": 0.25}),
    Example(noise.flatten_alpha_dropout, {"rate": 0.1}, is_for_standardized=True),
    Example(noise.flatten_mask, {"rate": 0.25, "value": 0.8}),
    Example(noise.flatten_salt_and_pepper, {"amount": 0.1}),
)


def photograph() -> Array:
    """A part the part of the photograph at half its size, float32 from 0 to 1."""
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
    axes.stairs(np.sqrt(counts), edges, fill=True, color="tab:blue")
    axes.set(xlim=(VALUES[0], VALUES[-1]), yticks=[], xticks=[0, 0.5, 1])
    axes.tick_params(labelsize=8, length=2, pad=1)
    axes.spines[["left", "top", "right"]].set_visible(False)


def draw(image: Array) -> Figure:
    """Draws the original photograph, and one with every noise."""
    height, width, _ = (SCALE * size for size in image.shape)
    cell = np.array([width + GAP, TITLE + height + HISTOGRAM + GAP])
    down = -(-(len(EXAMPLES) + 1) // ACROSS)
    size = cell * [ACROSS, down] + GAP
    figure = Figure(figsize=size / DOTS_PER_INCH, dpi=DOTS_PER_INCH, facecolor="white")

    def place(index: int, top: int, tall: int) -> Axes:
        left, upper = cell * [index % ACROSS, index // ACROSS] + [GAP, top]
        box = np.array([left, size[1] - upper - tall, width, tall])
        return figure.add_axes(tuple(box / [*size, *size]))

    grey = np.full(GREY_COUNT, GREY, np.float32)
    mean, stddev = image.mean(), image.std()
    pictures = [("a photograph\n", image, grey)] + [
        (example.title, *(noised(example, each, mean, stddev) for each in (image, grey)))
        for example in EXAMPLES
    ]
    for index, (title, picture, greys) in enumerate(pictures):
        axes = place(index, TITLE, height)
        axes.imshow(np.clip(picture, 0, 1), interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9.5, loc="left", pad=3)
        draw_histogram(place(index, TITLE + height + 2, HISTOGRAM - 16), greys)
    return figure


def write(figure: Figure, path: pathlib.Path) -> None:
    """Writes the picture with a palette, because full-color noise hardly compresses."""
    buffer = io.BytesIO()
    figure.savefig(buffer)
    with_palette = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with_palette.save(path, optimize=True)


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a file")
    arguments = parser.parse_args()
    write(draw(photograph()), arguments.output)


if __name__ == "__main__":
    main()
