"""Which client a cluster is asked through, and what becomes of one that changes."""

from __future__ import annotations

import base64
import logging
import sys

import pytest

from pillowtop.elastic.cluster import Cluster, path_to
from pillowtop.elastic.families import Elasticsearch, OpenSearch
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

SIGNED = {"X-Elastic-Product": "Elasticsearch"}
UNSIGNED = {"Content-Type": "application/json; charset=UTF-8"}
OK = (200, {"ok": True})


def elasticsearch(status=200, body=OK[1]):
    """Answers as Elasticsearch does, with this to all but `GET /`."""
    return answering({"version": {"number": "9.1.0"}}, status, body, SIGNED)


def opensearch(status=200, body=OK[1]):
    said = {"version": {"distribution": "opensearch", "number": "3.0.0"}}
    return answering(said, status, body, UNSIGNED)


def answering(said, status, body, headers):
    def answer(request, connection):
        content_type = request.headers.get("content-type", "")
        if request.path == "/below/":
            connection.reply(200, said, headers)
        elif request.body and "vnd.elasticsearch" in content_type and headers is UNSIGNED:
            refused = f"Content-Type header [{content_type}] is not supported"
            connection.reply(406, {"error": refused, "status": 406}, headers)
        else:
            connection.reply(status, body, headers)

    return answer


def cluster(server, **options):
    return Cluster(Endpoint.parse(f"{server.url}/below", **options), timeout_seconds=1.0)


def asking(server, body=None):
    return cluster(server).request("orders", "POST", "/orders", body=body)


FAMILIES = pytest.mark.parametrize("family", [elasticsearch, opensearch])


@FAMILIES
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"api_key": "key"}, "ApiKey key"),
        ({"username": "u", "password": "p"}, "Basic " + base64.b64encode(b"u:p").decode()),
    ],
)
def test_a_request(family, options, expected):
    with ScriptedServer(family()) as server:
        made = cluster(server, **options)
        path = path_to("a,b", "_search")
        for _ in range(2):
            said = made.request("a", "POST", path, params={"timeout": "1s"}, body={"size": 1})
            assert said == OK[1]
        made.close()
    look, *asked = server.requests
    assert (look.method, look.path) == ("GET", "/below/")
    assert [one.target for one in asked] == ["/below/a,b/_search?timeout=1s"] * 2
    assert [one.json() for one in asked] == [{"size": 1}] * 2
    assert {one.headers.get("authorization") for one in server.requests} == {expected}


def refusal(error_type):
    return {"error": {"type": error_type, "reason": "why"}, "status": 0}


@FAMILIES
@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, refusal("security_exception"), AccessDenied, "refuses us access to 'orders'"),
        (403, {"message": "no"}, AccessDenied, "ELASTICSEARCH_PASSWORD"),
        (403, refusal("cluster_block_exception"), ServerBusy, "cluster_block_exception"),
        (429, refusal("circuit_breaking_exception"), ServerBusy, "circuit_breaking_exception"),
        (500, {"error": "text"}, ServerBusy, "text"),
        (502, b"", ServerBusy, "502"),
        (400, refusal("invalid_index_name_exception"), TargetUnusable, "invalid_index_name"),
        (200, b"[1]", ServerBusy, "something else than Elasticsearch or OpenSearch"),
    ],
)
def test_refusals(family, status, body, error, words):
    with (
        ScriptedServer(family(status, body)) as server,
        pytest.raises(error, match=words) as raised,
    ):
        asking(server)
    if status not in (200, 403):
        title = "OpenSearch" if family is opensearch else "Elasticsearch"
        assert title in str(raised.value)


@FAMILIES
def test_why_something_is_refused_can_be_asked(family):
    with (
        ScriptedServer(family(404, refusal("index_not_found_exception"))) as server,
        pytest.raises(TargetUnusable) as raised,
    ):
        asking(server)
    assert (raised.value.status, raised.value.cause_type) == (404, "index_not_found_exception")
    assert (TargetUnusable("words").status, TargetUnusable("words").cause_type) == (0, "")


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {"error": "not_found"}), (400, b""), (200, ["a"]), (200, {"version": "2"})],
)
def test_something_else(status, body):
    with (
        ScriptedServer(lambda _, connection: connection.reply(status, body)) as server,
        pytest.raises(ServerBusy, match="something else than Elasticsearch or OpenSearch listens"),
    ):
        asking(server)


def test_rights_that_do_not_reach_the_root():
    """An API key for one index may not look at the cluster."""

    def answer(request, connection):
        status = 403 if request.path == "/below/" else 200
        connection.reply(status, OK[1], SIGNED)

    with ScriptedServer(answer) as server:
        assert asking(server) == OK[1]


@pytest.mark.parametrize(
    ("first", "then"), [(elasticsearch, opensearch), (opensearch, elasticsearch)]
)
@pytest.mark.parametrize("body", [None, {"size": 1}])
def test_a_server_that_becomes_another(first, then, body):
    with ScriptedServer(first()) as server:
        made = cluster(server)
        made.request("orders", "POST", "/orders", body=body)
        server.answer = then()
        for _ in range(2):
            try:
                said = made.request("orders", "POST", "/orders", body=body)
                break
            except TransientError as error:
                assert "something else than" in str(error)  # noqa: PT017
    assert said == OK[1]


@FAMILIES
def test_a_server_that_dies(family):
    with ScriptedServer(family()) as server:
        made = cluster(server)
        made.request("orders", "GET", "/orders")
        server.answer = lambda _, connection: connection.reset()
        with pytest.raises(ServerUnreachable) as raised:
            made.request("orders", "GET", "/orders")
        assert (raised.value.host, raised.value.port) == ("127.0.0.1", server.port)
        server.answer = family()
        assert made.request("orders", "GET", "/orders") == OK[1]
        assert len(server.requests) == 5


@FAMILIES
def test_a_server_that_hangs(family):
    with ScriptedServer(family()) as server:
        made = cluster(server)
        made.request("orders", "GET", "/orders")
        server.answer = lambda *_: server.stopping.wait()
        with pytest.raises(TransientError):
            made.request("orders", "GET", "/orders")


def over_tls(family, port):
    made = family(Endpoint.parse(f"https://127.0.0.1:{port}", api_key="key"), 1.0)
    try:
        made.ask("GET", "/", None)
    finally:
        made.close()


@pytest.mark.parametrize("family", [Elasticsearch, OpenSearch])
def test_clients_refuse_what_is_not_trusted(family, tls_server, plain_port):
    with pytest.raises(ConfigurationError, match=r"not trusted .*ELASTICSEARCH_CA_CERTS"):
        over_tls(family, tls_server.port)
    with pytest.raises(ServerBusy, match="does not speak TLS: is it https"):
        over_tls(family, plain_port)
    assert tls_server.requests == []


def test_the_log_is_left_to_us(caplog):
    caplog.set_level(logging.INFO)
    with ScriptedServer(opensearch(400, refusal("any"))) as server, pytest.raises(TargetUnusable):
        asking(server)
    assert [record for record in caplog.records if record.name.startswith("opensearch")] == []


def test_a_client_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensearchpy", None)
    with (
        ScriptedServer(opensearch()) as server,
        pytest.raises(
            ConfigurationError, match=r'pip install "django-pillowtop\[opensearch\]"'
        ) as raised,
    ):
        asking(server)
    assert f"127.0.0.1:{server.port}" in str(raised.value)
