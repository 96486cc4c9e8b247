"""A bar on standard error, where somebody looks at it."""

from __future__ import annotations

import sys
from typing import Self

import rich.progress
from rich.console import Console


class Progress:
    """Counts documents."""

    def __init__(self, what: str) -> None:
        self.count = 0
        self._bar = rich.progress.Progress(
            *rich.progress.Progress.get_default_columns()[:2],
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def expect(self, total: int | None) -> None:
        """Say how many there will be; None where nobody knows."""
        self._bar.update(self._task, total=total)

    def add(self, count: int) -> None:
        self.count += count
        self._bar.update(self._task, completed=self.count)

    def stop(self) -> None:
        """Take the bar away."""
        self._bar.stop()
