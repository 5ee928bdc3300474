"""The figures as tables, for terminals, plain text or Markdown."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from flatnoise.bench import peers
from flatnoise.bench.measuring import NotRun, Result, Row
from flatnoise.bench.memory import Grown

PLAIN, MARKDOWN, TERMINAL = None, box.MARKDOWN, box.SIMPLE_HEAD


def _table(style: box.Box | None, title: str, *columns: str, names: int = 1) -> Table:
    """An empty table whose first `names` columns are words, the others numbers."""
    table = Table(
        box=style, title=title, title_justify="left", title_style="bold", pad_edge=style is not None
    )
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < names else "right", overflow="fold")
    return table


def _rate(row: Row, result: Result) -> str:
    rate = row.elements_per_second(result) / 1e6
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.3f}"


def _times(row: Row, slower: Result | None, faster: Result | None) -> str:
    if slower is None or faster is None:
        return ""
    return f"{row.elements_per_second(faster) / row.elements_per_second(slower):.2f}×"


def _share(row: Row, result: Result | None, of: Result | None) -> str:
    if result is None or of is None:
        return ""
    return f"{row.elements_per_second(result) / row.elements_per_second(of):.2f}"


def heading(row: Row) -> str:
    """What a row is of."""
    of_set = f", {row.setup.instruction_set}" if row.setup.instruction_set else ""
    return f"{row.case.title}; {row.setup.title}{of_set}"


def of_row(row: Row, style: box.Box | None) -> Table:
    """All contenders of a case, the fastest first, the copies at the end."""
    columns = ("M/s", "ms", "quartiles", "samples", "first call, s", "× flatnoise", "of copy")
    table = _table(style, heading(row), "contender", *columns)
    ours, copy = row.fastest(peers.OURS), row.fastest(copies=True)
    measured = [result for result in row.results if result.samples]
    for result in sorted(measured, key=lambda result: (result.is_copy, result.median)):
        low, high = result.quartiles
        table.add_row(
            Text(result.name, style="green" if result.peer == peers.OURS else ""),
            _rate(row, result),
            _milliseconds(result.median),
            f"{_milliseconds(low)} - {_milliseconds(high)}",
            f"{len(result.samples)}×{result.calls}",
            f"{result.first_call:.2f}",
            "" if result.is_copy else _times(row, result, ours),
            _share(row, result, copy),
        )
    return table


def of_not_run(not_run: Sequence[NotRun]) -> list[str]:
    """Who was not measured, and why, a line each."""
    return [f"not run: {f'{each.peer} {each.way}'.rstrip()}: {each.reason}" for each in not_run]


def _best(row: Row, result: Result | None) -> str:
    return "" if result is None else f"{_rate(row, result)} ({result.name.partition(' ')[2]})"


def _named_copy(row: Row, way: str) -> Result | None:
    return next((result for result in row.results if result.way == way and result.samples), None)


def _best_other(row: Row) -> Result | None:
    others = {result.peer for result in row.results} - {peers.OURS, peers.STOCK}
    found = [result for peer in others if (result := row.fastest(peer)) is not None]
    return min(found, key=lambda result: result.median, default=None)


def of_all(rows: Sequence[Row], style: box.Box | None) -> Table:
    """A line for each case: everybody's fastest way."""
    table = _table(
        style,
        "Millions of elements a second (M/s), medians, each peer in its fastest way",
        *("case", "on", "set", "flatnoise, M/s", "stock TensorFlow, M/s", "faster"),
        *("best other, M/s", "faster", "of x + 0", "of copy"),
        names=3,
    )
    for row in rows:
        ours, stock, other = row.fastest(peers.OURS), row.fastest(peers.STOCK), _best_other(row)
        table.add_row(
            *(row.case.title, row.setup.title, row.setup.instruction_set),
            *(_best(row, ours), _best(row, stock), _times(row, stock, ours)),
            "" if other is None else f"{_rate(row, other)} ({other.name})",
            _times(row, other, ours),
            _share(row, ours, _named_copy(row, "x + 0")),
            _share(row, ours, row.fastest(copies=True)),
        )
    return table


def of_memory(found: Sequence[Grown], style: box.Box | None) -> Table:
    """Peaks of memory."""
    title = "Peak memory of the process in one call, over what it held before"
    columns = ("input, MB", "more, MB", "share of the input")
    table = _table(style, title, "case", "by", *columns, names=2)
    for each in found:
        share = each.grown_bytes / each.input_bytes
        megabytes = (f"{size / 1e6:,.0f}" for size in (each.input_bytes, each.grown_bytes))
        table.add_row(each.case.title, f"{each.peer} ({each.way})", *megabytes, f"{share:.2f}")
    return table
