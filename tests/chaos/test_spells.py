"""What the spells harm, and that they harm nothing else."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
import urllib3

from dev.chaos import spells
from dev.chaos.network import ChaosProxy
from dev.proxy import Fault, is_bulk, is_feed
from pillowtop.testing.scripted import Request, ScriptedServer
from tests.projects import wait_until

PAGE = (
    b'{"results":[\n'
    b'{"seq":"1-a","id":"a","changes":[{"rev":"1-x"}]},\n'
    b'{"seq":"2-b","id":"b","changes":[{"rev":"1-y"}]}\n'
    b'],\n"last_seq":"2-b","pending":0}\n'
)
BULK = b'{"index":{"_id":"a"}}\n{"n":1}\n{"delete":{"_id":"b"}}\n{"index":{"_id":"c"}}\n{"n":3}\n'


def answered(request, connection):
    """As the two servers would."""
    if request.path.endswith("_bulk"):
        lines = iter(request.body.splitlines())
        items = []
        for text in lines:
            ((verb, what),) = json.loads(text).items()
            if verb == "index":
                next(lines)
            items.append({verb: {"_id": what["_id"], "status": 200}})
        connection.reply(200, {"errors": False, "items": items})
    else:
        connection.reply(200, PAGE)


@pytest.fixture
def upstream():
    with ScriptedServer(answered) as server:
        yield server


@pytest.fixture
def proxy(upstream):
    with ChaosProxy(upstream.url) as proxy:
        yield proxy


class Bites:
    count = 0

    def __call__(self):
        self.count += 1


@pytest.fixture
def bite():
    """Counts how often harm was done."""
    return Bites()


def page(proxy, since="1-a"):
    url = f"{proxy.url}/db/_changes?feed=normal&since={since}"
    return json.loads(urllib3.request("GET", url, retries=False).data)


def bulk(proxy):
    return urllib3.request("POST", f"{proxy.url}/index/_bulk", body=BULK, retries=False)


def test_items_that_are_refused_are_not_applied_and_the_others_are(proxy, upstream, bite):
    proxy.spells.append(spells.items_refused(bite, random.Random(3), 0.5))
    seen = Counter()
    for _ in range(20):
        items = json.loads(bulk(proxy).data)["items"]
        assert [next(iter(item.values()))["_id"] for item in items] == ["a", "b", "c"]
        applied = upstream.requests[-1].body
        for item in items:
            ((_, said),) = item.items()
            was_applied = b'"_id":"%b"' % said["_id"].encode() in applied
            assert was_applied is (said["status"] == 200)
            seen[said["status"]] += 1
    assert seen[200]
    assert seen[429]


def test_rows_are_reordered_and_no_seq_vouches_for_what_has_not_come(proxy):
    proxy.rewrite = spells.rows_reordered(random.Random(1))
    seen = {tuple((row["id"], row["seq"]) for row in page(proxy)["results"]) for _ in range(20)}
    assert seen == {(("a", "1-a"), ("b", "2-b")), (("b", None), ("a", "2-b"))}


def test_rows_of_a_document_stay_in_order():
    """A page may have it twice where it changed meanwhile: the older one last would be a lie."""
    names = ["a1", "b1", "a2", "c1", "b2"]
    rows = [{"seq": name, "id": name[0], "name": name} for name in names]
    body = json.dumps({"results": rows, "last_seq": "b2", "pending": 0}).encode()
    asked = Request("GET", "/db/_changes?feed=normal", {}, b"")
    orders = set()
    for seed in range(200):
        found = json.loads(spells.rows_reordered(random.Random(seed))(asked, body))["results"]
        ids = "".join(row["id"] for row in found)
        orders.add(ids)
        assert sorted(row["name"] for row in found) == sorted(names)
        for doc_id in "ab":
            its = [row["name"] for row in found if row["id"] == doc_id]
            assert its == sorted(its)
        for place, row in enumerate(found):
            if row["seq"] is not None:
                assert sorted(ids[: place + 1]) == sorted(one[0] for one in names[: place + 1])
                assert row["seq"] == names[place]
    assert len(orders) == 30


def test_rows_are_repeated(proxy):
    proxy.rewrite = spells.rows_repeated
    found = page(proxy)
    assert [row["id"] for row in found["results"]] == ["a", "a", "b", "b"]
    assert found["last_seq"] == "2-b"


def test_a_feed_starts_from_0_as_often_as_it_is_to(proxy, upstream, bite):
    proxy.spells.append(spells.rewound(bite, 1))
    page(proxy)
    page(proxy)
    assert [one.query["since"] for one in upstream.requests] == ["0", "1-a"]


def test_replies_are_lost_after_the_bulk_is_applied(proxy, upstream, bite):
    proxy.spells.append(spells.replies_lost(bite, random.Random(1), 1.0))
    with pytest.raises(urllib3.exceptions.ProtocolError):
        bulk(proxy)
    assert upstream.requests[0].body == BULK
    assert page(proxy)["last_seq"] == "2-b"


def test_bulks_are_refused_and_nothing_else(proxy, upstream, bite):
    proxy.spells.append(spells.bulks_refused(bite, 429))
    assert bulk(proxy).status == 429
    assert not upstream.requests
    assert page(proxy)["last_seq"] == "2-b"


def test_replies_are_cut_somewhere(proxy, bite):
    proxy.spells.append(spells.cuts(bite, random.Random(1), 1.0))
    with pytest.raises(urllib3.exceptions.HTTPError):
        list(map(bulk, [proxy] * 50))


def test_connections_are_refused_for_a_while(proxy):
    proxy.refuse()
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        page(proxy)
    proxy.accept()
    assert page(proxy)["last_seq"] == "2-b"


def test_connections_that_are_there_end_where_none_are_taken(proxy):
    with urllib3.HTTPConnectionPool(proxy.host, proxy.port, maxsize=1, retries=False) as pool:
        assert pool.request("GET", "/db").status == 200
        proxy.refuse()
        with pytest.raises(urllib3.exceptions.HTTPError):
            pool.request("GET", "/db")


def test_what_is_held_arrives_when_nobody_waits_for_it_any_more(proxy, upstream, bite):
    proxy.spells.append(spells.held(bite, proxy, 0.4))
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        urllib3.request("PUT", f"{proxy.url}/db/a", body=b"{}", timeout=0.1, retries=False)
    assert not upstream.requests
    wait_until(lambda: not proxy.held)
    assert upstream.requests[0].body == b"{}"
    assert bite.count == 1


def test_only_what_matches_is_cut(proxy, bite):
    proxy.spells.append(spells.cuts(bite, random.Random(1), 1.0, is_feed))
    for _ in range(50):
        assert bulk(proxy).status == 200
    assert not bite.count
    with pytest.raises(urllib3.exceptions.HTTPError):
        list(map(page, [proxy] * 50))
    assert bite.count == 1


def test_a_point_is_passed_alive_at_first(proxy, bite):
    proxy.faults.append(Fault(is_bulk, bite, passed=2))
    assert [bulk(proxy).status, page(proxy)["last_seq"], bulk(proxy).status] == [200, "2-b", 200]
    with pytest.raises(urllib3.exceptions.ProtocolError):
        bulk(proxy)
    assert bite.count == 1
