"""What is shown while it is measured: a live table and a progress bar, or plain lines."""

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flatnoise.bench import tables
from flatnoise.bench.measuring import Row

_PLAIN_WIDTH = 200


class Display:
    """A context. Where output goes to no terminal, there is nothing live in it, and no colour."""

    def __init__(self, steps: int) -> None:
        """Is to show so many steps."""
        console = Console(highlight=False)
        self.style: box.Box | None = tables.TERMINAL
        if not console.is_terminal:
            console = Console(width=_PLAIN_WIDTH, highlight=False, color_system=None)
            self.style = tables.PLAIN
        self.console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._progress.add_task("", total=steps)
        self._live = Live(self._progress, console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "Display":
        """Starts what is live."""
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes it away."""
        if self.console.is_terminal:
            self._live.stop()

    def notice(self, row: Row, doing: str) -> None:
        """Shows a case as far as it is."""
        self._progress.update(self._task, description=doing)
        # The bar first: a terminal too low for the table cuts off its end.
        self._live.update(Group(self._progress, tables.of_row(row, self.style)), refresh=True)

    def say(self, doing: str) -> None:
        """Shows what is done."""
        self._progress.update(self._task, description=doing)
        self._live.update(self._progress, refresh=True)

    def advance(self, row: Row | None = None) -> None:
        """Counts a step; a row that it ends stays on the screen."""
        if row is not None:
            self.console.print(tables.of_row(row, self.style))
            for line in tables.of_not_run(row.not_run):
                self.console.print(f"  {line}", markup=False, soft_wrap=True)
            self.console.print()
        self._progress.advance(self._task)
        self._live.update(self._progress, refresh=True)
