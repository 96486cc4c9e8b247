"""launcher.py PARENT COMMAND...: becomes the command, which then dies with the parent.

A program of its own rather than a `preexec_fn`, which is unsafe where the parent has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before it could be followed.
    if os.getppid() == parent:
        os.execvp(command[0], command)  # noqa: S606 - there is no shell to want here


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
