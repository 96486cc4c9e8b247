"""The one place that talks to a search cluster about everything but bulks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from pillowtop.awaited import answer_of
from pillowtop.elastic.errors import Refused, meaning_of, not_elasticsearch
from pillowtop.elastic.families import Elasticsearch, Family, OpenSearch
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import TransientError

UNQUOTED = "*,"
"""What servers take as it is, in paths and parameters."""


class Cluster:
    """What is asked of a search cluster besides bulks, through the client that is made for it.

    Which one that is, the server says itself, and is asked again after each error that passes:
    behind the same URL there may be another one by then.
    """

    def __init__(self, endpoint: Endpoint, timeout_seconds: float = 60.0) -> None:
        self._endpoint = endpoint
        self._timeout_seconds = timeout_seconds
        self._family: Family | None = None

    def request(
        self,
        about: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> dict[str, Any]:
        """The JSON of an answer. `about` names the index or alias for errors.

        Raises `ServerUnreachable`, `ServerBusy`, `AccessDenied`, `TargetUnusable` or
        `ConfigurationError`.
        """
        target = f"{path}?{urlencode(params, safe=UNQUOTED)}" if params else path
        try:
            family = self._family = self._family or self._recognised(about)
            with self._asking(family.title, about):
                answer = family.ask(method, target, body)
            if not isinstance(answer, dict):
                raise not_elasticsearch(self._endpoint)
        except TransientError:
            self.close()
            raise
        return answer

    def close(self) -> None:
        """Close all connections; a later request opens others."""
        family, self._family = self._family, None
        if family is not None:
            family.close()

    def _recognised(self, about: str) -> Family:
        """The family that the server belongs to, by its own words."""
        elasticsearch = Elasticsearch(self._endpoint, self._timeout_seconds)
        with self._asking(elasticsearch.title, about):
            try:
                elasticsearch.ask("GET", "/", None)
            except Refused as refused:
                if refused.signed:  # what these credentials may do shows where it is needed
                    return elasticsearch
                elasticsearch.close()
                if not _is_opensearch(refused.body):
                    raise
                return OpenSearch(self._endpoint, self._timeout_seconds)
        return elasticsearch

    @contextmanager
    def _asking(self, title: str, about: str) -> Iterator[None]:
        """Wait for an answer within the block, where it is refused with words of ours."""
        try:
            with answer_of(f"{title} at {self._endpoint.host}:{self._endpoint.port}"):
                yield
        except Refused as refused:
            raise meaning_of(refused, self._endpoint, title, about) from refused


def path_to(*parts: str) -> str:
    """A path of names and verbs; names may be several, with commas between."""
    return "".join(f"/{quote(part, safe=UNQUOTED)}" for part in parts)


def _is_opensearch(said: Any) -> bool:
    version = said.get("version") if isinstance(said, dict) else None
    return isinstance(version, dict) and version.get("distribution") == "opensearch"
