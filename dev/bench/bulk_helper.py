"""The Elasticsearch client's own bulk helper, as its documentation shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.material import BULK_BYTES, BULK_DOCUMENTS
from pillowtop.endpoints import Endpoint


def index_all(job: Job, actions: Iterator[dict[str, Any]]) -> Figures:
    """Index what a follower of the feed makes, in bulks as large as pillowtop's."""
    endpoint = Endpoint.parse(job.elasticsearch_url)
    client = Elasticsearch(endpoint.url, headers=endpoint.authorization())
    with Stopwatch() as watch:
        results = streaming_bulk(
            client, actions, chunk_size=BULK_DOCUMENTS, max_chunk_bytes=BULK_BYTES
        )
        count = sum(1 for ok, _ in results if ok)
    if count != job.documents:
        raise WorkNotDone(f"{count} documents were indexed of {job.documents}")
    return watch.figures(count)
