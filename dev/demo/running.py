"""Runs the example's `manage.py`, as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dev.demo import EXAMPLE

POLL_SECONDS = 0.1
STOP_SECONDS = 10
LOG_LINES = 20


class CommandFailed(Exception):
    """A command of the example ended with an error; the message ends with what it said."""


class Manage:
    """The example's commands; what they say is kept in `folder`, next to the SQLite database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.database = folder / "demo.sqlite3"
        folder.mkdir(parents=True, exist_ok=True)
        self.database.unlink(missing_ok=True)

    def __call__(self, *arguments: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Run a command, calling `meanwhile` again and again until it has ended.

        Raises `CommandFailed`. An interruption stops the command first.
        """
        log = self._folder / f"{arguments[0]}.log"
        with log.open("wb") as output:
            process = self._start(arguments, output.fileno())
            try:
                _wait(process, meanwhile)
            finally:
                _stop(process)
        if process.returncode:
            raise CommandFailed(
                f"manage.py {' '.join(arguments)} ended with exit code {process.returncode}:\n"
                + "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            )

    def _start(self, arguments: tuple[str, ...], output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(EXAMPLE / "manage.py"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "EXAMPLE_SQLITE": str(self.database),
            },
            start_new_session=True,
        )


def _wait(process: subprocess.Popen[bytes], meanwhile: Callable[[], None]) -> None:
    while process.poll() is None:
        meanwhile()
        time.sleep(POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
