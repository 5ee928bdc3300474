"""Draws the figures of a file in benchmarks/results: how fast the noise is, beside a plain copy.

python benchmarks/plot_results.py benchmarks/results/2026-11-23-cpu.txt docs/images/speed.png
"""

import argparse
import pathlib
import re

from matplotlib.figure import Figure

TENSOR = "128×224×224×3"
CASES = [
    (f"{dtype} {TENSOR} {noise}, forward; threads: 2, avx512", f"{dtype}\n{noise}")
    for noise in ("normal", "uniform")
    for dtype in ("float32", "bfloat16", "float64")
]
RATE = re.compile(r"  (?P<name>\w+: .*?) +(?P<rate>[\d,]+) M/s ")
BARS = {
    "best stock TensorFlow": ("stock: ", "tab:gray"),
    "flatnoise": ("flatnoise: ", "tab:blue"),
    "a copy (x + 0)": ("copy: x + 0", "0.85"),
}


def rates_by_case(text: str) -> dict[str, dict[str, float]]:
    """Millions of elements a second, by case and by who took them."""
    cases: dict[str, dict[str, float]] = {}
    of_case: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith(" ") and "; threads: " in line:
            of_case = cases.setdefault(line, {})
        elif match := RATE.match(line):
            of_case[match["name"]] = float(match["rate"].replace(",", ""))
    return cases


def best(rates: dict[str, float], start: str) -> float:
    """The greatest of the rates whose names have this start."""
    return max(rate for name, rate in rates.items() if name.startswith(start))


def draw(cases: dict[str, dict[str, float]], machine: str, path: pathlib.Path) -> None:
    """Writes a picture with a group of bars for each case."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(BARS)
    for number, (label, (start, colour)) in enumerate(BARS.items()):
        places = [place + (number - 1) * width for place in range(len(CASES))]
        heights = [best(cases[case], start) for case, _ in CASES]
        bars = axes.bar(places, heights, width, label=label, color=colour)
        axes.bar_label(bars, labels=[f"{height:,.0f}" for height in heights], fontsize=8)
    axes.set_xticks(range(len(CASES)), [label for _, label in CASES])
    axes.set_ylabel("million elements a second")
    axes.set_title(f"Adding noise to a {TENSOR} tensor; {machine}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=pathlib.Path, help="what benchmarks/cpu.py printed")
    parser.add_argument("output", type=pathlib.Path, help="a file for the picture")
    arguments = parser.parse_args()
    text = arguments.results.read_text(encoding="utf-8")
    draw(rates_by_case(text), text.splitlines()[0], arguments.output)


if __name__ == "__main__":
    main()
