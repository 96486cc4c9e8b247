"""Which field of a document its class refuses. No I/O.

jsonobject (and couchdbkit, which builds on it) says what is wrong with a value, but mostly not
where that stands. So the fields are wrapped once more, one by one.
"""

from __future__ import annotations

import copy
import inspect
import reprlib
from collections.abc import Iterator
from typing import Any


def describe(kind: Any, document: Any, error: BaseException) -> str:
    """An error of a document class in words that name the class, and the field if it is found."""
    name = getattr(kind, "__name__", repr(kind))
    if isinstance(document, dict) and hasattr(kind, "properties"):
        for path, words in _Search(error).in_object(kind, document, ""):
            return f"field {path!r} of {name}: {words}"
    return f"{name}: {error}"


class _Search:
    """Looks for the field that raises the same error as the whole document did."""

    def __init__(self, error: BaseException) -> None:
        self._error = error
        # It wraps what comes from deeper down, and quotes the document.
        self._is_attribute = type(error).__name__ == "WrappingAttributeError"

    def in_object(self, kind: Any, fields: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
        """Paths of refused fields, as `lines[1].price`, and why."""
        known = {one.name: one for one in kind.properties().values()}
        for key, value in fields.items():
            place = f"{path}.{key}" if path else key
            if key in known:
                yield from self._in_property(known[key], value, place)
            elif self._is_attribute and _cannot_be_set(kind, key):
                yield place, f"{kind.__name__} has no such property"
        for key in known.keys() - fields.keys():
            absent: Any = {} if hasattr(known[key], "item_type") else None
            yield from self._in_property(known[key], absent, f"{path}.{key}" if path else key)

    def _in_property(self, one: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
        error = _refusal(one, value)
        if error is None:
            return
        deeper = list(self._inside(one, value, path))
        if deeper:
            yield from deeper
        elif (type(error), str(error)) == (type(self._error), str(self._error)):
            yield path, _words(error, value)

    def _inside(self, one: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict) and hasattr(one, "item_type"):
            yield from self.in_object(one.item_type, value, path)
        elif item := getattr(one, "item_wrapper", None):
            for step, inner in _items(value):
                yield from self._in_property(item, inner, path + step)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"[{index}]", one) for index, one in enumerate(value))
    elif isinstance(value, dict):
        yield from ((f".{key}", one) for key, one in value.items())


def _refusal(one: Any, value: Any) -> Exception | None:
    """What a property says against a value, which stays as it is."""
    try:
        one.validate(None if value is None else one.wrap(copy.deepcopy(value)))
    except Exception as error:  # noqa: BLE001  (classes may raise what they like)
        return error
    return None


def _cannot_be_set(kind: Any, key: str) -> bool:
    if key.startswith("_"):
        return False
    return not kind._allow_dynamic_properties or inspect.isdatadescriptor(  # noqa: SLF001
        getattr(kind, key, None)
    )


def _words(error: Exception, value: Any) -> str:
    words = str(error)
    if value is None or repr(value) in words:
        return words
    return f"{words} (it is {reprlib.repr(value)})"
