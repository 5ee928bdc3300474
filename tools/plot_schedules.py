"""Plots noise schedules, for docs/guide.md.

    python tools/plot_schedules.py --output docs/images/schedules.png

The title of each panel is the call that it shows.
"""

import argparse
import io
import pathlib

import numpy as np
from keras.optimizers.schedules import ExponentialDecay
from matplotlib.figure import Figure
from PIL import Image

from flatnoise.schedules import Constant, Cosine, Linear

STEPS = np.arange(0, 1001, 5)
ACROSS = 3
COLOR = "tab:blue"

# By the user's code.
EXAMPLES = {
    "Constant(0.2)": Constant(0.2),
    "Linear(0.0, 0.3, steps=600)": Linear(0.0, 0.3, steps=600),
    "Linear(0.3, 0.1, steps=300, begin=400)": Linear(0.3, 0.1, steps=300, begin=400),
    "Cosine(0.3, 0.0, steps=1000)": Cosine(0.3, 0.0, steps=1000),
    "Cosine(0.0, 0.3, steps=400, begin=200)": Cosine(0.0, 0.3, steps=400, begin=200),
    "Keras's ExponentialDecay(0.3, 250, 0.5)": ExponentialDecay(0.3, 250, 0.5),
}


def draw() -> Figure:
    """Plots a panel for each example."""
    down = -(-len(EXAMPLES) // ACROSS)
    figure = Figure(figsize=(9, 3.4), dpi=100, facecolor="white", layout="constrained")
    panels = figure.subplots(down, ACROSS, sharex=True, sharey=True).flat
    for axes, (title, schedule) in zip(panels, EXAMPLES.items(), strict=True):
        levels = np.array([float(schedule(step)) for step in STEPS])
        axes.fill_between(STEPS, levels, color=COLOR, alpha=0.2, linewidth=0)
        axes.plot(STEPS, levels, color=COLOR)
        axes.set_title(title, fontsize=9, loc="left")
        axes.tick_params(labelsize=8, length=2)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("step", fontsize=9)
    figure.supylabel("level", fontsize=9)
    return figure


def write(figure: Figure, path: pathlib.Path) -> None:
    """Writes the picture with a palette, which suffices for one color."""
    buffer = io.BytesIO()
    figure.savefig(buffer)
    with_palette = Image.open(buffer).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with_palette.save(path, optimize=True)


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a file")
    arguments = parser.parse_args()
    write(draw(), arguments.output)


if __name__ == "__main__":
    main()
