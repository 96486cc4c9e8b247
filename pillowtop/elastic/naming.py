"""What an index is called, and what is declared of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pillowtop.declared import demand_json
from pillowtop.exceptions import ConfigurationError

HASH_DIGITS = 8
GC_DELETES = "1h"
"""How long Elasticsearch remembers the versions of deleted documents: longer than any request
lives, so that one which comes late does not bring a document back."""

STATIC_SETTINGS = (
    "analysis",
    "codec",
    "load_fixed_bitset_filters_eagerly",
    "mapping.coerce",
    "mapping.ignore_malformed",
    "mode",
    "number_of_routing_shards",
    "number_of_shards",
    "routing_partition_size",
    "routing_path",
    "shard.check_on_startup",
    "similarity",
    "soft_deletes.enabled",
    "sort",
    "store",
)
"""What cannot be changed in place, and so belongs to the identity of an index."""

KEYWORDS = ("id", "rev", "database", "pillow")


FORBIDDEN = re.compile(r"[A-Z\\/*?\"<>| ,#:]|^[-_+]|^\.{1,2}$")
OWN = "-pillowtop"
MAX_NAME_BYTES = 255 - 1 - HASH_DIGITS - len(OWN)


def own_alias(index: str) -> str:
    """The alias of an index that is ours alone: nobody moves it, and nobody reads by it."""
    return f"{index}{OWN}"


def demand_name(attribute: str, name: str) -> None:
    """Raise `ConfigurationError` where Elasticsearch takes no index or alias of this name."""
    takes = isinstance(name, str) and name.isprintable() and not FORBIDDEN.search(name)
    if not takes or len(name.encode()) > MAX_NAME_BYTES:
        raise ConfigurationError(
            f"{attribute} is {name!r}, which Elasticsearch does not take: lower case, none of "
            f'\\ / * ? " < > | , # : or a space, no - _ + in front, {MAX_NAME_BYTES} bytes at most'
        )


def demand_mapping(attribute: str, mapping: object) -> None:
    """Raise `ConfigurationError` where a mapping is none."""
    demand_json(attribute, _dict(attribute, mapping))
    _demand_fields(attribute, mapping)


def demand_settings(attribute: str, settings: object) -> None:
    """Raise `ConfigurationError` where settings are no dict of JSON."""
    given = _dict(attribute, settings)
    demand_json(attribute, given)
    _dict(f"{attribute}['settings']", given.get("settings", {}))


def demand_version(attribute: str, version: object) -> None:
    """Raise `ConfigurationError` where the version of an index is neither number nor text."""
    if not isinstance(version, (int, str)):
        raise ConfigurationError(f"{attribute} must be a number or text, not {version!r}")
    demand_json(attribute, version)


def index_name(
    alias: str,
    mapping: Mapping[str, Any],
    settings: Mapping[str, Any],
    version: int | str,
    routing: str = "",
) -> str:
    """`<alias>_<8 hex digits>`: SHA-256 of what was declared, however its keys are ordered."""
    declared = {
        "index_version": version,
        "mapping": mapping,
        "settings": static_settings(settings),
    }
    if routing:  # what stands by another one would not be found where it is looked for
        declared["routing"] = routing
    return f"{alias}_{_digits(declared)}"


def marked(identity: str, routing: str) -> str:
    """What identifies a target whose documents go by a field: short enough to be remembered."""
    return f"{identity} by {_digits(routing)}" if routing else identity


def _digits(value: Any) -> str:
    canonical = msgspec.json.encode(value, order="sorted")
    return hashlib.sha256(canonical).hexdigest()[:HASH_DIGITS]


def flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with dotted keys and without `index.`, however they were written.

    Takes `{"number_of_shards": 1}`, `{"index": {…}}`, `{"index.…": …}` and `{"settings": {…}}`.
    """
    return dict(_flattened(settings.get("settings", settings)))


def static_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that an index gets when it is made and keeps."""
    return {key: value for key, value in flat_settings(settings).items() if _is_static(key)}


def creation_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings, as an index is made with them."""
    flat = {"gc_deletes": GC_DELETES, **flat_settings(settings)}
    return {f"index.{key}": value for key, value in flat.items()}


def mapping_with_source(mapping: Mapping[str, Any], source_field: str) -> dict[str, Any]:
    """The mapping with what pillowtop writes: under `dynamic: strict` it would be refused.

    Those are the keywords of the source field, and `_rev` where it is not declared.
    """
    keywords = {name: {"type": "keyword"} for name in KEYWORDS}
    properties = {
        "_rev": {"type": "keyword"},
        **mapping.get("properties", {}),
        source_field: {"properties": keywords},
    }
    return {**mapping, "properties": properties}


def _demand_fields(attribute: str, definition: object) -> None:
    properties = _dict(attribute, definition).get("properties", {})
    for field, inner in _dict(f"{attribute}['properties']", properties).items():
        _demand_fields(f"{attribute}['properties'][{field!r}]", inner)


def _dict(what: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{what} must be a dict, not {value!r}")
    return value


def _flattened(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{path}.")
        else:
            yield path.removeprefix("index."), value


def _is_static(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in STATIC_SETTINGS)
