"""Keeps what is made once: installed packages, jars, compiled classes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev.servers.exceptions import PreparationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ATTEMPTS = 2
SHOWN_CHARACTERS = 2000


def cache_folder() -> Path:
    configured = os.environ.get("PILLOWTOP_DEV_CACHE")
    return Path(configured or "~/.cache/pillowtop-dev").expanduser().resolve()


def prepared(
    name: str,
    inputs: Sequence[bytes],
    announcement: str,
    build: Callable[[Path], None],
) -> Path:
    """Return the folder that `build` filled, now or earlier, from the same inputs."""
    target = cache_folder() / f"{name}-{_digest(inputs)}"
    if target.is_dir():
        return target
    with _lock(cache_folder() / f"{name}.lock"):
        # Looked up again: whoever had the lock before may have built it.
        if not target.is_dir():
            print(announcement, file=sys.stderr, flush=True)
            _build(target, name, build)
    return target


def _digest(inputs: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for value in inputs:
        digest.update(hashlib.sha256(value).digest())
    return digest.hexdigest()[:16]


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(target: Path, name: str, build: Callable[[Path], None]) -> None:
    """Build aside and rename: an interrupted build never looks like a finished one."""
    prefix = f".making-{name}-"
    for abandoned in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(abandoned)
    making = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        _build_patiently(making, name, build)
        making.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _build_patiently(folder: Path, name: str, build: Callable[[Path], None]) -> None:
    """Try again once: registries are far away, and networks fail."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            build(folder)
        except subprocess.CalledProcessError as error:
            if attempt == ATTEMPTS:
                raise PreparationFailed(_explanation(name, error)) from error
            _empty(folder)
        else:
            return


def _explanation(name: str, error: subprocess.CalledProcessError) -> str:
    program = Path(error.cmd[0]).name
    return f"{name}: {program} failed ({error.returncode}):\n{error.output[-SHOWN_CHARACTERS:]}"


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def run_tool(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run one step of a build; its output matters only when it fails."""
    subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
