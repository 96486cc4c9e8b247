"""Where an index differs from what is declared of it: by hand, or because a release declares more.
No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pillowtop.elastic import naming
from pillowtop.elastic.index import FoundIndex

OF_THE_SERVER = (
    "allocation.", "creation_date", "history.uuid", "history_uuid", "provided_name",
    "replication.type", "resize.", "routing.allocation.", "uuid", "version.",
)  # fmt: skip
"""What a server writes into the settings of an index by itself."""

DEFAULTS = {"number_of_shards": "1", "number_of_replicas": "1"}
"""What it writes where nothing is declared."""

OBJECT = "object"
CLOSED = ("strict", "false")
"""Of `dynamic`: fields that nobody declared get there by hand alone."""


class Drift(msgspec.Struct, frozen=True):
    """One difference. `declared` and `found` are None where there is none of it."""

    kind: str
    what: str
    declared: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.kind} {self.what}: {_shown(self.found)} there, {_shown(self.declared)} here"


def drift(
    mapping: Mapping[str, Any],
    settings: Mapping[str, Any],
    found: FoundIndex,
    found_settings: Mapping[str, Any],
) -> list[Drift]:
    """The differences between what is declared and an index, its settings with dotted keys.

    `mapping` is the declared one with what pillowtop adds. Fields that Elasticsearch has added
    because documents have them are none, unless the mapping says that it must not.
    """
    return [*_of_settings(settings, found_settings), *_of_mapping(mapping, found.mapping)]


def _of_settings(declared: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    wanted = DEFAULTS | {
        key.removeprefix("index."): value
        for key, value in naming.creation_settings(declared).items()
    }
    there = {
        key: value
        for name, value in found.items()
        if not (key := name.removeprefix("index.")).startswith(OF_THE_SERVER)
    }
    for key in sorted(wanted.keys() | there.keys()):
        if _plain(wanted.get(key)) != _plain(there.get(key)):
            yield Drift("setting", key, wanted.get(key), there.get(key))


def _of_mapping(
    declared: Mapping[str, Any], found: Mapping[str, Any], path: str = "", *, strict: bool = False
) -> Iterator[Drift]:
    if "dynamic" in declared:
        strict = _plain(declared["dynamic"]) in CLOSED
    ours, theirs = declared.get("properties", {}), found.get("properties", {})
    for key in sorted((declared.keys() | found.keys()) - {"properties", "type"}):
        if key in declared and _plain(declared[key]) != _plain(found.get(key)):
            yield Drift("mapping", f"{path}{key}", declared[key], found.get(key))
        elif key not in declared and not path:
            yield Drift("mapping", key, None, found[key])
    for name in sorted(_top(ours) | theirs.keys()):
        field = f"{path}{name}"
        if name not in theirs:
            yield Drift("field", field, _kind(ours.get(name, {})), None)
        elif name in ours and _kind(ours[name]) != _kind(theirs[name]):
            yield Drift("field", field, _kind(ours[name]), _kind(theirs[name]))
        elif name in ours:
            yield from _of_mapping(ours[name], theirs[name], f"{field}.", strict=strict)
        elif strict and name not in _top(ours):
            yield Drift("field", field, None, _kind(theirs[name]))


def _top(fields: Mapping[str, Any]) -> set[str]:
    """A name with dots stands for objects in objects."""
    return {name.partition(".")[0] for name in fields}


def _kind(definition: Mapping[str, Any]) -> str:
    kind: str = definition.get("type", OBJECT)
    return kind


def _plain(value: Any) -> Any:
    """Servers return settings as text, and some of a mapping as well."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value}"
