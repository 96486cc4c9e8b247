"""Bars on standard error, where somebody looks at it."""

from __future__ import annotations

import sys
import time
from typing import Self

import rich.progress
from rich.console import Console
from rich.text import Text

LINE_SECONDS = 10.0


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


class Phases:
    """A bar for one thing after the other, with rate and time left; where nobody looks, a line
    every ten seconds."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._bar = rich.progress.Progress(
            *rich.progress.Progress.get_default_columns()[:2],
            rich.progress.MofNCompleteColumn(),
            Rate(),
            rich.progress.TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not self._tty,
            transient=True,
        )
        self._task: rich.progress.TaskID | None = None
        self._what, self._total, self._began, self._said_at = "", 0, 0.0, 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def expect(self, what: str, total: int) -> None:
        """So many of something are to come."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total)
        self._what, self._total = what, total
        self._began = self._said_at = time.monotonic()

    def reached(self, count: int) -> None:
        """So many of them have."""
        if self._task is None:
            return
        self._bar.update(self._task, completed=count, total=max(self._total, count))
        if not self._tty and time.monotonic() - self._said_at >= LINE_SECONDS:
            self._said_at = time.monotonic()
            rate = count / (self._said_at - self._began)
            left = f", {(self._total - count) / rate:.0f} s left" if rate else ""
            sys.stderr.write(f"{self._what}: {count} of {self._total}, {rate:.0f}/s{left}\n")


class Rate(rich.progress.ProgressColumn):
    """So many a second."""

    def render(self, task: rich.progress.Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")
