"""What people wrote before: couchdbkit's stream into the Elasticsearch client's bulk helper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from couchdbkit import Server
from couchdbkit.changes import ChangesStream

from dev.bench.bulk_helper import index_all
from dev.bench.jobs import Figures, Job
from pillowtop.endpoints import Endpoint


def follow(job: Job) -> Figures:
    """In one request: its API has no pages."""
    stream = ChangesStream(_server(job)[job.database], include_docs=True)
    return index_all(job, _actions(stream, job.alias))


def _actions(stream: ChangesStream, alias: str) -> Iterator[dict[str, Any]]:
    for change in stream:
        if not change:  # an empty line
            continue
        if change.get("deleted"):
            yield {"_op_type": "delete", "_index": alias, "_id": change["id"]}
        else:
            source = change["doc"]
            del source["_id"]
            yield {"_index": alias, "_id": change["id"], "_source": source}


def _server(job: Job) -> Any:
    endpoint = Endpoint.parse(job.couchdb_url)
    parts = urlsplit(endpoint.url)
    if endpoint.username:
        # It takes them as they stand here, and decodes nothing.
        parts = parts._replace(netloc=f"{endpoint.username}:{endpoint.password}@{parts.netloc}")
    return Server(urlunsplit(parts))
