"""Whether a document fits a mapping, and what it adds to one. No I/O.

As far as it decides about letters: numbers, booleans, dates, objects, `dynamic`. Types that are
not known here take anything.

Source: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/mapping-types.html
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pillowtop.testing.search_refusals import Refusal, bad_argument

METADATA = frozenset({"_id", "_index", "_source", "_routing", "_version", "_seq_no", "_ignored"})
RANGES = {"byte": 7, "short": 15, "integer": 31, "long": 63}
FLOATS = ("double", "float", "half_float", "scaled_float")
TEXTS = ("keyword", "text", "wildcard", "constant_keyword")
KEYWORD_BELOW = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
SLASHED = {"type": "date", "format": "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"}

_time = r"T\d\d(:\d\d(:\d\d([.,]\d{1,9})?)?)?(Z|[+-]\d\d(:?\d\d)?)?"
_date = re.compile(rf"\d{{4}}(-\d\d(-\d\d({_time})?)?)?")
_detected_date = re.compile(rf"\d{{4}}-\d\d(-\d\d({_time})?)?")
_slashed_date = re.compile(r"\d{4}/\d\d/\d\d( \d\d:\d\d:\d\d)?")
_digits = re.compile(r"-?\d+")


def merged(mapping: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with what another one adds. Raises `Refusal` where a field changes its type."""
    result = copy.deepcopy(dict(mapping))
    result.update(_shown(more))
    _merge(result, more.get("properties", {}), "")
    return result


def fitted(mapping: Mapping[str, Any], doc_id: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping as it is once a document is indexed. Raises `Refusal` where it does not fit."""
    for name in source:
        if name in METADATA:
            raise _unparsable(
                f"failed to parse field [{name}] of type [{name}] in document with id '{doc_id}': "
                "it is a metadata field and cannot be added inside a document"
            )
    result = copy.deepcopy(dict(mapping))
    detects = result.get("date_detection", True)
    _Fitting(doc_id, detects_dates=detects).object(result, source, "", result.get("dynamic", True))
    return result


def _merge(into: dict[str, Any], properties: Mapping[str, Any], prefix: str) -> None:
    own = into.get("properties", {})
    for dotted, definition in properties.items():
        name, _, rest = dotted.partition(".")
        wanted = {"properties": {rest: definition}} if rest else definition
        if name not in own:
            own = _add(into, name, _shown(wanted))
        _demand_same_type(prefix + name, own[name], wanted)
        _merge(own[name], wanted.get("properties", {}), f"{prefix}{name}.")


def _add(into: dict[str, Any], name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Give an object a field; its fields. Only one that has none says that it is an object."""
    if into.get("type") == "object":
        del into["type"]
    properties: dict[str, Any] = into.setdefault("properties", {})
    properties[name] = definition
    return properties


def _shown(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition without its fields, as Elasticsearch gives it back."""
    bare = {key: value for key, value in definition.items() if key != "properties"}
    return bare | ({"dynamic": str(bare["dynamic"]).lower()} if "dynamic" in bare else {})


def _demand_same_type(path: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    before, after = own.get("type", "object"), other.get("type", "object")
    if before != after:
        raise bad_argument(f"mapper [{path}] cannot be changed from type [{before}] to [{after}]")


class _Fitting:
    """One document on its way into a mapping, which it changes."""

    def __init__(self, doc_id: str, *, detects_dates: bool) -> None:
        self._doc_id = doc_id
        self._detects_dates = detects_dates

    def object(
        self, mapping: dict[str, Any], source: Mapping[str, Any], prefix: str, dynamic: Any
    ) -> None:
        for dotted, value in source.items():
            name, _, rest = dotted.partition(".")
            self._field(mapping, name, {rest: value} if rest else value, prefix, dynamic)

    def _field(
        self, mapping: dict[str, Any], name: str, value: Any, prefix: str, dynamic: Any
    ) -> None:
        known = mapping.get("properties", {}).get(name)
        for leaf in _leaves(value):
            if known is None:
                known = self._introduced(name, leaf, prefix, dynamic)
                if known is None:
                    return
                _add(mapping, name, known)
            self._value(known, leaf, prefix + name, known.get("dynamic", dynamic))

    def _introduced(
        self, name: str, value: Any, prefix: str, dynamic: Any
    ) -> dict[str, Any] | None:
        """What a field becomes that the mapping does not have; None where it is not indexed."""
        asked = str(dynamic).lower()
        if asked == "strict":
            within = prefix.rstrip(".") or "_doc"
            raise Refusal(
                400,
                "strict_dynamic_mapping_exception",
                f"mapping set to strict, dynamic introduction of [{name}] within [{within}] is not "
                "allowed",
            )
        return copy.deepcopy(self._guess(value)) if asked == "true" else None

    def _guess(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return {"type": "object"}
        if isinstance(value, str):
            if self._detects_dates and _detected_date.fullmatch(value):
                return {"type": "date"}
            slashed = self._detects_dates and _slashed_date.fullmatch(value)
            return SLASHED if slashed else KEYWORD_BELOW
        kinds = {bool: "boolean", int: "long", float: "float"}
        return {"type": kinds[type(value)]}

    def _value(self, known: dict[str, Any], value: Any, path: str, dynamic: Any) -> None:
        kind = known.get("type", "object")
        if kind in ("object", "nested"):
            if not isinstance(value, dict):
                raise _unparsable(
                    f"object mapping for [{path}] tried to parse field [{path}] as object, but "
                    "found a concrete value"
                )
            self.object(known, value, f"{path}.", dynamic)
        elif not _takes(kind, known, value) and not known.get("ignore_malformed"):
            raise _unparsable(
                f"failed to parse field [{path}] of type [{kind}] in document with id "
                f"'{self._doc_id}'. Preview of field's value: '{value}'",
                caused_by={"type": "illegal_argument_exception", "reason": f'For input "{value}"'},
            )


def _leaves(value: Any) -> Iterator[Any]:
    """The values of a field: lists are no more than several of them, and null is none."""
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif value is not None:
        yield value


def _takes(kind: str, known: Mapping[str, Any], value: Any) -> bool:
    if kind in RANGES:
        return _is_number(value, 2.0 ** RANGES[kind])
    if kind in FLOATS:
        return _is_number(value, float("inf"))
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false", "")
    if kind == "date":
        return "format" in known or _is_date(value)
    return kind not in TEXTS or not isinstance(value, dict)


def _is_number(value: Any, below: float) -> bool:
    if isinstance(value, (bool, dict)):
        return False
    if value == "":
        return True
    try:
        return -below <= float(value) < below
    except ValueError:
        return False


def _is_date(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_date.fullmatch(value) or _digits.fullmatch(value))
    return isinstance(value, int) and not isinstance(value, bool)


def _unparsable(reason: str, **details: Any) -> Refusal:
    return Refusal(400, "document_parsing_exception", reason, **details)
