"""Runs the example's `manage.py`, as a user would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from dev.demo import EXAMPLE
from dev.demo.interruption import demand_uninterrupted
from dev.servers.process import LAUNCHER

POLL_SECONDS = 0.1
STOP_SECONDS = 10
LOG_LINES = 20


class CommandFailed(Exception):
    """A command of the example ended with an error; the message ends with what it said."""


class Command:
    """A command that runs, and is stopped behind a `with`; what it says is in `log`."""

    def __init__(self, words: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.log = log
        self._words = words
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def has_ended(self) -> bool:
        """Whether it has ended well. Raises `CommandFailed` where it has not, and KeyboardInterrupt
        where this process was told to end."""
        demand_uninterrupted()
        code = self._process.poll()
        if code:
            said = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise CommandFailed(
                f"manage.py {self._words} ended with exit code {code}:\n" + "\n".join(said)
            )
        return code == 0

    def stop(self) -> None:
        """As an operator would; one that does not end in time is killed."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Manage:
    """The example's commands; what they say is kept in `folder`, next to the SQLite database.

    `environment` is what they have besides that of this process.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] = {}) -> None:
        self._folder = folder
        self.database = folder / "demo.sqlite3"
        self._environment = dict(environment)
        folder.mkdir(parents=True, exist_ok=True)
        self.database.unlink(missing_ok=True)

    def __call__(self, *arguments: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Run a command, calling `meanwhile` again and again until it has ended.

        Raises `CommandFailed`. An interruption stops the command first.
        """
        with self.begin(*arguments) as command:
            while not command.has_ended():
                meanwhile()
                time.sleep(POLL_SECONDS)

    def log(self, name: str) -> Path:
        """What a command has said last."""
        return self._folder / f"{name}.log"

    def begin(self, *arguments: str, log: str = "", environment: Mapping[str, str] = {}) -> Command:
        """Start a command. Its log is called after it, unless `log` is given.

        As the servers it ends with the thread that has started it.
        """
        path = self.log(log or arguments[0])
        command = [sys.executable, str(EXAMPLE / "manage.py"), *arguments]
        with path.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-IS", str(LAUNCHER), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output.fileno(),
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "EXAMPLE_SQLITE": str(self.database),
                    **self._environment,
                    **environment,
                },
                start_new_session=True,
            )
        return Command(" ".join(arguments), process, path)
