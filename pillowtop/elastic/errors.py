"""What the errors of the `elasticsearch` client mean to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from pillowtop.awaited import answer_of
from pillowtop.elastic.client import CA_CERTS
from pillowtop.elastic.replies import Cause
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    AccessDenied,
    PillowtopError,
    ServerBusy,
    ServerUnreachable,
    TargetUnusable,
)
from pillowtop.tls import handshake_error, tls_error

if TYPE_CHECKING:
    from elasticsearch import ApiError


@contextmanager
def translated(endpoint: Endpoint, target: str) -> Iterator[None]:
    """Ask Elasticsearch within the block; raises ours in place of the client's errors.

    `target` names what the request is about.
    """
    from elasticsearch import (  # noqa: PLC0415  (heavy, and only needed here)
        ApiError,
        TransportError,
        UnsupportedProductError,
    )

    try:
        with answer_of(f"Elasticsearch at {endpoint.host}:{endpoint.port}"):
            yield
    except UnsupportedProductError as error:
        raise not_elasticsearch(endpoint) from error
    except ApiError as error:
        raise _from_answer(endpoint, target, error) from error
    except TransportError as error:
        if handshake := handshake_error(error):
            raise tls_error(endpoint, CA_CERTS, handshake) from error
        raise ServerUnreachable(endpoint.host, endpoint.port, error.message) from error


def cause_of(error: ApiError) -> Cause:
    """The error as Elasticsearch described it; empty where it is nobody's we know."""
    body = error.body
    described = body.get("error") if isinstance(body, dict) else None
    try:
        return msgspec.convert(described, Cause)
    except msgspec.ValidationError:
        return Cause(reason=str(described or body)[:200])


def _from_answer(endpoint: Endpoint, target: str, error: ApiError) -> PillowtopError:
    status = error.meta.status
    cause = cause_of(error)
    summary = f"status {status}, {cause.type}: {cause.text}"
    blocked = cause.type == "cluster_block_exception"
    if status in (401, 403) and not blocked:
        return AccessDenied(
            f"Elasticsearch at {endpoint} refuses us access to {target!r}: {summary} (correct "
            "ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD or ELASTICSEARCH_API_KEY, or give "
            "the user the privileges create_index, manage and write)"
        )
    if blocked or status in (408, 429) or status >= 500:  # noqa: PLR2004
        return ServerBusy(f"Elasticsearch at {endpoint} answered with {summary}")
    if "x-elastic-product" not in error.meta.headers:
        return not_elasticsearch(endpoint)
    return TargetUnusable(
        f"Elasticsearch refuses what {target!r} needs: {summary} (correct names, mapping and "
        "settings of the pillow)"
    )


def not_elasticsearch(endpoint: Endpoint) -> ServerBusy:
    """Something else answers, perhaps for the time of a maintenance: worth another look."""
    return ServerBusy(
        f"something else than Elasticsearch listens at {endpoint.host}:{endpoint.port}: set "
        "PILLOWTOP['ELASTICSEARCH_URL'] to where Elasticsearch is"
    )
