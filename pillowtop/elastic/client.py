"""The connections that bulks go through."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from pillowtop.awaited import BULK_SECONDS, answer_of
from pillowtop.elastic import bulk
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import AnswerLate, PillowtopError, ServerUnreachable, TransientError
from pillowtop.tls import handshake_error, tls_context, tls_error

CONNECT_SECONDS = 10.0
CONNECTIONS = 4

CA_CERTS = "ELASTICSEARCH_CA_CERTS"


class Response(NamedTuple):
    status: int
    body: bytes


class BulkClient:
    """Posts bulks to one server over connections that stay open, without retries of its own.

    Media types are plain, so that every version and OpenSearch take them. `pipeline` names an
    ingest pipeline that documents go through.
    """

    def __init__(
        self, endpoint: Endpoint, timeout_seconds: float = 60.0, pipeline: str = ""
    ) -> None:
        self._endpoint = endpoint
        self._called = f"Elasticsearch at {endpoint.host}:{endpoint.port}"
        self._headers = {
            "content-type": "application/x-ndjson",
            "accept": "application/json",
            **endpoint.authorization(),
        }
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout_seconds)
        self._query = bulk.QUERY + (f"&pipeline={quote(pipeline, safe='')}" if pipeline else "")

    def post_bulk(self, target: str, body: bytes) -> Response:
        """Post a bulk to an alias, and return whatever the server answers.

        Raises `ServerUnreachable`, `ServerBusy` (no TLS), `ConfigurationError` (certificates), or
        `TransientError` where the outcome is unknown, `AnswerLate` among them.
        """
        url = f"{self._endpoint.path}/{quote(target, safe='')}/_bulk?{self._query}"
        try:
            with answer_of(self._called, BULK_SECONDS):
                response = self._pool.urlopen(
                    "POST", url, body=body, headers=self._headers, retries=False, redirect=False
                )
        except HTTPError as error:
            raise self._translated(error) from error
        return Response(response.status, response.data)

    def close(self) -> None:
        if "_pool" in self.__dict__:
            self._pool.close()

    @cached_property
    def _pool(self) -> urllib3.HTTPConnectionPool:
        trust: dict[str, Any] = {}
        if self._endpoint.tls:
            trust["ssl_context"] = tls_context(self._endpoint, CA_CERTS)
        return urllib3.connection_from_url(
            self._endpoint.url, maxsize=CONNECTIONS, timeout=self._timeout, **trust
        )

    def _translated(self, error: HTTPError) -> PillowtopError:
        host, port = self._endpoint.host, self._endpoint.port
        if handshake := handshake_error(error):
            return tls_error(self._endpoint, CA_CERTS, handshake)
        if _never_connected(error) or _was_hung_up_on(error):
            return ServerUnreachable(host, port, _cause(error))
        unknown = AnswerLate if isinstance(error, ReadTimeoutError) else TransientError
        return unknown(
            f"{host}:{port} was sent a bulk, but its answer did not come whole: {_cause(error)} "
            "(unknown outcome; sent again with the same versions)"
        )


def _never_connected(error: HTTPError) -> bool:
    return isinstance(error, NewConnectionError | ConnectTimeoutError | SSLError)


def _was_hung_up_on(error: HTTPError) -> bool:
    """Whether the connection broke before an answer began: that is how a server dies."""
    if not isinstance(error, ProtocolError) or not str(error.args[0]).startswith("Connection ab"):
        return False
    return isinstance(error.args[-1], OSError) and not isinstance(error.args[-1], TimeoutError)


def _cause(error: HTTPError) -> object:
    """The innermost words: urllib3's own carry the repr of an object."""
    return error.__cause__ or error.args[-1]


def client_trust(endpoint: Endpoint) -> dict[str, Any]:
    """What the `elasticsearch` client is to trust: the same as the bulks' connections.

    Raises `ConfigurationError` where the certificates cannot be read.
    """
    if not endpoint.tls:
        return {}
    context = tls_context(endpoint, CA_CERTS)
    # To a context the client would add certificates of its own.
    return {"ca_certs": endpoint.ca_certs} if endpoint.ca_certs else {"ssl_context": context}
