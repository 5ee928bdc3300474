"""Plots the README's bar chart: flatnoise, stock TensorFlow and the best of the others.

    python tools/plot_bars.py RESULT.txt --output docs/images/bars.png

The result is the output of `benchmarks/compare.py`. Each side is represented by its fastest
variant. The chart is narrow, to stay legible on phones. `bars-dark.png` is for the site's dark
scheme.
"""

import argparse
import pathlib
import re

from matplotlib.figure import Figure

import plots

SIZE = "128×224×224×3"
NOISES = ("normal", "uniform", "dropout")
# Prefixes of variants' names. Copies aren't noise.
STOCK, COPIES = ("tensorflow", "keras"), ("torch copy_", "copy", "tensorflow x + 0")
SIDES = {
    "flatnoise": "C0",
    "TensorFlow, its fastest variant": "C1",
    "fastest of PyTorch, JAX, NumPy, MKL, DALI": "0.6",
}

HEADING = re.compile(r"^float32 (\S+) (\w+), forward", re.MULTILINE)
ROW = re.compile(r"^\| (\S[^|]*?) +\| +([\d,.]+) \|", re.MULTILINE)


def rates(text: str, noise: str) -> dict[str, float]:
    """Millions of elements per second, by variant."""
    for match in HEADING.finditer(text):
        if match.groups() == (SIZE, noise):
            rest = text[match.end() :]
            following = HEADING.search(rest)
            table = rest[: following.start()] if following else rest
            return {name: float(rate.replace(",", "")) for name, rate in ROW.findall(table)}
    raise SystemExit(f"the result has no table of {SIZE} {noise}")


def best_of_sides(rates: dict[str, float]) -> list[float]:
    """The fastest variant of each of `SIDES`, in order."""
    noises = {name: rate for name, rate in rates.items() if not name.startswith(COPIES)}
    ours = [rate for name, rate in noises.items() if name.startswith("flatnoise")]
    stock = [rate for name, rate in noises.items() if name.startswith(STOCK)]
    others = [rate for name, rate in noises.items() if not name.startswith((*STOCK, "flatnoise"))]
    return [max(ours), max(stock), max(others)]


def draw(text: str) -> Figure:
    """Plots a group of bars for each noise."""
    figure = Figure(figsize=(5.2, 3.4), dpi=170, layout="constrained")
    axes = figure.subplots()
    for group, noise in enumerate(NOISES):
        best = best_of_sides(rates(text, noise))
        for place, (color, rate) in enumerate(zip(SIDES.values(), best, strict=True)):
            height = -(4 * group + place)
            axes.barh(height, rate, color=color, height=0.9)
            faster = f" ({best[0] / best[1]:.1f}× TensorFlow)" if place == 0 else ""
            axes.text(rate + 40, height, f"{rate:,.0f}{faster}", va="center", fontsize=9)
    axes.set_yticks([-(4 * group + 1) for group in range(len(NOISES))], NOISES, fontsize=11)
    axes.set_xlim(0, 5700)
    axes.set_xlabel(f"millions of elements per second, {SIZE} float32, 2 cores", fontsize=8.5)
    axes.tick_params(left=False, labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    handles = [axes.patches[place] for place in range(len(SIDES))]
    figure.legend(handles, SIDES, frameon=False, fontsize=9, loc="outside upper left")
    return figure


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("result", type=pathlib.Path, help="output of benchmarks/compare.py")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="picture file")
    arguments = parser.parse_args()
    text = arguments.result.read_text(encoding="utf-8")
    plots.write(lambda: draw(text), arguments.output)


if __name__ == "__main__":
    main()
