"""Bulks: what they ask for, and what is said of their items. No I/O.

Source: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from pillowtop.testing.search_index import FakeIndex, FakeIndices
from pillowtop.testing.search_refusals import Refusal, bad_argument, no_such_index

MAX_ID_BYTES = 512


class Action(msgspec.Struct):
    """One action of a bulk. `source` is the line below it, undecoded; `target` is an index or an
    alias."""

    kind: str
    id: str
    version: int | None
    routing: str | None
    target: str
    source: bytes

    def apply(self, index: FakeIndex) -> dict[str, Any]:
        """Raises `Refusal`."""
        if self.id == "":
            raise bad_argument("if _id is specified it must not be empty")
        if self.kind == "delete":
            return index.delete(self.id, self.version)
        if self.kind == "update":
            return index.update(self.id)
        return index.index(self.id, _decoded(self.source), self.version, self.routing)


Refuses = Callable[[Action], Refusal | None]


class Bulk:
    """The actions of one request to `target`, where they name no index of their own."""

    def __init__(self, target: str, body: bytes, *, require_alias: bool) -> None:
        """Raises `Refusal` where the whole of it is."""
        self._require_alias = require_alias
        self.actions = list(_actions(body, target))
        _demand_validity(self.actions)

    def apply(self, indices: FakeIndices, refuses: Refuses) -> dict[str, Any]:
        """Carry the actions out, one by one; the reply. `refuses` is asked about each before."""
        for target in dict.fromkeys(action.target for action in self.actions):
            self._make_index(target, indices)
        items = [self._item(action, indices, refuses) for action in self.actions]
        errors = any("error" in said for item in items for said in item.values())
        return {"took": 1, "errors": errors, "items": items}

    def _item(self, action: Action, indices: FakeIndices, refuses: Refuses) -> dict[str, Any]:
        said: dict[str, Any] = {"_index": action.target, "_id": action.id}
        try:
            if refusal := refuses(action):
                raise refusal
            self._demand_alias(action, indices)
            index = indices.writable(action.target)
            said |= {"_index": index.name, **action.apply(index)}
        except Refusal as refusal:
            said |= {"status": refusal.status, "error": refusal.error}
        return {action.kind: said}

    def _demand_alias(self, action: Action, indices: FakeIndices) -> None:
        """Deletions go through where the index is there, alias or not."""
        target = action.target
        if action.kind != "delete" and self._require_alias and not indices.is_alias(target):
            raise no_such_index(
                target,
                f" and [require_alias] request flag is [true] and [{target}] is not an alias",
            )

    def _make_index(self, target: str, indices: FakeIndices) -> None:
        """Some actions make an index where there is none: that is what an alias guards against."""
        actions = [action for action in self.actions if action.target == target]
        there = any(target in (one.name, *one.aliases) for one in indices)
        if there or not any(map(self._makes_index, actions)):
            return
        if self._require_alias and any(one.kind != "delete" for one in actions):
            return
        indices.create(target, {})

    def _makes_index(self, action: Action) -> bool:
        return action.version is not None if action.kind == "delete" else True


def _actions(body: bytes, target: str) -> Iterator[Action]:
    if not body:
        raise Refusal(400, "parse_exception", "request body is required")
    if not body.endswith(b"\n"):
        raise bad_argument("The bulk request must be terminated by a newline [\\n]")
    lines = iter(body[:-1].split(b"\n"))
    for line in filter(None, lines):
        kind, details = _kind_and_details(line)
        source = b"" if kind == "delete" else next(lines, b"")
        yield Action(
            kind,
            details.get("_id", ""),
            _version(details),
            details.get("routing"),
            details.get("_index", target),
            source,
        )


def _kind_and_details(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        ((kind, details),) = json.loads(line).items()
    except (ValueError, AttributeError) as error:
        raise Refusal(400, "x_content_parse_exception", f"{error} in {line[:80]!r}") from None
    if kind not in ("index", "delete", "update"):
        raise bad_argument(f"FakeElasticsearch knows index, delete and update, not {kind}")
    return kind, details


def _version(details: dict[str, Any]) -> int | None:
    version: int | None = details.get("version")
    if version is not None and details.get("version_type") != "external_gte":
        raise bad_argument("FakeElasticsearch knows the version type external_gte only")
    return version


def _demand_validity(actions: list[Action]) -> None:
    """Ids of what is deleted are not looked at."""
    faults = [] if actions else ["no requests added"]
    for action in actions:
        size = len(action.id.encode("utf-8", "surrogatepass"))
        if size > MAX_ID_BYTES and action.kind != "delete":
            faults.append(
                f"id [{action.id}] is too long, must be no longer than {MAX_ID_BYTES} bytes but "
                f"was: {size}"
            )
    if faults:
        numbered = "".join(f"{number}: {fault};" for number, fault in enumerate(faults, start=1))
        kind = "action_request_validation_exception"
        raise Refusal(400, kind, f"Validation Failed: {numbered}")


def _decoded(source: bytes) -> dict[str, Any]:
    try:
        document = json.loads(source)
    except ValueError as error:
        raise Refusal(400, "document_parsing_exception", f"failed to parse: {error}") from None
    if not isinstance(document, dict):
        raise Refusal(
            400, "document_parsing_exception", "Malformed content, must start with an object"
        )
    return document
