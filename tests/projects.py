"""Small Django projects in a folder, run as a user would run them: as processes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent

UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
"""The environment of processes that are killed, which save no coverage but pay for it, and of those
that are interrupted: a KeyboardInterrupt that meets the tracer of coverage is lost."""

OF_DJANGO = frozenset({"migrate", "shell"})
"""Commands that are not ours to measure."""

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project_settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""

PATCHED = """
import sys
# Those that run pillows patch by starting themselves anew: the same in twice the time.
if {"run_ptop", "ptop_stats_backfill", "run"} & set(sys.argv):
    from importlib import metadata
    # gevent looks 25 times through all that is installed, for who wants to hear of its patches.
    metadata.entry_points = metadata.entry_points().select
    from gevent import monkey
    monkey.patch_all()
"""

SETTINGS = """
import json, pathlib
HERE = pathlib.Path(__file__).parent
SECRET_KEY = "tests"
USE_TZ = True
INSTALLED_APPS = ["pillowtop", *(path.parent.name for path in HERE.glob("*/models.py"))]
SQLITE = {{"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"}}
DATABASES = {{"default": json.loads({database!r}) or SQLITE}}
PILLOWTOP = json.loads({pillowtop!r})
PILLOWTOPS = json.loads({pillowtops!r})
{more}
"""

MIGRATED: dict[tuple[str, str], bytes] = {}
"""SQLite files with all tables and no rows, by the source of models and of settings."""


def wait_until(
    condition: Callable[[], Any], seconds: float = 60.0, what: Callable[[], str] = str
) -> Any:
    """Return what `condition` returns once it is true; fail after the deadline, with words."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(0.02)


class Worker:
    """A process, of `run_ptop` mostly, and what it has logged so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, words: str, seconds: float = 60.0, times: int = 1) -> None:
        def said() -> bool:
            assert self.process.poll() is None or words in self.log, self.log
            return self.log.count(words) >= times

        wait_until(said, seconds, lambda: f"{words!r} in the log:\n{self.log}")

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = 60.0) -> int:
        """Return the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.log}") from None


class Project:
    """A project with the given `PILLOWTOP`, `PILLOWTOPS` and source of `pillows.py`.

    `models` is the source of the models of an app `shop`; `database` replaces SQLite; `more` is
    the source of more settings.
    """

    def __init__(
        self,
        folder: Path,
        pillowtop: Mapping[str, Any],
        pillowtops: Any,
        pillows: str,
        models: str = "",
        database: Mapping[str, Any] = {},
        more: str = "",
    ) -> None:
        self.folder = folder
        self._more = textwrap.dedent(more)
        self._models = models
        self._database = dict(database)
        self._workers: list[Worker] = []
        folder.mkdir(exist_ok=True)
        (folder / "manage.py").write_text(PATCHED + MANAGE)
        (folder / "pillows.py").write_text(textwrap.dedent(pillows))
        if models:
            (folder / "shop").mkdir(exist_ok=True)
            (folder / "shop" / "__init__.py").touch()
            (folder / "shop" / "models.py").write_text(textwrap.dedent(models))
        self.configure(pillowtop, pillowtops)

    def configure(self, pillowtop: Mapping[str, Any], pillowtops: Any) -> None:
        text = SETTINGS.format(
            pillowtop=json.dumps(dict(pillowtop)),
            pillowtops=json.dumps(pillowtops),
            database=json.dumps(self._database),
            more=self._more,
        )
        (self.folder / "project_settings.py").write_text(text)

    def manage(
        self, *args: str, seconds: float = 60.0, env: Mapping[str, str] = {}, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        try:
            return subprocess.run(
                self.command(*args),
                cwd=self.folder,
                env=self.env({**UNMEASURED, **env} if args[0] in OF_DJANGO else env),
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
                input=text,
            )
        except subprocess.TimeoutExpired as error:
            said = (error.stderr or b"").decode(errors="replace")
            raise AssertionError(f"{args} still runs after {seconds} s:\n{said}") from None

    def migrate(self) -> Project:
        """Make the tables. A process is started for it once for all projects with the same ones."""
        books = self.folder / "db.sqlite3"
        tables = self._models, self._more
        if not self._database and tables in MIGRATED:
            books.write_bytes(MIGRATED[tables])
            return self
        result = self.manage("migrate", "--run-syncdb", "--verbosity=0")
        assert result.returncode == 0, result.stderr
        if not self._database:
            MIGRATED[tables] = books.read_bytes()
        return self

    def start(self, *args: str, env: Mapping[str, str] = {}) -> Worker:
        """Start `run_ptop` with these arguments."""
        return self.begin("run_ptop", *args, env=env)

    def begin(self, *args: str, env: Mapping[str, str] = {}) -> Worker:
        """Start a command, and do not wait for its end."""
        log = self.folder / f"worker-{len(self._workers)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                self.command(*args),
                cwd=self.folder,
                env=self.env(env),
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        worker = Worker(process, log)
        self._workers.append(worker)
        return worker

    def pause(self, worker: Worker) -> None:
        """Stop a process at a moment when it has nothing locked in the Django database.

        Whoever is to take over would wait for it otherwise, for as long as it is stopped.
        """
        if self._database:
            wait_until(lambda: self._paused_between_transactions(worker))
            return
        books = sqlite3.connect(self.folder / "db.sqlite3", timeout=30, isolation_level=None)
        with closing(books):
            books.execute("BEGIN EXCLUSIVE")
            worker.process.send_signal(signal.SIGSTOP)
            # Until then one of its threads may still get the lock that is given up here.
            wait_until(lambda: _has_stopped(worker.process.pid))
            books.execute("ROLLBACK")

    def _paused_between_transactions(self, worker: Worker) -> bool:
        named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
        where = {key: self._database[name] for key, name in named.items()}
        worker.process.send_signal(signal.SIGSTOP)
        with psycopg.connect(dbname=self._database["NAME"], **where) as connection:
            others = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            ).fetchall()
        if others:
            worker.process.send_signal(signal.SIGCONT)
        return not others

    def catch_up(self, *args: str, code: int = 0) -> str:
        """Run all pillows until they are caught up; return what was logged."""
        result = self.manage("run_ptop", *(args or ("--all",)), "--until-caught-up")
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        return result.stderr

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "manage.py", *args]

    def env(self, more: Mapping[str, str]) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        return {
            **os.environ,
            "PYTHONPATH": path,
            "DJANGO_SETTINGS_MODULE": "project_settings",
            **more,
        }

    @property
    def logs(self) -> str:
        """What all workers of the project have logged."""
        return "\n".join(worker.log for worker in self._workers)

    def close(self) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


def _has_stopped(pid: int) -> bool:
    """Whether none of a process's threads runs."""
    states = [path.read_text().rpartition(")")[2].split()[0]
              for path in Path(f"/proc/{pid}/task").glob("*/stat")]  # fmt: skip
    return set(states) == {"T"}
