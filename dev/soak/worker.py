"""The process that is to survive it all: `run_ptop --all` of the example."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.memory import peak_bytes
from dev.servers.process import LAUNCHER
from dev.soak import EXAMPLE
from dev.soak.exceptions import EndedWrongly
from pillowtop.exits import Exit

STOP_SECONDS = 30
ORDERLY = {
    Exit.DONE,
    # Whatever it had to drain into may be down.
    Exit.UNDRAINED,
    # It was still importing.
    -signal.SIGTERM,
}


class Worker:
    """What the soak's servers are too: something to be started, killed, paused and stopped.

    `options` are of `run_ptop`; `data_bytes` limits its memory (RLIMIT_DATA).
    """

    title = "the worker"

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        options: Sequence[str] = (),
        data_bytes: int | None = None,
    ) -> None:
        self.environment = dict(environment)
        self.log = log
        self.options = options
        self.data_bytes = data_bytes
        self.exit_codes: Counter[int] = Counter()
        self.peak_bytes = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self) -> None:
        """Start it; as the servers it ends with the thread that has started it."""
        command = [sys.executable, str(EXAMPLE / "manage.py"), "run_ptop", "--all", *self.options]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-IS", str(LAUNCHER), str(os.getpid()), *command],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self.data_bytes is not None:
            # Here rather than by a `preexec_fn`: what is executed next keeps it.
            limits = (self.data_bytes, self.data_bytes)
            resource.prlimit(self._process.pid, resource.RLIMIT_DATA, limits)

    def stop(self) -> None:
        """As an operator would. Raises `EndedWrongly`."""
        code = self.end(signal.SIGTERM)
        if code not in (*ORDERLY, None):
            raise EndedWrongly(f"the worker was to stop, and ended with exit code {code}")

    def strike(self) -> bool:
        """Kill it, and leave it to `kill` to see that it is dead. False where none runs."""
        if self.pid is None:
            return False
        self._send(signal.SIGKILL)
        return True

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def measure(self) -> None:
        """Note the most memory that the process has had until now."""
        if self.pid is not None:
            self.peak_bytes = max(self.peak_bytes, peak_bytes(self.pid) or 0)

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def end(self, how: signal.Signals) -> int | None:
        """The exit code; None where none ran. One that does not end in time is killed."""
        if self._process is None:
            return None
        self.measure()
        self._send(how)
        self._send(signal.SIGCONT)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._send(signal.SIGKILL)
            self._process.wait()
            raise EndedWrongly(
                f"the worker was to stop, and still ran after {STOP_SECONDS} s"
            ) from None
        finally:
            self._process = None
        self.exit_codes[code] += 1
        return code

    def _send(self, number: signal.Signals) -> None:
        # Not reaped yet, so that the number cannot be somebody else's.
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
