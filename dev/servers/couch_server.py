"""A server that behaves like CouchDB 3: `couchlike/`, run by Node.js."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dev.servers.cache import prepared, run_tool
from dev.servers.process import HttpServer
from dev.servers.tools import find_node, find_npm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = Path(__file__).with_name("couchlike")
PACKAGE_FILES = ("package.json", "package-lock.json")


def prepare_couch() -> Path:
    """Return the folder of the installed npm packages."""
    find_node()
    packages = prepared(
        "couch",
        [(SOURCE / name).read_bytes() for name in PACKAGE_FILES],
        "installing the CouchDB-compatible server (npm), about 15 s",
        _install,
    )
    return packages / "node_modules"


def _install(folder: Path) -> None:
    for name in PACKAGE_FILES:
        shutil.copy(SOURCE / name, folder)
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    run_tool([find_npm(), "ci", *options], folder)


class CouchServer(HttpServer):
    """CouchDB for development; without a `data_dir` databases are in memory and end with it.

    `admin` is "user:password", then asked for on every request, and not part of `url`.
    """

    title: ClassVar[str] = "the CouchDB-compatible server"
    start_seconds: ClassVar[float] = 60

    def __init__(
        self,
        data_dir: Path | None = None,
        port: int | None = None,
        admin: str | None = None,
    ) -> None:
        super().__init__(data_dir, port)
        self.admin = admin

    def _prepare(self) -> None:
        prepare_couch()

    def _command(self) -> Sequence[str | Path]:
        place = ":memory:" if self._data_dir is None else self.folder
        return [find_node(), SOURCE / "server.js", str(self.port), place]

    def _environment(self) -> Mapping[str, str]:
        # The server keeps its configuration in the temporary folder when databases are in memory.
        environment = {"NODE_PATH": str(prepare_couch()), "TMPDIR": str(self.folder)}
        return {**environment, "COUCHLIKE_ADMIN": self.admin or ""}

    def _listening(self) -> str:
        return f"couchlike on {self.url}/"

    def _ready_path(self) -> str:
        return "/_up"
