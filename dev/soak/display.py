"""What is shown while a soak runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import gmtime, strftime

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table


class Display:
    """A few lines at the bottom of a terminal; elsewhere only what is printed for good."""

    def __init__(self, console: Console, log: Path) -> None:
        self._console = console
        self._log = log
        self._last = ""

    def say(self, words: str) -> None:
        """Print it for good."""
        self.note(words)
        self._console.print(escape(words))

    def note(self, words: str) -> None:
        """Show it as what happens now, and keep it in the log."""
        self._last = words
        with self._log.open("a") as log:
            # As the example's worker has it in its log.
            log.write(f"{strftime('%H:%M:%S', gmtime())} {words}\n")

    @contextmanager
    def showing(self, figures: Callable[[], Mapping[str, str]]) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return

        def lines() -> Table:
            grid = Table.grid(padding=(0, 2))
            for name, value in {**figures(), "now": self._last}.items():
                grid.add_row(name, escape(value))
            return grid

        with Live(console=self._console, get_renderable=lines, transient=True):
            yield
