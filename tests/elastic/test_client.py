"""What goes over the wire, and what becomes of its faults."""

from __future__ import annotations

import base64
import socket

import pytest

from pillowtop.elastic.client import BulkClient
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    AnswerLate,
    ConfigurationError,
    ServerBusy,
    ServerUnreachable,
    TransientError,
)
from pillowtop.testing.scripted import ScriptedServer


def client(url, **options):
    return BulkClient(Endpoint.parse(url, **options), timeout_seconds=0.2)


def test_a_request():
    with ScriptedServer(lambda _, connection: connection.reply(200, {"items": []})) as server:
        response = client(f"{server.url}/below").post_bulk("orders", b"{}\n")
    (request,) = server.requests
    assert response.status == 200
    assert response.body == b'{"items": []}'
    assert (request.method, request.path, request.body) == ("POST", "/below/orders/_bulk", b"{}\n")
    assert request.query["require_alias"] == "true"
    assert "items.*.error" in request.query["filter_path"]
    assert request.headers["content-type"] == "application/x-ndjson"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"api_key": "key"}, "ApiKey key"),
        ({"username": "u", "password": "p"}, "Basic " + base64.b64encode(b"u:p").decode()),
    ],
)
def test_credentials(options, expected):
    with ScriptedServer(lambda _, connection: connection.reply(200, {})) as server:
        client(server.url, **options).post_bulk("orders", b"")
    assert server.requests[0].headers.get("authorization") == expected


def test_connections_stay_open():
    connections = set()

    def answer(_, connection):
        connections.add(connection)
        connection.reply(200, {})

    with ScriptedServer(answer) as server:
        posting = client(server.url)
        for _ in range(3):
            posting.post_bulk("orders", b"")
    assert len(connections) == 1


@pytest.mark.parametrize("status", [302, 400, 413, 429, 500, 503])
def test_statuses_are_handed_on(status):
    """Without redirects, and without retries of urllib3's."""
    with ScriptedServer(
        lambda _, connection: connection.reply(status, b"text", {"Location": "/elsewhere"})
    ) as server:
        assert client(server.url).post_bulk("orders", b"") == (status, b"text")
    assert len(server.requests) == 1


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def test_refused():
    port = unused_port()
    with pytest.raises(ServerUnreachable, match="refused") as raised:
        client(f"http://127.0.0.1:{port}").post_bulk("orders", b"")
    assert (raised.value.host, raised.value.port) == ("127.0.0.1", port)


def test_no_such_host():
    with pytest.raises(ServerUnreachable) as raised:
        client("http://no-such-host.invalid:9200").post_bulk("orders", b"")
    assert (raised.value.host, raised.value.port) == ("no-such-host.invalid", 9200)


@pytest.mark.parametrize("fault", ["reset", "close"])
def test_hung_up_on_before_an_answer(fault):
    with (
        ScriptedServer(lambda _, connection: getattr(connection, fault)()) as server,
        pytest.raises(ServerUnreachable),
    ):
        client(server.url).post_bulk("orders", b"")


def cut(_, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"items":[')
    connection.close()


def cut_chunks(_, connection):
    connection.start()
    connection.chunk(b'{"items":[')
    connection.close()


def cut_by_reset(_, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"items":[')
    connection.reset()


def garbage(_, connection):
    connection.send(b"\x00\x01 what is this\r\n\r\n")
    connection.close()


@pytest.mark.parametrize("answer", [cut, cut_chunks, cut_by_reset, garbage])
def test_broken_answers(answer):
    with ScriptedServer(answer) as server, pytest.raises(TransientError) as raised:
        client(server.url).post_bulk("orders", b"")
    if answer is not cut_by_reset:  # where the reset may overtake the bytes
        assert type(raised.value) is TransientError
        assert "unknown outcome" in str(raised.value)


@pytest.mark.parametrize("begun", [False, True])
def test_an_answer_that_does_not_come(begun):
    def hang(_, connection):
        if begun:
            connection.start()
            connection.chunk(b"{")
        server.stopping.wait()

    with (
        ScriptedServer(hang) as server,
        pytest.raises(AnswerLate, match="unknown outcome"),
    ):
        client(server.url).post_bulk("orders", b"")


def test_no_secret_in_errors():
    url = f"http://user:hunter2@127.0.0.1:{unused_port()}"
    with pytest.raises(ServerUnreachable) as raised:
        client(url).post_bulk("orders", b"")
    assert "hunter2" not in repr(raised.value)
    assert "hunter2" not in repr(raised.value.__cause__)


def test_a_certificate_that_is_trusted(tls_server, certificate):
    url = tls_server.url.replace("http:", "https:")
    trusting = client(url, ca_certs=str(certificate[0]))
    assert trusting.post_bulk("orders", b"").status == 200
    trusting.close()


def test_a_certificate_that_is_not(tls_server):
    with pytest.raises(ConfigurationError, match=r"not trusted .*ELASTICSEARCH_CA_CERTS"):
        client(tls_server.url.replace("http:", "https:")).post_bulk("orders", b"")
    assert tls_server.requests == []


def test_certificates_that_cannot_be_read(tmp_path):
    (tmp_path / "no.pem").write_text("no certificate")
    for path in ("/nope", str(tmp_path), str(tmp_path / "no.pem")):
        made = client("https://127.0.0.1:1", ca_certs=path)
        with pytest.raises(
            ConfigurationError,
            match=f"^ELASTICSEARCH_CA_CERTS: certificates cannot be read from {path!r}: ",
        ):
            made.post_bulk("orders", b"")
        made.close()


def test_without_tls_certificates_do_not_matter():
    with ScriptedServer(lambda _, connection: connection.reply(200, {})) as server:
        assert client(server.url, ca_certs="/nope").post_bulk("orders", b"").status == 200


def test_tls_towards_a_server_without_it(plain_port):
    with pytest.raises(ServerBusy, match="does not speak TLS: is it https"):
        client(f"https://127.0.0.1:{plain_port}").post_bulk("orders", b"")


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_with_tls_that_dies(tls_server, certificate, begun):
    """The end of a connection is no sign of a wrong setting."""

    def die(_, connection):
        if begun:
            connection.start()
        connection.close()

    tls_server.answer = die
    url = tls_server.url.replace("http:", "https:")
    with pytest.raises(TransientError) as raised:
        client(url, ca_certs=str(certificate[0])).post_bulk("orders", b"")
    assert not isinstance(raised.value, ServerBusy)
