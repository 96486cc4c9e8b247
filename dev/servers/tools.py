"""Finds the programs that the servers are made with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dev.servers.exceptions import MissingTool

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE_VERSION = 20
JVM_FOLDER = Path("/usr/lib/jvm")

NODE_ADVICE = (
    f"node {NODE_VERSION} or newer, with npm, is needed for the development CouchDB: "
    "install Node.js (https://nodejs.org), or set COUCHDB_URL to a server of yours"
)
SEARCH_ADVICE = (
    "{tool} is needed for the development search server: "
    "install {package}, or set ELASTICSEARCH_URL to a server of yours"
)
POSTGRES_ADVICE = (
    "{tool} is needed for the development PostgreSQL: "
    "install {package}, or set POSTGRESQL_URL to a server of yours"
)


@dataclass(frozen=True, order=True)
class Jdk:
    """A Java development kit; kits are ordered by version."""

    version: int
    home: Path

    @property
    def java(self) -> Path:
        return self.home / "bin" / "java"

    @property
    def javac(self) -> Path:
        return self.home / "bin" / "javac"


def find_node() -> Path:
    """Return node if it is new enough."""
    node = shutil.which("node")
    if node is None or _node_version(node) < NODE_VERSION:
        raise MissingTool(NODE_ADVICE)
    return Path(node)


def _node_version(node: str) -> int:
    reply = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", reply.stdout)
    return int(found[1]) if found else 0


def find_npm() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingTool(NODE_ADVICE)
    return Path(npm)


def find_maven(advice: str = SEARCH_ADVICE) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingTool(advice.format(tool="mvn", package="Maven (apt install maven)"))
    return Path(maven)


def find_jdk(oldest: int, newest: int | None = None) -> Jdk:
    """Return the oldest kit within these versions: what needs a version is tried with it."""
    kits = [Jdk(version, home) for home in _jdk_homes() if (version := _jdk_version(home))]
    fitting = [kit for kit in kits if oldest <= kit.version <= (newest or kit.version)]
    if fitting:
        return min(fitting)
    wanted = f"a JDK {oldest} to {newest}" if newest else f"a JDK {oldest} or newer"
    package = f"one with javac (apt install openjdk-{oldest}-jdk-headless) or set JAVA_HOME"
    raise MissingTool(SEARCH_ADVICE.format(tool=wanted, package=package))


def _jdk_homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if javac := shutil.which("javac"):
        yield Path(javac).resolve().parent.parent
    if JVM_FOLDER.is_dir():
        yield from JVM_FOLDER.iterdir()


def _jdk_version(home: Path) -> int | None:
    """Read it from the file that every kit carries: asking javac takes a JVM's start each."""
    release = home / "release"
    if not (home / "bin" / "javac").exists() or not release.exists():
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return int(found[1]) if found else None
