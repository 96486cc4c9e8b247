"""Compares what a build has filled with the database, in a process of its own.

It takes long, and computes: in the process of the worker leases would run out beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import msgspec

from pillowtop.exceptions import PillowtopError
from pillowtop.exits import Exit
from pillowtop.worker.boot import SYS_PATH

RUN = (
    "import json, os, sys; sys.path[:] = json.loads(os.environ.pop('" + SYS_PATH + "')); "
    "from django.core.management import execute_from_command_line as run; run(sys.argv)"
)
SHOWN = 5
PATIENCE_SECONDS = 3
"""For documents that change from one look to the next: the feed will bring them."""


class ComparisonFailed(PillowtopError):
    """`ptop_verify` could not compare; it has said why."""


class Difference(msgspec.Struct):
    kind: str
    doc_id: str


class Comparison(msgspec.Struct):
    """What `ptop_verify --format json` prints, as far as it matters here."""

    compared: int
    missing: int
    stale: int
    orphaned: int
    differences: list[Difference]

    def __str__(self) -> str:
        shown = ", ".join(f"{one.kind} {one.doc_id!r}" for one in self.differences[:SHOWN])
        more = ", …" if len(self.differences) > SHOWN else ""
        return f"{len(self.differences)} documents ({shown}{more})"


def compare(pillow: str) -> Comparison:
    """Compare all documents with the index that is built for a pillow; what is wrong is on stderr.

    Raises `ComparisonFailed`.
    """
    arguments = ["ptop_verify", pillow, "--build", f"--wait={PATIENCE_SECONDS}", "--format=json"]
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *flags, "-c", RUN, *arguments],
        env=os.environ | {SYS_PATH: json.dumps(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        said, _ = process.communicate()
    finally:
        process.kill()
    if process.returncode not in (Exit.DONE, Exit.DIFFERS, Exit.UNHEALTHY):
        raise ComparisonFailed(f"ptop_verify ended with exit code {process.returncode}")
    return msgspec.json.decode(said, type=Comparison)
