"""Which process this is, and whether another one of this machine still lives."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from pillowtop.engine.leases import Holder

BOOT = Path("/proc/sys/kernel/random/boot_id")
PIDS = Path("/proc/self/ns/pid")
DEAD = b"ZX"


def this_process() -> Holder:
    pid = os.getpid()
    _, born = _state(pid)
    return Holder(secrets.token_hex(8), socket.gethostname(), _machine(), pid, born)


def has_died(holder: Holder, machine: str) -> bool:
    """Whether a process of this machine is gone; False for one of another, or an unknown."""
    if not machine or holder.machine != machine:
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's, which /proc may hide from us
        return False
    state, born = _state(holder.pid)
    # Its number may be another process's by now.
    return state in DEAD or born != holder.born


def _machine() -> str:
    """This boot of this machine, and its space of process ids: a container has its own."""
    try:
        return f"{BOOT.read_text().strip()} {PIDS.readlink()}"
    except OSError:  # not Linux
        return ""


def _state(pid: int) -> tuple[bytes, int]:
    """The letter of a process's state, and when it began; of one that is gone, dead and 0."""
    try:
        # Behind the name, which may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return b"X", 0
    return fields[0], int(fields[19])
