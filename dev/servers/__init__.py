"""Development servers: one that behaves like CouchDB, and real ones of the others.

with CouchServer() as couch, SearchServer() as search:
    print(couch.url, search.url)
"""

from __future__ import annotations

from dev.servers.couch_server import CouchServer, prepare_couch
from dev.servers.exceptions import MissingTool, PreparationFailed, ServerError, StartFailed
from dev.servers.postgres_server import PostgresServer, prepare_postgres
from dev.servers.search_server import SearchServer, prepare_search

__all__ = [
    "CouchServer",
    "MissingTool",
    "PostgresServer",
    "PreparationFailed",
    "SearchServer",
    "ServerError",
    "StartFailed",
    "prepare_couch",
    "prepare_postgres",
    "prepare_search",
]
