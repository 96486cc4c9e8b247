"""What the answers of a search cluster, and its silence, mean to us."""

from __future__ import annotations

from typing import Any

import msgspec

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

DENIED = (401, 403)
BUSY = (408, 429)
SERVER_ERRORS = 500


class Refused(Exception):
    """An answer that is none of success. `signed` says whether it is a search cluster's own."""

    def __init__(self, status: int, body: Any, *, signed: bool) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.signed = signed

    @property
    def cause(self) -> Cause:
        """The error as the server described it; empty where it is nobody's we know."""
        described = self.body.get("error") if isinstance(self.body, dict) else None
        try:
            return msgspec.convert(described, Cause)
        except msgspec.ValidationError:
            return Cause(reason=str(described or self.body)[:200])


def meaning_of(refused: Refused, endpoint: Endpoint, title: str, about: str) -> PillowtopError:
    """`title` is what people call the server; `about` names what the request was about."""
    status, cause = refused.status, refused.cause
    summary = f"status {status}, {cause.type}: {cause.text}"
    blocked = cause.type == "cluster_block_exception"
    if status in DENIED and not blocked:
        return AccessDenied(
            f"{title} at {endpoint} refuses us access to {about!r}: {summary} (correct "
            "ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD or ELASTICSEARCH_API_KEY, or give "
            "the user the privileges create_index, manage and write)"
        )
    if blocked or status in BUSY or status >= SERVER_ERRORS:
        return ServerBusy(f"{title} at {endpoint} answered with {summary}")
    if not refused.signed:
        return not_elasticsearch(endpoint)
    return TargetUnusable(
        f"{title} refuses what {about!r} needs: {summary} (correct names, mapping and "
        "settings of the pillow)",
        status=status,
        cause_type=cause.type,
    )


def connection_error(endpoint: Endpoint, error: Exception, words: object) -> PillowtopError:
    """What it means that a client has got no answer."""
    if handshake := handshake_error(error):
        return tls_error(endpoint, CA_CERTS, handshake)
    return ServerUnreachable(endpoint.host, endpoint.port, words)


def not_elasticsearch(endpoint: Endpoint) -> ServerBusy:
    """Something else answers, perhaps for the time of a maintenance: worth another look."""
    return ServerBusy(
        f"something else than Elasticsearch or OpenSearch listens at {endpoint.host}:"
        f"{endpoint.port}: set PILLOWTOP['ELASTICSEARCH_URL'] to where one of them is"
    )
