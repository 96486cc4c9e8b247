"""Starts a management command again, in the same process, with gevent patched in from the start.

Patching has to come before anything imports sockets or threads, and only what runs pillows may
be patched: never a web process, never a test that calls a command. So `run_ptop` replaces its
process by this file, which patches and then runs the same command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NoReturn

SYS_PATH = "PILLOWTOP_SYS_PATH"


def is_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("socket")


def restart_patched(argv: list[str]) -> NoReturn:
    """Replace this process by one that runs the command line `argv` patched.

    Interpreter flags (`-X dev`, `-W error`, …), the environment, the process id and all of
    `sys.path` stay as they are.
    """
    os.environ[SYS_PATH] = json.dumps(sys.path)
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *flags, __file__, *argv])  # noqa: S606


def main() -> None:
    sys.path[:] = json.loads(os.environ.pop(SYS_PATH))

    from gevent import monkey  # noqa: PLC0415  (found on the path just set)

    monkey.patch_all()

    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv[1:])


if __name__ == "__main__":
    main()
