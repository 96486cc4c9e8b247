"""What is declared of fields against what an index has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pillowtop.exceptions import TargetUnusable


def missing_properties(
    index: str, declared: Mapping[str, Any], existing: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The properties to put where an index lacks any of those declared; empty where it has all.

    Raises `TargetUnusable` where it has a field with another type. (But for `_rev`: an index that
    others made has it as text, and nothing here reads it.)
    """
    wanted = dict(declared["properties"])
    if "_rev" in existing.get("properties", {}):
        wanted.pop("_rev", None)
    found = dict(field_types(existing))
    types = dict(field_types({"properties": wanted}))
    for path in types.keys() & found.keys():
        if types[path] != found[path]:
            raise TargetUnusable(
                f"field {path!r} of index {index!r} has the type {found[path]}, and "
                f"default_mapping declares {types[path]}: correct the mapping, or write to "
                "another index"
            )
    return {} if types.keys() <= found.keys() else wanted


def field_types(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each field's path and type, objects before what is in them.

    A name with dots stands for objects in objects, which is how Elasticsearch returns it.
    """
    for name, definition in mapping.get("properties", {}).items():
        *parents, _ = name.split(".")
        for depth in range(len(parents)):
            yield prefix + ".".join(parents[: depth + 1]), "object"
        yield f"{prefix}{name}", definition.get("type", "object")
        yield from field_types(definition, f"{prefix}{name}.")
