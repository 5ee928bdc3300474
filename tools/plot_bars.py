"""Plots the README's bar chart: flatnoise, stock TensorFlow and the best of the others.

    python tools/plot_bars.py RESULT.txt --output docs/images/bars.png

The result is the output of `benchmarks/compare.py`. Each side is represented by its fastest
variant.
"""

import argparse
import io
import pathlib
import re

from matplotlib.figure import Figure
from PIL import Image

SIZE = "128×224×224×3"
NOISES = ("normal", "uniform", "dropout")
# Prefixes of variants' names. Copies aren't noise.
STOCK, COPIES = ("tensorflow", "keras"), ("torch copy_", "copy", "tensorflow x + 0")
SIDES = {
    "flatnoise": "tab:blue",
    "TensorFlow, its best of all forms": "tab:orange",
    "best of PyTorch, JAX, NumPy, MKL, DALI": "0.6",
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
    figure = Figure(figsize=(8, 3), dpi=110, facecolor="white", layout="constrained")
    axes = figure.subplots()
    for group, noise in enumerate(NOISES):
        best = best_of_sides(rates(text, noise))
        for place, (color, rate) in enumerate(zip(SIDES.values(), best, strict=True)):
            height = -(4 * group + place)
            axes.barh(height, rate, color=color, height=0.9)
            faster = f", {best[0] / best[1]:.1f} times as fast as TensorFlow" if place == 0 else ""
            axes.text(rate + 25, height, f"{rate:,.0f}{faster}", va="center", fontsize=9)
    axes.set_yticks([-(4 * group + 1) for group in range(len(NOISES))], NOISES, fontsize=11)
    axes.set_xlim(0, 5600)
    axes.set_xlabel("millions of elements a second, 128×224×224×3 float32, 2 cores", fontsize=9)
    axes.tick_params(left=False, labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    handles = [figure.axes[0].patches[place] for place in range(len(SIDES))]
    figure.legend(handles, SIDES, frameon=False, fontsize=9, loc="outside upper left", ncols=3)
    return figure


def write(figure: Figure, path: pathlib.Path) -> None:
    """Writes the picture with a palette, which suffices for its few colors."""
    buffer = io.BytesIO()
    figure.savefig(buffer)
    with_palette = Image.open(buffer).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with_palette.save(path, optimize=True)


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("result", type=pathlib.Path, help="what benchmarks/compare.py printed")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a file")
    arguments = parser.parse_args()
    write(draw(arguments.result.read_text(encoding="utf-8")), arguments.output)


if __name__ == "__main__":
    main()
