"""What an index keeper makes of servers that are not as they should be."""

from __future__ import annotations

import logging
import threading

import pytest

from pillowtop.elastic.cluster import Cluster
from pillowtop.elastic.index import AliasedIndex
from pillowtop.elastic.keeper import IndexKeeper, _seconds
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    AccessDenied,
    ConfigurationError,
    ServerBusy,
    ServerUnreachable,
    TargetUnusable,
    TransientError,
)
from pillowtop.testing.scripted import ScriptedServer

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
TARGET = AliasedIndex("orders")


def keeper(url, timeout_seconds=5.0, **options):
    cluster = Cluster(Endpoint.parse(url, **options), timeout_seconds)
    return IndexKeeper(cluster, TARGET, "pillowtop")


def refusal(error_type, reason="why"):
    return {"error": {"type": error_type, "reason": reason}, "status": 0}


def preparing(status, body, headers=PRODUCT):
    with ScriptedServer(lambda _, connection: connection.reply(status, body, headers)) as server:
        keeper(server.url).prepare()


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, refusal("security_exception"), AccessDenied, "ELASTICSEARCH_API_KEY"),
        (403, refusal("security_exception"), AccessDenied, "privileges"),
        (403, refusal("cluster_block_exception"), ServerBusy, "cluster_block_exception"),
        (429, refusal("circuit_breaking_exception"), ServerBusy, "circuit_breaking_exception"),
        (503, refusal("master_not_discovered_exception"), ServerBusy, "master_not_discovered"),
        (500, {"error": "text"}, ServerBusy, "text"),
        (502, b"", ServerBusy, "502"),
        (400, refusal("invalid_index_name_exception"), TargetUnusable, "invalid_index_name"),
    ],
)
def test_refusals(status, body, error, words):
    with pytest.raises(error, match=words):
        preparing(status, body)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {"couchdb": "Welcome"}), (404, {"error": "not_found", "reason": "missing"}), (400, b"")],
)
def test_something_else_than_elasticsearch(status, body):
    with pytest.raises(ServerBusy, match=r"else than Elasticsearch .* 127\.0\.0\.1:\d"):
        preparing(status, body, {})


@pytest.mark.parametrize("body", [["a"], "text", b"5"])
def test_an_answer_that_is_no_object(body):
    with pytest.raises(ServerBusy, match="something else than Elasticsearch"):
        preparing(200, body)


def test_a_page_in_place_of_an_answer():
    with pytest.raises(ServerBusy, match="something else than Elasticsearch"):
        preparing(200, b"<html>", {**PRODUCT, "Content-Type": "text/html"})


def test_a_server_that_is_not_there():
    with ScriptedServer(lambda _, connection: connection.close()) as server:
        pass
    with pytest.raises(ServerUnreachable) as raised:
        keeper(server.url).prepare()
    assert (raised.value.host, raised.value.port) == ("127.0.0.1", server.port)


def test_a_server_that_hangs():
    with (
        ScriptedServer(lambda *_: server.stopping.wait()) as server,
        pytest.raises(TransientError),
    ):
        keeper(server.url, 0.2).prepare()


def test_an_index_that_comes_and_goes():
    def answer(request, connection):
        if request.method == "PUT":
            connection.reply(200, {"acknowledged": True}, PRODUCT)
        else:
            connection.reply(200, {}, PRODUCT)

    with (
        ScriptedServer(answer) as server,
        pytest.raises(TransientError, match="appears and vanishes"),
    ):
        keeper(server.url).prepare()


def found(gc_deletes="1h"):
    fields = {name: {"type": "keyword"} for name in ("id", "rev", "database", "pillow")}
    return {
        TARGET.index: {
            "aliases": {"orders": {}},
            "mappings": {"properties": {"_rev": {}, "pillowtop": {"properties": fields}}},
            "settings": {"index": {"uuid": "u", "gc_deletes": gc_deletes}},
        }
    }


def test_a_lost_race():
    """Somebody else created the index between our look and our request."""
    created = threading.Event()

    def answer(request, connection):
        if request.method == "PUT":
            created.set()
            connection.reply(400, refusal("resource_already_exists_exception"), PRODUCT)
        else:
            connection.reply(200, found() if created.is_set() else {}, PRODUCT)

    with ScriptedServer(answer) as server:
        assert keeper(server.url).prepare() == "u"


@pytest.mark.parametrize(("gc_deletes", "warns"), [("60s", True), ("1h", False), ("", True)])
def test_short_memories_are_warned_of(gc_deletes, warns, caplog):
    caplog.set_level(logging.WARNING)
    preparing(200, found(gc_deletes))
    actions = [getattr(record, "action", "") for record in caplog.records]
    assert actions == (["low_gc_deletes"] if warns else [])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1h", 3600), ("60m", 3600), ("1.5d", 129600), ("500ms", 0.5), ("3600000", 3600),
     ("", 60), ("never", 60)],
)  # fmt: skip
def test_seconds(value, seconds):
    assert _seconds(value) == seconds


def test_credentials():
    with ScriptedServer(lambda _, connection: connection.reply(200, found(), PRODUCT)) as server:
        made = keeper(server.url, api_key="key")
        made.prepare()
        made.identity()
    assert [request.headers["authorization"] for request in server.requests] == ["ApiKey key"] * 3


def test_a_certificate_that_is_trusted(tls_server, certificate):
    tls_server.answer = lambda _, connection: connection.reply(200, found(), PRODUCT)
    url = tls_server.url.replace("http:", "https:")
    assert keeper(url, ca_certs=str(certificate[0])).prepare() == "u"


def test_a_certificate_that_is_not(tls_server):
    with pytest.raises(ConfigurationError, match=r"not trusted .*ELASTICSEARCH_CA_CERTS"):
        keeper(tls_server.url.replace("http:", "https:")).prepare()
    assert tls_server.requests == []


def test_certificates_that_cannot_be_read(tmp_path):
    (tmp_path / "no.pem").write_text("no certificate")
    for path in ("/nope", str(tmp_path), str(tmp_path / "no.pem")):
        made = keeper("https://127.0.0.1:1", ca_certs=path)
        with pytest.raises(
            ConfigurationError,
            match=f"^ELASTICSEARCH_CA_CERTS: certificates cannot be read from {path!r}: ",
        ):
            made.prepare()


def test_without_tls_certificates_do_not_matter():
    with ScriptedServer(lambda _, connection: connection.reply(200, found(), PRODUCT)) as server:
        assert keeper(server.url, ca_certs="/nope").prepare() == "u"


def test_tls_towards_a_server_without_it(plain_port):
    with pytest.raises(ServerBusy, match="does not speak TLS: is it https"):
        keeper(f"https://127.0.0.1:{plain_port}").prepare()
