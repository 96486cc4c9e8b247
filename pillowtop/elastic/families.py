"""The two families of search clusters, each asked through its own client, without retries.

Both ways raise `Refused` for an answer that is none of success, or `ServerUnreachable`,
`ServerBusy` (no TLS) or `ConfigurationError` (certificates).
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from pillowtop.elastic.client import CA_CERTS, CONNECTIONS, client_trust
from pillowtop.elastic.errors import Refused, connection_error
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import ConfigurationError
from pillowtop.tls import tls_context

JSON = {"accept": "application/json", "content-type": "application/json"}
"""The `elasticsearch` client makes of it what versions 8 and 9 both take."""


class Family(Protocol):
    """Servers of one kind, by the client that is made for them."""

    title: str

    def ask(self, method: str, target: str, body: Any) -> Any:
        """The decoded body of an answer; `target` is path and query."""

    def close(self) -> None: ...


class Elasticsearch:
    """Elasticsearch 8 and 9. Its client looks whether it is that."""

    title = "Elasticsearch"

    def __init__(self, endpoint: Endpoint, timeout_seconds: float) -> None:
        from elasticsearch import Elasticsearch as Client  # noqa: PLC0415  (heavy)

        self._endpoint = endpoint
        self._client = Client(
            endpoint.url,
            headers=endpoint.authorization(),
            request_timeout=timeout_seconds,
            max_retries=0,
            **client_trust(endpoint),
        )

    def ask(self, method: str, target: str, body: Any) -> Any:
        from elasticsearch import (  # noqa: PLC0415  (heavy)
            ApiError,
            TransportError,
            UnsupportedProductError,
        )

        try:
            answer = self._client.perform_request(method, target, headers=JSON, body=body)
        except UnsupportedProductError as error:
            raise Refused(error.meta.status, error.body, signed=False) from error
        except ApiError as error:
            raise Refused(error.meta.status, error.body, signed=_signed(error.meta)) from error
        except TransportError as error:
            raise connection_error(self._endpoint, error, error.message) from error
        if not _signed(answer.meta):  # the client looks at the first answer only
            raise Refused(answer.meta.status, answer.body, signed=False)
        return answer.body

    def close(self) -> None:
        self._client.close()


class OpenSearch:
    """OpenSearch 2 and 3. Raises `ConfigurationError` where its client is not installed."""

    title = "OpenSearch"

    def __init__(self, endpoint: Endpoint, timeout_seconds: float) -> None:
        try:
            from opensearchpy import OpenSearch as Client  # noqa: PLC0415  (an extra)
        except ImportError as error:
            raise ConfigurationError(
                f"OpenSearch is at {endpoint}, and its client is not installed: "
                'pip install "django-pillowtop[opensearch]"'
            ) from error

        _hush("opensearch", "opensearchpy.trace")
        self._endpoint = endpoint
        self._client = Client(
            [{"host": endpoint.host, "port": endpoint.port, "url_prefix": endpoint.path}],
            headers=endpoint.authorization(),
            timeout=timeout_seconds,
            max_retries=0,
            pool_maxsize=CONNECTIONS,
            use_ssl=endpoint.tls,
            ssl_context=tls_context(endpoint, CA_CERTS) if endpoint.tls else None,
        )

    def ask(self, method: str, target: str, body: Any) -> Any:
        from opensearchpy import exceptions as theirs  # noqa: PLC0415  (an extra)

        try:
            return self._client.transport.perform_request(method, target, body=body)
        except theirs.SerializationError as error:
            raise Refused(200, None, signed=False) from error
        except theirs.ConnectionError as error:
            words = getattr(error.info, "__cause__", None) or error.info
            raise connection_error(self._endpoint, error, words) from error
        except theirs.TransportError as error:
            body = error.info or error.error
            signed = isinstance(body, dict) and isinstance(body.get("error"), dict)
            raise Refused(int(error.status_code), body, signed=signed) from error

    def close(self) -> None:
        self._client.close()


def _signed(meta: Any) -> bool:
    """Whether an answer says that it is Elasticsearch's."""
    return "x-elastic-product" in meta.headers


def _hush(*loggers: str) -> None:
    """Keep a client from logging every request, and each error before we do."""
    for logger in map(logging.getLogger, loggers):
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.ERROR)
