"""The requests that a follower of `_changes` makes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from pillowtop.changes import Seq
from pillowtop.declared import demand_json
from pillowtop.exceptions import ConfigurationError
from pillowtop.feeds.couch_values import encode_seq

IN_BODY = {"_selector": ("selector", "fields"), "_doc_ids": ("doc_ids",)}
OURS = frozenset(
    {
        "descending",
        "feed",
        "filter",
        "heartbeat",
        "include_docs",
        "last-event-id",
        "limit",
        "seq_interval",
        "since",
        "timeout",
    }
)


class Query(msgspec.Struct, frozen=True):
    """One request to `/db/_changes`: `target` below the database, `body` empty for a GET.

    `enveloped` says that the rows come inside an object.
    """

    since: Seq
    target: str
    body: bytes = b""
    enveloped: bool = True

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"


class ChangesQueries:
    """Makes the queries of one feed.

    `parameters` are those of the filter: `selector` and `doc_ids` are posted, the others go into
    the URL, as JSON unless they are strings. Raises `ConfigurationError` for those that are the
    feed's own, and where a filter lacks its own.
    """

    def __init__(
        self, *, include_docs: bool, filter_name: str, parameters: Mapping[str, Any]
    ) -> None:
        _check(filter_name, parameters)
        posted = IN_BODY.get(filter_name, ())
        self._fixed = {"include_docs": "true"} if include_docs else {}
        if filter_name:
            self._fixed["filter"] = filter_name
        self._fixed |= {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in parameters.items()
            if name not in posted
        }
        body = {name: parameters[name] for name in posted if name in parameters}
        self._body = msgspec.json.encode(body) if body else b""

    def page(self, since: Seq, limit: int, *, every_seq: bool = False) -> Query:
        """At most `limit` rows, to the present at most.

        Mostly only the first row has to have a seq (the others cost CouchDB time): the page's own
        `last_seq` is what counts.
        """
        parameters = {"feed": "normal", "limit": str(limit)}
        if not every_seq:
            parameters["seq_interval"] = str(limit)
        return _query({**parameters, **self._fixed}, since, self._body)

    def continuous(self, since: Seq, heartbeat_seconds: float) -> Query:
        """All rows, for ever. Each has a seq: one that comes alone may be the last for days."""
        beat = str(round(heartbeat_seconds * 1000))
        parameters = {"feed": "continuous", "heartbeat": beat}
        return _query({**parameters, **self._fixed}, since, self._body, enveloped=False)

    def wake_up(self, since: Seq, heartbeat_seconds: float) -> Query:
        """Answered as soon as there is any row at all behind `since`, whatever the filter."""
        beat = str(round(heartbeat_seconds * 1000))
        return _query({"feed": "longpoll", "heartbeat": beat, "limit": "1"}, since)


def _query(
    parameters: Mapping[str, str], since: Seq, body: bytes = b"", *, enveloped: bool = True
) -> Query:
    query = urlencode({**parameters, "since": encode_seq(since)})
    return Query(since, f"/_changes?{query}", body, enveloped)


def _check(filter_name: str, parameters: Mapping[str, Any]) -> None:
    if not isinstance(filter_name, str):
        raise ConfigurationError(f"couch_filter must be text, not {filter_name!r}")
    if not isinstance(parameters, Mapping):
        raise ConfigurationError(f"extra_args must be a dict, not {parameters!r}")
    demand_json("couch_filter", filter_name)
    demand_json("extra_args", parameters)
    for name in parameters:
        if name in OURS:
            raise ConfigurationError(
                f"extra_args: {name!r} is a parameter of the feed itself, not of a filter"
            )
    needed = {"_view": "view", "_selector": "selector", "_doc_ids": "doc_ids"}.get(filter_name)
    if needed and needed not in parameters:
        raise ConfigurationError(f"extra_args: the filter {filter_name} needs {needed!r}")
    if needed == "view" and str(parameters[needed]).count("/") != 1:
        raise ConfigurationError(
            f"extra_args: the view {parameters[needed]!r} must be named as 'design/view'"
        )
    if filter_name and not filter_name.startswith("_") and "/" not in filter_name:
        raise ConfigurationError(
            f"couch_filter {filter_name!r}: name the design document too, as in 'design/filter'"
        )
