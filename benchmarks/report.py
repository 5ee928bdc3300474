"""Tables of results, in Markdown that is also readable as plain text."""

from collections.abc import Sequence

from tabulate import tabulate

from peers import COPY, NAMES, OURS, STOCK
from results import Result, fastest, fastest_copy

_OTHERS = [name for name in NAMES if name not in (OURS, STOCK, COPY)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """A table with the first `words` columns aligned left, and the numbers aligned right."""
    align = ["left" if index < words else "right" for index in range(len(columns))]
    return str(tabulate(rows, columns, tablefmt="pipe", colalign=align, disable_numparse=True))


def _millions(result: Result | None) -> str:
    if result is None:
        return ""
    rate = result.elements_per_second() / 1e6
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _named(result: Result | None, name: str) -> str:
    return "" if result is None else f"{_millions(result)} ({name})"


def _ratio(of: Result | None, to: Result | None, unit: str = "") -> str:
    """The speed of `of` relative to `to`."""
    if of is None or to is None:
        return ""
    return f"{of.elements_per_second() / to.elements_per_second():.2f}{unit}"


def heading(result: Result) -> str:
    return f"{result.case.title}; {result.setup.title}"


def case_table(results: Sequence[Result]) -> str:
    """A table of all variants of one case, fastest first, with copies at the end."""
    ours, copy = fastest(results, OURS), fastest_copy(results)
    rows = []
    for result in sorted(results, key=lambda result: (result.is_copy, result.median)):
        low, high = result.quartiles
        rows.append(
            [
                result.name,
                _millions(result),
                f"{1e3 * result.median:,.3f}",
                f"{1e3 * low:,.3f} - {1e3 * high:,.3f}",
                f"{len(result.values)}×{result.calls}",
                "" if result.is_copy else _ratio(ours, result, "×"),
                _ratio(result, copy),
            ]
        )
    columns = ["variant", "M/s", "ms", "quartiles", "samples", "flatnoise is", "of copy"]
    return f"{heading(results[0])}\n\n{_table(columns, rows, 1)}"


def summary(groups: Sequence[Sequence[Result]]) -> str:
    """A table of cases with the fastest variants of flatnoise, TensorFlow and all others."""
    rows = []
    for results in groups:
        ours, stock = fastest(results, OURS), fastest(results, STOCK)
        other = fastest(results, *_OTHERS)
        rows.append(
            [
                heading(results[0]),
                _named(ours, ours.variant if ours else ""),
                _named(stock, stock.variant if stock else ""),
                _ratio(ours, stock, "×"),
                _named(other, other.name if other else ""),
                _ratio(ours, other, "×"),
                _ratio(ours, fastest_copy(results, "x + 0")),
                _ratio(ours, fastest_copy(results)),
            ]
        )
    columns = ["case", "flatnoise", "best stock", "faster", "best other", "faster"]
    columns += ["of x + 0", "of copy"]
    title = "Millions of elements a second (M/s), medians, each side by its fastest variant"
    return f"{title}\n\n{_table(columns, rows, 1)}"


def memory_table(results: Sequence[Result]) -> str:
    rows = [
        [
            result.case.title,
            result.name,
            f"{result.case.input_bytes / 1e6:,.0f}",
            f"{result.median / 1e6:,.0f}",
            f"{result.median / result.case.input_bytes:.2f}",
        ]
        for result in results
    ]
    columns = ["case", "variant", "input, MB", "more, MB", "share of the input"]
    title = "Peak memory of the process in one call, over what it held before"
    return f"{title}\n\n{_table(columns, rows, 2)}"
