"""The same requests to a real Elasticsearch and to the fake: the same is said of them."""

from __future__ import annotations

import json
import re

import pytest

from pillowtop.elastic.bulk import GUARD
from pillowtop.testing import FakeElasticsearch
from tests.real_servers import delete_indices, request

MAPPING = {
    "dynamic": "strict",
    "properties": {
        "_rev": {"type": "keyword"},
        "b": {"type": "boolean"},
        "d": {"type": "date"},
        "i": {"type": "integer"},
        "k": {"type": "keyword"},
        "n": {"type": "long"},
        "o": {"properties": {"x": {"type": "double"}}},
        "p": {"type": "geo_point"},
        "t": {"type": "text"},
        "lax": {"type": "object", "dynamic": False},
    },
}
SETTINGS = {
    "index.gc_deletes": "1h",
    "number_of_replicas": 0,
    "index": {"hidden": False},
    "analysis": {"analyzer": {"a": {"tokenizer": "standard", "filter": ["lowercase"]}}},
}
PATH = (
    "errors,error,status,items.*._id,items.*._version,items.*.status,items.*.result,items.*.error"
)


@pytest.fixture
def both(elasticsearch_url, index_name):
    """Sends a request to both; asserts that what is said is the same, and returns it.

    `NAME` stands for a name that is the test's own.
    """
    with FakeElasticsearch() as fake:
        yield lambda *asked: _same(elasticsearch_url, fake.url, index_name, *asked)
    delete_indices(elasticsearch_url, index_name)


def _same(real, fake, name, method, path, body=None):
    path = path.replace("NAME", name)
    if isinstance(body, bytes):
        body = body.replace(b"NAME", name.encode())
    elif body is not None:
        body = json.loads(json.dumps(body).replace("NAME", name))
    kind = {"content-type": "application/x-ndjson"} if isinstance(body, bytes) else {}
    there, here = (request(method, f"{url}/{path}", body, headers=kind) for url in (real, fake))
    said = _essence(there)
    assert (there.status, said) == (here.status, _essence(here)), (path, body)
    assert ("x-elastic-product" in there.headers) == ("x-elastic-product" in here.headers)
    return said


def _essence(reply):
    """What is said, without what differs from server to server, and without an error's prose."""
    return _kept(json.loads(reply.data)) if reply.data else None


DROPPED = {"took", "_index", "_seq_no", "_primary_term", "_shards", "max_score", "_score", "total"}
DROPPED |= {"root_cause", "caused_by", "index_uuid", "index", "shard", "shards_acknowledged"}
DROPPED |= {"resource.type", "resource.id"}


def _kept(said):
    if isinstance(said, list):
        return [_kept(one) for one in said]
    if not isinstance(said, dict):
        return said
    if "type" in said and "reason" in said:
        prose = "" if "x_content" in said["type"] else _beginning(said["reason"])
        return {"type": said["type"], "beginning": prose}
    if said.keys() <= {"index", "delete", "update"}:  # an item of a bulk: `index` is its action
        return {key: _kept(value) for key, value in said.items()}
    return {key: _kept(value) for key, value in said.items() if key not in DROPPED}


def _beginning(reason):
    """As far as pillowtop reads reasons: without the place in the source, uuids, and details."""
    reason = re.sub(r"^(\[\d+:\d+\] )", "", reason)
    reason = re.sub(r"/[\w-]{20,22}\]", "/…]", reason)
    return reason[:40].partition(": [1:")[0].partition(": Expecting")[0].partition(": it ")[0]


def bulk(*lines):
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
                    for line in lines)  # fmt: skip


def index(doc_id, version=None, **fields):
    action = {"_id": doc_id}
    if version is not None:
        action |= {"version": version, "version_type": "external_gte"}
    return bulk({"index": action}, fields)


def delete(doc_id, version=None):
    action = {"_id": doc_id}
    if version is not None:
        action |= {"version": version, "version_type": "external_gte"}
    return bulk({"delete": action}, GUARD)


def post(both, body, target="NAME", query=f"require_alias=true&filter_path={PATH}"):
    return both("POST", f"{target}/_bulk?{query}", body)


@pytest.fixture
def made(both):
    """An index `NAME_1` behind the alias `NAME`."""
    both("PUT", "NAME_1", {"mappings": MAPPING, "settings": SETTINGS, "aliases": {
        "NAME": {"is_write_index": True}}})  # fmt: skip
    return both


def test_versions(made):
    for body in (
        index("a", 5, n=1), index("a", 5, n=1), index("a", 4, n=1), index("a", 6, n=2),
        delete("a", 5), delete("a", 7), delete("a", 7), delete("a", 6), index("a", 6, n=1),
        index("a", 7, n=3), delete("never", 6), index("never", 5, n=1), delete("never", 9),
        index("a", n=2), delete("a"), delete("a"), index("a", n=2), delete("nor this"),
        index("nor this", n=1), index("a", 2**62, n=1), index("pillowtop", 3, n=1),
        bulk(GUARD), index("both", 3, n=1) + delete("both", 2) + index("both", 4, n=2),
    ):  # fmt: skip
        post(made, body)
    for doc_id in ("a", "never", "nor%20this", "pillowtop", "both", "nobody"):
        made("GET", f"NAME/_doc/{doc_id}")


VALUES = {
    "n": ["x", "3", "3.5", 3.7, True, None, [1, "2"], [1, "x"], {"a": 1}, 2**63, "", 1e40, [[1]]],
    "i": [2**31 - 1, 2**40, -(2**31), -(2**31) - 1, 1.5],
    "b": ["true", "x", 1, True, "", [True, "false"], {"a": 1}],
    "k": [3, True, 1.5, {"a": 1}, ["a", 1], None],
    "t": [5, {"a": 1}, [["a"]], ""],
    "o": [5, [{"x": 1}], {"y": 1}, {}, None, [{"x": 1}, 5]],
    "o.x": ["1.5", "z", True],
    "d": ["2020-01-01", "no", 5, "2020-01-01T10:00:00Z", "2020-01-01T10:00:00.123+02:00", "2020",
          "1577836800000", "2020-01-01 10:00", True, {"a": 1}, ""],
    "p": [{"lat": 1, "lon": 2}],
    "lax": [{"any": {"thing": 1}}, 5],
    "m": [1], "m.n": [1], "_id": ["a"], "_rev": ["1-x", 5], "_source": [{}],
}  # fmt: skip


@pytest.mark.parametrize("field", VALUES)
def test_what_fits_a_mapping(made, field):
    for number, value in enumerate(VALUES[field]):
        post(made, index(f"w{number}", 9, **{field: value}))


DYNAMIC = [
    ("s", "text"), ("f", 1.5), ("l", 1), ("b", True), ("d", "2020-01-01"), ("o", {"a": {"b": 1}}),
    ("e", []), ("nn", None), ("a", [1, 2]), ("l", "x"), ("l", 1.5), ("f", 2), ("b", "x"), ("o", 1),
    ("dt", "2020-01-01T00:00:00Z"), ("eo", {}), ("l", {"a": 1}), ("x.y", 1), ("x", {"z": "t"}),
    ("x.y", "no"), ("year", "2020"), ("month", "2020-01"), ("d", "text"), ("eo", {"late": 1}),
    ("big", 2**62), ("aa", [[], None, "x"]), ("slashed", "2020/01/02"), ("slashed", "2020/01/03"),
]  # fmt: skip


def test_what_documents_add_to_a_mapping(both):
    both("PUT", "NAME_1", {"aliases": {"NAME": {}}})
    for number, (field, value) in enumerate(DYNAMIC):
        post(both, index(f"w{number}", 9, **{field: value}))
    assert both("GET", "NAME?filter_path=*.mappings.properties.*.type")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n", b"garbage\n", bulk({"index": {"_id": "a"}}, {"n": 1})[:-1],
        index("ok", 1, n=1) + index("x" * 513, 1, n=1), delete("ä" * 257, 1), index("", 1, n=1),
        index("ä" * 256, 1, n=1), bulk({"index": {"_id": "g"}}, b"{garbage") + index("h", n=1),
        index("list", 1) + bulk({"index": {"_id": "l"}}, b"[1]"),
    ],
)  # fmt: skip
def test_bodies(made, body):
    post(made, body)


def test_no_alias_and_no_index(made):
    for body in (index("a", 50, n=1), delete("a", 60), delete("a"), index("a", n=1)):
        post(made, body, "NAME_1")
        post(made, body, "NAME_none")
    made("HEAD", "NAME_none")
    without_guard = bulk({"delete": {"_id": "a"}})
    post(made, without_guard, "NAME_none")
    made("HEAD", "NAME_none")
    versioned = bulk({"delete": {"_id": "a", "version": 5, "version_type": "external_gte"}})
    post(made, versioned, "NAME_deleted")
    made("HEAD", "NAME_deleted")
    post(made, index("a", n=1), "NAME_new", f"filter_path={PATH}")
    made("HEAD", "NAME_new")


def test_indices_and_aliases(both):
    body = {
        "mappings": MAPPING,
        "settings": SETTINGS,
        "aliases": {"NAME": {"is_write_index": True}},
    }
    for asked in (
        ("GET", "NAME,NAME_1?ignore_unavailable=true"), ("GET", "NAME"), ("HEAD", "NAME"),
        ("PUT", "NAME_1", body), ("PUT", "NAME_1", {}), ("PUT", "NAME", {}), ("PUT", "NAME_UP", {}),
        ("PUT", "NAME_%3Fx", {}),
        ("PUT", "NAME_x", {"aliases": {"NAME_1": {}}}), ("HEAD", "NAME"), ("HEAD", "NAME_1"),
        ("GET", "NAME?filter_path=*.aliases,*.mappings"),
        ("GET", "NAME?filter_path=*.settings.index.gc_deletes,*.settings.index.hidden"),
        ("GET", "NAME?filter_path=*.settings.index.analysis"),
        ("GET", "NAME?filter_path=*.settings.index.uuid.deeper"),
        ("GET", "NAME,NAME_1,NAME_no?ignore_unavailable=true&filter_path=*.aliases"),
        ("GET", "NAME_1,NAME_no"), ("GET", "NAME?filter_path=*.nothing"),
        ("PUT", "NAME_1/_alias/NAME_a", {"is_write_index": True}), ("PUT", "NAME_no/_alias/x", {}),
        ("PUT", "NAME_1/_mapping", {"properties": {"new": {"type": "keyword"}}}),
        ("PUT", "NAME_1/_mapping", {"properties": {"o": {"properties": {"y": {"type": "long"}}}}}),
        ("PUT", "NAME_1/_mapping", {"properties": {"n": {"type": "keyword"}}}),
        ("PUT", "NAME_no/_mapping", {"properties": {"n": {"type": "keyword"}}}),
        ("GET", "NAME_1?filter_path=*.aliases,*.mappings"),
        ("POST", "NAME/_refresh"), ("POST", "NAME_no/_refresh"), ("GET", "NAME_no/_search"),
        ("GET", "NAME_no/_doc/a"), ("GET", "NAME_no/_count"),
        ("DELETE", "NAME"), ("DELETE", "NAME_1"), ("DELETE", "NAME_1"),
        ("GET", "NAME?ignore_unavailable=true"),
    ):  # fmt: skip
        both(*asked)


def test_aliases_that_cannot_be_written_to(both):
    both("PUT", "NAME_1", {"aliases": {"NAME": {"is_write_index": False}}})
    post(both, index("a", 1, n=1) + delete("b", 1))
    both("PUT", "NAME_2", {"aliases": {"NAME": {}}})
    post(both, index("a", 1, n=1))
    both("PUT", "NAME_2/_alias/NAME", {"is_write_index": True})
    post(both, index("a", 1, n=1))


def test_searches(made):
    post(made, index("a", 1, n=1, k="b", o=[{"x": 1}, {"x": 2}]))
    post(made, index("b", 2, n=1, k="a") + index("c", 3, n=2, k="c")
         + index("d", 4, n=1) + delete("c", 9))  # fmt: skip
    one = {"query": {"bool": {"filter": [{"term": {"n": 1}}]}}, "sort": [{"k": "asc"}]}
    made("POST", "NAME/_search", one)
    made("POST", "NAME/_refresh")
    for body in (
        one, one | {"size": 1, "version": True, "_source": False},
        one | {"search_after": ["a"], "size": 1}, one | {"search_after": [""]},
        {"sort": [{"k": {"order": "desc"}}]}, {"sort": [{"n": "asc"}, {"k": "desc"}]},
        {"query": {"terms": {"k": ["a", "b"]}}, "sort": "k"},
        {"query": {"term": {"o.x": 1}}, "sort": [{"o.x": "asc"}]},
        {"query": {"ids": {"values": ["a", "d"]}}, "sort": "k"},
        {"query": {"bool": {"must": {"term": {"k": {"value": "a"}}}}}},
    ):  # fmt: skip
        made("POST", "NAME/_search", body)
    made("GET", "NAME/_count")


def test_items_for_indices_of_their_own(made):
    for suffix in ("2", "3"):
        aliases = {
            f"NAME_{suffix}-own": {"is_write_index": True},
            "NAME": {"is_write_index": False},
        }
        made("PUT", f"NAME_{suffix}", {"aliases": aliases})
    version = {"version": 5, "version_type": "external_gte"}

    def to(target, kind="index", **details):
        return {kind: {"_index": target, "_id": "a", **version, **details}}

    guard = {"update": {"_index": "NAME_4", "_id": "pillowtop"}}, {"doc": {}}
    for body in (
        bulk(to("NAME_2-own", routing="r"), {"n": 1}, to("NAME_3-own"), {"n": 2}),
        bulk(to("NAME_2"), {"n": 1}),  # which is no alias
        bulk(to("NAME_3", "delete"), to("NAME_2-own", routing="s"), {"n": 3}),
        bulk(to("NAME_4", "delete"), *guard, to("NAME_2-own", "delete", routing="s")),
        bulk(to("NAME_2-own", routing="s"), {"n": 1}),
    ):
        post(made, body)
    made("GET", "NAME_4,NAME?ignore_unavailable=true&filter_path=*.aliases")
    made("POST", "NAME/_refresh")
    made("POST", "NAME/_search", {"version": True, "sort": [{"n": "asc"}]})
    made("GET", "NAME_2/_doc/a?routing=s")
