"""The servers of the demo: those that the environment names, its own in place of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console

from dev.servers import CouchServer, SearchServer

OWN: dict[str, type[CouchServer | SearchServer]] = {
    "COUCHDB_URL": CouchServer,
    "ELASTICSEARCH_URL": SearchServer,
}


@contextmanager
def running(console: Console) -> Iterator[None]:
    """Within, COUCHDB_URL and ELASTICSEARCH_URL name servers; those started here are stopped.

    Raises `dev.servers.ServerError`.
    """
    with ExitStack() as stack:
        for variable, kind in OWN.items():
            if url := os.environ.get(variable):
                console.print(f"{variable} is given: {url.rpartition('@')[2]}")
                continue
            with console.status(f"starting {kind.title} …"):
                server = stack.enter_context(kind())
            console.print(f"started {kind.title}: {server.url}")
            os.environ[variable] = server.url
            stack.callback(os.environ.pop, variable)
        yield
