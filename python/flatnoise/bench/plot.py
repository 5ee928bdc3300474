"""The figures as a picture: speed over size under the memory's roofline, and ratios."""

import itertools
import pathlib
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from flatnoise.bench import peers, tables
from flatnoise.bench.measuring import Row

_PANEL = (12.0, 3.8)  # inches
_COLOURS = dict(
    zip(peers.NAMES, (f"C{number}" for number in (3, 0, 1, 4, 2, 5, 6, 7)), strict=True)
)


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that differ in their size alone, smallest first."""

    def kind(row: Row) -> tuple[str, ...]:
        case, setup = row.case, row.setup
        ours = case.work, case.dtype, case.distribution
        return *ours, setup.device, f"{setup.threads:6}", setup.instruction_set

    ordered = sorted(rows, key=lambda row: (kind(row), row.case.input_elements))
    return [list(group) for _, group in itertools.groupby(ordered, kind)]


def _present(rows: Sequence[Row]) -> list[str]:
    """The peers that make noise in any of the rows."""
    return [name for name in peers.NAMES if any(row.fastest(name) for row in rows)]


def _draw_speed(axes: Any, rows: Sequence[Row]) -> None:
    """Gigabytes read and written a second, by the fastest way of each peer."""
    for name in _present(rows):
        points = [(row, best) for row in rows if (best := row.fastest(name))]
        sizes = [row.case.input_elements for row, _ in points]
        speeds = [row.bytes_per_second(best) / 1e9 for row, best in points]
        axes.plot(sizes, speeds, marker="o", label=name, color=_COLOURS[name])
        low, high = zip(
            *(
                [row.bytes_per_second(best) / 1e9 * best.median / each for each in best.quartiles]
                for row, best in points
            ),
            strict=True,
        )
        axes.fill_between(sizes, low, high, color=_COLOURS[name], alpha=0.2)
    copies = [(row, copy) for row in rows if (copy := row.fastest(copies=True))]
    if copies:
        sizes = [row.case.input_elements for row, _ in copies]
        speeds = [row.bytes_per_second(copy) / 1e9 for row, copy in copies]
        axes.plot(sizes, speeds, "k--", marker=".", label="memory: a copy")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set(xlabel="elements", ylabel="read and written, GB/s")
    axes.grid(alpha=0.3)
    if axes.has_data():
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_ratios(axes: Any, row: Row) -> None:
    """How many times as long as flatnoise the others take, at the largest size."""
    ours = row.fastest(peers.OURS)
    others = [best for name in _present([row]) if (best := row.fastest(name)) and best is not ours]
    if ours is None or not others:
        axes.set_axis_off()
        return
    ratios = [other.median / ours.median for other in others]
    colours = [_COLOURS[other.peer] for other in others]
    bars = axes.barh([other.name for other in others], ratios, color=colours)
    axes.bar_label(bars, [f"{ratio:.1f}×" for ratio in ratios], padding=3, fontsize=8)
    axes.axvline(1, color=_COLOURS[peers.OURS])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    shape = "×".join(str(size) for size in row.case.shape)
    axes.set(xlabel=f"time, by that of flatnoise ({ours.way}), at {shape}")


def draw(rows: Sequence[Row], title: str, path: pathlib.Path) -> None:
    """Writes a picture; the suffix of `path` says in which format."""
    groups = _groups(rows)
    size = _PANEL[0], _PANEL[1] * len(groups) + 0.4
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(groups), 2, squeeze=False)
    figure.suptitle(title, fontsize=8)
    for (left, right), group in zip(panels, groups, strict=True):
        _draw_speed(left, group)
        _draw_ratios(right, group[-1])
        case = group[-1].case
        where = tables.heading(group[-1]).partition("; ")[2]
        left.set_title(f"{case.dtype}, {case.distribution}, {case.work}; {where}", fontsize=9)
    figure.savefig(path, dpi=150)
