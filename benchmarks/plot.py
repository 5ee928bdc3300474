"""Plots results: speed by size with a copy's speed as the bound, and ratios at the largest size."""

import itertools
import pathlib
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from peers import COPY, NAMES, OURS
from results import Result, fastest, fastest_copy

_PANEL = (12.0, 3.8)  # inches
_COLORS = dict(zip(NAMES, ("C3", "C0", "C1", "C4", "C2", "C5", "C6", "C8", "k"), strict=True))


def _panels(groups: Sequence[Sequence[Result]]) -> list[list[Sequence[Result]]]:
    """Groups of results that differ only in size, smallest first."""

    def kind(results: Sequence[Result]) -> tuple[Any, ...]:
        case, setup = results[0].case, results[0].setup
        return case.workload, case.dtype, case.noise, setup.threads, setup.instruction_set

    ordered = sorted(groups, key=lambda results: (kind(results), results[0].case.size))
    return [list(panel) for _, panel in itertools.groupby(ordered, kind)]


def _gigabytes(result: Result, seconds: float | None = None) -> float:
    """Gigabytes of input read and output written per second."""
    item_bytes = result.case.input_bytes / result.case.size
    return 2e-9 * item_bytes * result.elements_per_second(seconds)


def _draw_speed(axes: Any, groups: Sequence[Sequence[Result]]) -> None:
    for name in NAMES:
        is_copy = name == COPY
        points = [fastest_copy(each) if is_copy else fastest(each, name) for each in groups]
        best = [point for point in points if point is not None]
        if not best:
            continue
        sizes = [result.case.size for result in best]
        style = {"linestyle": "--", "marker": ".", "label": "a copy"} if is_copy else {}
        speeds = [_gigabytes(result) for result in best]
        axes.plot(sizes, speeds, **{"marker": "o", "label": name, "color": _COLORS[name], **style})
        edges = [[_gigabytes(each, quartile) for quartile in each.quartiles] for each in best]
        low, high = zip(*edges, strict=True)
        axes.fill_between(sizes, low, high, color=_COLORS[name], alpha=0.2)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set(xlabel="elements", ylabel="read and written, GB/s")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_ratios(axes: Any, results: Sequence[Result]) -> None:
    ours = fastest(results, OURS)
    others = [best for name in NAMES if name != OURS and (best := fastest(results, name))]
    if ours is None or not others:
        axes.set_axis_off()
        return
    ratios = [other.median / ours.median for other in others]
    colors = [_COLORS[other.peer] for other in others]
    bars = axes.barh([other.name for other in others], ratios, color=colors)
    axes.bar_label(bars, [f"{ratio:.1f}×" for ratio in ratios], padding=3, fontsize=8)
    axes.axvline(1, color=_COLORS[OURS])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    shape = "×".join(map(str, ours.case.shape))
    axes.set(xlabel=f"time, by that of {ours.name}, at {shape}")


def draw(groups: Sequence[Sequence[Result]], title: str, path: pathlib.Path) -> None:
    """Writes a picture of the times in the format given by the suffix of `path`."""
    panels = _panels(groups)
    width, height = _PANEL
    figure = Figure(figsize=(width, height * len(panels) + 0.5), layout="constrained")
    axes = figure.subplots(len(panels), 2, squeeze=False)
    figure.suptitle(title, fontsize=8)
    for (left, right), panel in zip(axes, panels, strict=True):
        _draw_speed(left, panel)
        _draw_ratios(right, panel[-1])
        case, setup = panel[-1][0].case, panel[-1][0].setup
        left.set_title(f"{case.dtype}, {case.noise}, {case.workload}; {setup.title}", fontsize=9)
    figure.savefig(path, dpi=150)
