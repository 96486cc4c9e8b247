"""Searches as far as pillowtop and its tests make them: terms, sorting, paging. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pillowtop.testing.search_index import FakeIndex, Stored
from pillowtop.testing.search_refusals import Refusal

DEFAULT_SIZE = 10

Hit = tuple[str, str, Stored]
"""Index, id, and what is stored."""


def search(indices: Iterable[FakeIndex], body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply to a search among what was refreshed. Raises `Refusal` for what is not known."""
    takes = _predicate(body.get("query", {"match_all": {}}))
    found: list[Hit] = [
        (index.name, doc_id, stored)
        for index in indices
        for doc_id, stored in index.refreshed.items()
        if takes(doc_id, stored.source)
    ]
    order = list(_order(body.get("sort", [])))
    for path, descends in reversed(order):
        found = _sorted(found, path, descends=descends)
    behind = [hit for hit in found if _follows(hit, order, body.get("search_after"))]
    shown = behind[: body.get("size", DEFAULT_SIZE)]
    return {
        "took": 1,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {
            "total": {"value": len(found), "relation": "eq"},
            "max_score": None,
            "hits": [_shown(hit, order, body) for hit in shown],
        },
    }


Predicate = Callable[[str, Mapping[str, Any]], bool]


def _predicate(query: Mapping[str, Any]) -> Predicate:
    ((kind, said),) = query.items()
    if kind == "match_all":
        return lambda _id, _source: True
    if kind == "ids":
        return lambda doc_id, _source: doc_id in said["values"]
    if kind in ("term", "terms"):
        ((path, wanted),) = said.items()
        values = wanted if kind == "terms" else [_plain(wanted)]
        return lambda _id, source: any(value in values for value in _values(source, path))
    if kind == "bool" and said.keys() <= {"filter", "must"}:
        clauses = [clause for part in said.values() for clause in _listed(part)]
        parts = [_predicate(clause) for clause in clauses]
        return lambda doc_id, source: all(part(doc_id, source) for part in parts)
    raise Refusal(
        400,
        "parsing_exception",
        f"FakeElasticsearch does not know the query [{kind}] with {list(said)}: it has match_all, "
        "ids, term, terms, and bool with filter and must",
    )


def _plain(wanted: Any) -> Any:
    return wanted["value"] if isinstance(wanted, dict) else wanted


def _listed(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [part]


def _values(source: Any, path: str) -> Iterator[Any]:
    """All values at a dotted path."""
    if isinstance(source, list):
        for one in source:
            yield from _values(one, path)
    elif not path:
        yield source
    elif isinstance(source, Mapping):
        name, _, rest = path.partition(".")
        if name in source:
            yield from _values(source[name], rest)


def _order(sort: Any) -> Iterator[tuple[str, bool]]:
    """Paths, and whether they descend."""
    for one in _listed(sort):
        ((path, how),) = one.items() if isinstance(one, dict) else [(one, "asc")]
        yield path, (how["order"] if isinstance(how, dict) else how) == "desc"


def _sorted(hits: list[Hit], path: str, *, descends: bool) -> list[Hit]:
    valued = [hit for hit in hits if _value(hit, path) is not None]
    valued.sort(key=lambda hit: _value(hit, path), reverse=descends)
    return valued + [hit for hit in hits if _value(hit, path) is None]


def _value(hit: Hit, path: str) -> Any:
    """What a hit is sorted by; None, which comes last however the others are sorted."""
    return next(_values(hit[2].source, path), None)


def _follows(hit: Hit, order: list[tuple[str, bool]], after: list[Any] | None) -> bool:
    if after is None:
        return True
    for (path, descends), last in zip(order, after, strict=True):
        own = _value(hit, path)
        if own != last:
            return own is None or (
                last is not None and bool(own < last if descends else own > last)
            )
    return False


def _shown(hit: Hit, order: list[tuple[str, bool]], body: Mapping[str, Any]) -> dict[str, Any]:
    index, doc_id, stored = hit
    shown: dict[str, Any] = {"_index": index, "_id": doc_id, "_score": None}
    if stored.routing is not None:
        shown["_routing"] = stored.routing
    if body.get("version"):
        shown["_version"] = stored.version
    if body.get("_source", True):
        shown["_source"] = stored.source
    for wanted in body.get("docvalue_fields", []):
        path = wanted["field"] if isinstance(wanted, dict) else wanted
        if values := list(_values(stored.source, path)):
            shown.setdefault("fields", {})[path] = values
    if order:
        shown["sort"] = [_value(hit, path) for path, _ in order]
    return shown
