"""What the servers have in common: a child process that never outlives us."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from abc import ABC, abstractmethod
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import urllib3

from dev.servers.exceptions import PortTaken, StartFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("launcher.py")
START_ATTEMPTS = 3
POLL_SECONDS = 0.05
REQUEST_SECONDS = 5
STOP_SECONDS = 20
LOG_LINES = 20
PORT_TAKEN = "address already in use"
PORTS = range(20_000, 32_000)
"""Below those from which Linux and others choose by themselves."""
PORTS_TRIED = 100


class Server(ABC):
    """A server on this machine's loopback address.

    Without a `data_dir` its files are temporary and go with `stop()`; without a `port` it keeps
    the free one found at its first start.
    """

    title: ClassVar[str]
    start_seconds: ClassVar[float]

    def __init__(self, data_dir: Path | None, port: int | None) -> None:
        self._data_dir = data_dir
        self._temporary: Path | None = None
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _prepare(self) -> None:
        """Make what the server is started from, if it is not there yet."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]: ...

    def _environment(self) -> Mapping[str, str]:
        return {}

    @abstractmethod
    def _listening(self) -> str:
        """Return what the log says once the port is ours, and not a stranger's."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether requests are answered, once the port is ours."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        if self._port is None:
            self._port = free_port()
        return self._port

    @property
    def folder(self) -> Path:
        """Where data and log are."""
        if self._data_dir is not None:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            return self._data_dir.resolve()
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="pillowtop-server-"))
        return self._temporary

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def log_tail(self) -> str:
        return "\n".join(self._log_text().splitlines()[-LOG_LINES:])

    @property
    def pid(self) -> int | None:
        """The process, while it runs; it leads a process group of its own."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until requests are answered; raises a ServerError."""
        self._prepare()
        attempts = START_ATTEMPTS if self._port is None else 1
        for attempt in range(1, attempts + 1):
            try:
                self._start_once()
            except PortTaken:
                # Somebody took the port between our look at it and the server's.
                if attempt == attempts:
                    raise
                self._port = None
            else:
                return

    def stop(self) -> None:
        """End it in good order; temporary files are removed."""
        try:
            self._end(signal.SIGTERM)
        finally:
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)
                self._temporary = None

    def kill(self) -> None:
        """End it as a crash would; files stay for the next `start()`."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same port and the same files."""
        self._end(signal.SIGTERM)
        self.start()

    def pause(self) -> None:
        """Let it hang: connections are taken, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _start_once(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-IS", LAUNCHER, str(os.getpid()), *self._command()],
                cwd=self.folder,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _started.add(self)
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self._is_ready():
            if self.pid is None:
                if PORT_TAKEN in self._log_text().lower():
                    raise PortTaken(f"port {self.port} is taken")
                raise StartFailed(f"{self.title} ended at its start:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                problem = f"{self.title} was not ready after {self.start_seconds:.0f} s"
                raise StartFailed(f"{problem}:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        return self._listening() in self._log_text() and self._answers()

    def _log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(how)
        # What is paused would see the signal only when resumed.
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        # Asked once: it may have ended by a second look.
        if (pid := self.pid) is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, number)


class HttpServer(Server):
    @abstractmethod
    def _ready_path(self) -> str:
        """Return a path that is answered with 200 once the server is ready."""

    def _answers(self) -> bool:
        return answers(self.url + self._ready_path())


def free_port() -> int:
    """A port that no client is given as its own: one of those might be taken during a restart."""
    for port in random.sample(PORTS, PORTS_TRIED):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise StartFailed(f"none of {PORTS_TRIED} ports between {PORTS[0]} and {PORTS[-1]} is free")


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        reply = urllib3.request("GET", url, timeout=REQUEST_SECONDS, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return reply.status == HTTPStatus.OK


_started: weakref.WeakSet[Server] = weakref.WeakSet()
# A forked child must not stop its parent's servers when it exits.
os.register_at_fork(after_in_child=_started.clear)


@atexit.register
def _stop_all() -> None:
    for server in list(_started):
        server.stop()
