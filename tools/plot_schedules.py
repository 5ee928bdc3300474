"""Plots noise schedules, for docs/guide.md.

    python tools/plot_schedules.py --output docs/images/schedules.png

The title of each panel is the call that it shows. `schedules-dark.png` is for the site's dark
scheme.
"""

import argparse
import pathlib

import numpy as np
from keras.optimizers.schedules import ExponentialDecay
from matplotlib.figure import Figure

import plots
from flatnoise.schedules import Constant, Cosine, Linear

STEPS = np.arange(0, 1001, 5)
ACROSS = 2

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
    figure = Figure(figsize=(6, 4.5), dpi=150, layout="constrained")
    panels = figure.subplots(down, ACROSS, sharex=True, sharey=True).flat
    for axes, (title, schedule) in zip(panels, EXAMPLES.items(), strict=True):
        levels = np.array([float(schedule(step)) for step in STEPS])
        axes.fill_between(STEPS, levels, alpha=0.2, linewidth=0)
        axes.plot(STEPS, levels)
        axes.set_title(title, fontsize=9, loc="left")
        axes.tick_params(labelsize=8, length=2)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("step", fontsize=9)
    figure.supylabel("level", fontsize=9)
    return figure


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, help="picture file")
    arguments = parser.parse_args()
    plots.write(draw, arguments.output)


if __name__ == "__main__":
    main()
