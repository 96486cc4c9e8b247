"""The files that a search node reads at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def node_settings(folder: Path, port: int, extra: Mapping[str, str]) -> str:
    """Return the configuration of a single node on the loopback address."""
    settings = {
        "cluster.name": "pillowtop-dev",
        "node.name": "n1",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": str(port),
        "transport.port": "0",
        "discovery.type": "single-node",
        # A full disk of a developer is no reason to refuse writes.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        **extra,
    }
    return "".join(f"{name}: {value}\n" for name, value in settings.items())


def module_descriptor(version: str, jdk: int) -> str:
    """Describe the module of Elasticsearch's HTTP server."""
    lines = {
        "name": "transport-netty4",
        "description": "HTTP and transport",
        "version": version,
        "elasticsearch.version": version,
        "java.version": str(jdk),
        "classname": "org.elasticsearch.transport.netty4.Netty4Plugin",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())
