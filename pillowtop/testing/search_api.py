"""The requests that `FakeElasticsearch` knows, and what it replies. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from pillowtop.testing.scripted import Request
from pillowtop.testing.search_bulk import Action, Bulk
from pillowtop.testing.search_faults import Reply
from pillowtop.testing.search_index import FakeIndex, FakeIndices
from pillowtop.testing.search_mapping import merged
from pillowtop.testing.search_query import search
from pillowtop.testing.search_refusals import Refusal, bad_argument

VERSION = "8.19.0"


class Asked(NamedTuple):
    """A request about `name`: an index, an alias, or several of them. `rest` is its path's end.

    `refusals` says by id (`*` for all) which items of a bulk are not to be carried out.
    """

    indices: FakeIndices
    request: Request
    refusals: Mapping[str, Refusal]
    name: str
    rest: str


def replied(indices: FakeIndices, request: Request, refusals: Mapping[str, Refusal]) -> Reply:
    """Do what a request asks for; status and body."""
    try:
        status, body = _done(indices, request, refusals)
    except Refusal as refusal:
        status, body = refusal.status, refusal.body
    if paths := request.query.get("filter_path"):
        body = _filtered(body, [path.split(".") for path in paths.split(",")]) or {}
    return status, body


def _done(indices: FakeIndices, request: Request, refusals: Mapping[str, Refusal]) -> Reply:
    # Split before they are unquoted: a name may hold a slash.
    path = request.target.partition("?")[0]
    name, verb, *rest = [unquote(part) for part in f"{path[1:]}/".split("/")]
    method = "GET" if request.method == "HEAD" else request.method
    known = _REQUESTS.get((method, verb))
    if known is None or name.startswith("_"):
        raise bad_argument(f"FakeElasticsearch does not know {request.method} {path}")
    return known(Asked(indices, request, refusals, name, "/".join(rest).rstrip("/")))


def _get(asked: Asked) -> Reply:
    if not asked.name:
        return 200, {
            "name": "fake",
            "cluster_name": "fake",
            "cluster_uuid": "fake",
            "version": {"number": VERSION, "build_flavor": "default"},
            "tagline": "You Know, for Search",
        }
    return 200, {index.name: index.describe() for index in _look(asked)}


def _look(asked: Asked) -> Iterator[FakeIndex]:
    lenient = asked.request.query.get("ignore_unavailable") == "true"
    for name in asked.name.split(","):
        try:
            yield from asked.indices.behind(name)
        except Refusal:
            if not lenient:
                raise


def _create(asked: Asked) -> Reply:
    index = asked.indices.create(asked.name, _json(asked.request))
    return 200, {"acknowledged": True, "shards_acknowledged": True, "index": index.name}


def _delete(asked: Asked) -> Reply:
    asked.indices.delete(asked.name)
    return 200, {"acknowledged": True}


def _bulk(asked: Asked) -> Reply:
    def refuses(action: Action) -> Refusal | None:
        if action.kind == "update":  # the guard
            return None
        return asked.refusals.get(action.id) or asked.refusals.get("*")

    require_alias = asked.request.query.get("require_alias") == "true"
    bulk = Bulk(asked.name, asked.request.body, require_alias=require_alias)
    return 200, bulk.apply(asked.indices, refuses)


def _refresh(asked: Asked) -> Reply:
    found = asked.indices.behind(asked.name)
    for index in found:
        index.refresh()
    return 200, {"_shards": {"total": len(found), "successful": len(found), "failed": 0}}


def _search(asked: Asked) -> Reply:
    return 200, search(asked.indices.behind(asked.name), _json(asked.request))


def _count(asked: Asked) -> Reply:
    return 200, {"count": sum(len(one.refreshed) for one in asked.indices.behind(asked.name))}


def _document(asked: Asked) -> Reply:
    index = asked.indices.behind(asked.name)[0]
    stored = index.documents.get(asked.rest)
    said: dict[str, Any] = {"_index": index.name, "_id": asked.rest, "found": stored is not None}
    if stored is None:
        return 404, said
    if stored.routing is not None:
        said["_routing"] = stored.routing
    return 200, {**said, "_version": stored.version, "_source": stored.source}


def _put_mapping(asked: Asked) -> Reply:
    for index in asked.indices.behind(asked.name):
        index.mapping = merged(index.mapping, _json(asked.request))
    return 200, {"acknowledged": True}


def _put_alias(asked: Asked) -> Reply:
    for index in asked.indices.behind(asked.name):
        index.aliases[asked.rest] = _json(asked.request)
    return 200, {"acknowledged": True, "errors": False}


_REQUESTS: dict[tuple[str, str], Callable[[Asked], Reply]] = {
    ("GET", ""): _get,
    ("PUT", ""): _create,
    ("DELETE", ""): _delete,
    ("POST", "_bulk"): _bulk,
    ("POST", "_refresh"): _refresh,
    ("GET", "_search"): _search,
    ("POST", "_search"): _search,
    ("GET", "_count"): _count,
    ("GET", "_doc"): _document,
    ("PUT", "_mapping"): _put_mapping,
    ("PUT", "_alias"): _put_alias,
}


def _json(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = request.json() if request.body else {}
    return body


def _filtered(body: Any, paths: list[list[str]]) -> Any:
    """What is at any of the paths, `*` standing for any name; None where nothing is."""
    if any(not path for path in paths):
        return body
    if isinstance(body, list):
        kept = [one for each in body if (one := _filtered(each, paths)) is not None]
        return kept or None
    if not isinstance(body, dict):
        return None
    found = {}
    for name, value in body.items():
        deeper = [path[1:] for path in paths if path[0] in (name, "*")]
        if deeper and (below := _filtered(value, deeper)) is not None:
            found[name] = below
    return found or None
