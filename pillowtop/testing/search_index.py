"""Indices in memory: documents with versions, tombstones, mappings and aliases. No I/O."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pillowtop.testing.search_mapping import fitted, merged
from pillowtop.testing.search_refusals import Refusal, bad_argument, no_such_index

_forbidden = re.compile(r'[\\/*?"<>| ,#:]|^[-_+]|^\.{1,2}$')


class Stored(msgspec.Struct, frozen=True):
    version: int
    source: dict[str, Any]
    routing: str | None = None


class FakeIndex:
    """One index. Searches see what was there at the last refresh."""

    def __init__(self, name: str, body: Mapping[str, Any]) -> None:
        self.name = name
        self.uuid = uuid.uuid4().hex[:22]
        self.aliases = {alias: dict(how) for alias, how in body.get("aliases", {}).items()}
        self.mapping = merged({}, body.get("mappings", {}))
        self.settings = _nested(body.get("settings", {}))
        self.documents: dict[str, Stored] = {}
        self.refreshed: dict[str, Stored] = {}
        self._tombstones: dict[str, int] = {}

    def describe(self) -> dict[str, Any]:
        """What `GET /<index>` says of it."""
        settings = {"number_of_shards": "1", "number_of_replicas": "1", **self.settings}
        settings |= {"uuid": self.uuid, "provided_name": self.name}
        return {
            "aliases": self.aliases,
            "mappings": self.mapping,
            "settings": {"index": settings},
        }

    def index(
        self, doc_id: str, source: dict[str, Any], version: int | None, routing: str | None = None
    ) -> dict[str, Any]:
        """Write a document; what is said of it. Raises `Refusal`."""
        mapping = fitted(self.mapping, doc_id, source)
        drawn = self._draw(doc_id, version)
        self.mapping = mapping
        created = doc_id not in self.documents
        self.documents[doc_id] = Stored(drawn, source, routing)
        self._tombstones.pop(doc_id, None)
        return _said(drawn, "created" if created else "updated", 201 if created else 200)

    def delete(self, doc_id: str, version: int | None) -> dict[str, Any]:
        """Delete a document; what is said of it. What is not there gets a tombstone too."""
        drawn = self._draw(doc_id, version)
        existed = self.documents.pop(doc_id, None) is not None
        self._tombstones[doc_id] = drawn
        return _said(drawn, "deleted" if existed else "not_found", 200 if existed else 404)

    def update(self, doc_id: str) -> dict[str, Any]:
        """Update a document with nothing: the guard of bulks."""
        if doc_id not in self.documents:
            raise Refusal(404, "document_missing_exception", f"[{doc_id}]: document missing")
        return _said(self.documents[doc_id].version, "noop", 200)

    def refresh(self) -> None:
        self.refreshed = dict(self.documents)

    def _draw(self, doc_id: str, version: int | None) -> int:
        """The version of a write: the one given, unless what is there is higher."""
        stored = self.documents.get(doc_id)
        current = stored.version if stored else self._tombstones.get(doc_id, 0)
        if version is None:
            return current + 1
        if version < current:
            raise Refusal(
                409,
                "version_conflict_engine_exception",
                f"[{doc_id}]: version conflict, current version [{current}] is higher than the one "
                f"provided [{version}]",
                index_uuid=self.uuid,
                shard="0",
                index=self.name,
            )
        return version


class FakeIndices:
    """All indices of a server, by name and by alias."""

    def __init__(self) -> None:
        self._indices: dict[str, FakeIndex] = {}

    def __iter__(self) -> Iterator[FakeIndex]:
        return iter(self._indices.values())

    def is_alias(self, name: str) -> bool:
        return any(name in index.aliases for index in self)

    def behind(self, name: str) -> list[FakeIndex]:
        """The indices that a name or an alias leads to. Raises `Refusal` where there is none."""
        found = [index for index in self if name == index.name or name in index.aliases]
        if not found:
            raise no_such_index(name)
        return found

    def writable(self, name: str) -> FakeIndex:
        """The index that is written to by a name. Raises `Refusal` where there is none."""
        found = self.behind(name)
        if found[0].name == name:
            return found[0]
        marked = [index for index in found if index.aliases[name].get("is_write_index")]
        unmarked = [index for index in found if "is_write_index" not in index.aliases[name]]
        if not marked and not (len(found) == len(unmarked) == 1):
            raise bad_argument(
                f"no write index is defined for alias [{name}]. The write index may be explicitly "
                "disabled using is_write_index=false or the alias points to multiple indices "
                "without one being designated as a write index"
            )
        return (marked or unmarked)[0]

    def create(self, name: str, body: Mapping[str, Any]) -> FakeIndex:
        """Make an index. Raises `Refusal`."""
        self._demand_free(name)
        for alias in body.get("aliases", {}):
            if alias in self._indices:
                raise Refusal(
                    400,
                    "invalid_alias_name_exception",
                    f"Invalid alias name [{alias}]: an index or data stream exists with the same "
                    "name as the alias",
                )
        self._indices[name] = FakeIndex(name, copy.deepcopy(dict(body)))
        return self._indices[name]

    def delete(self, name: str) -> None:
        """Raises `Refusal` for an alias, and for what is not there."""
        if self.is_alias(name):
            raise bad_argument(
                f"The provided expression [{name}] matches an alias, specify the corresponding "
                "concrete indices instead."
            )
        del self._indices[self.behind(name)[0].name]

    def _demand_free(self, name: str) -> None:
        if name in self._indices:
            raise Refusal(
                400,
                "resource_already_exists_exception",
                f"index [{name}/{self._indices[name].uuid}] already exists",
            )
        wrong = ""
        if self.is_alias(name):
            wrong = "already exists as alias"
        elif name != name.lower():
            wrong = "must be lowercase"
        elif _forbidden.search(name):
            wrong = "must not contain such characters"
        if wrong:
            reason = f"Invalid index name [{name}], {wrong}"
            raise Refusal(400, "invalid_index_name_exception", reason)


def _said(version: int, result: str, status: int) -> dict[str, Any]:
    return {"_version": version, "result": result, "status": status}


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they are given back: without `index.`, nested, and all of them text."""
    result: dict[str, Any] = {}
    for path, value in _flat(settings, ""):
        *parents, last = path.removeprefix("index.").split(".")
        level = result
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value if isinstance(value, list) else _text(value)
    return result


def _flat(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
