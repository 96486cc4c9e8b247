from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import suppress

import pytest

from dev.proxy import Proxy
from pillowtop.testing.scripted import ScriptedServer


@pytest.fixture(scope="session")
def elasticsearch_url(search_url):
    """What is tested in this room on a real server holds for all kinds of them."""
    return search_url


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", made[0], "-keyout", made[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture
def plain_port():
    """The port of a server that answers everybody in plain HTTP."""

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1000):
                    pass

    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.fixture
def tls_server(certificate):
    with speaking_tls(ScriptedServer(lambda _, to: to.reply(200, {})), certificate) as server:
        yield server


@pytest.fixture
def tls_proxy(elasticsearch_url, certificate):
    """A proxy that speaks TLS, in front of a real server."""
    with speaking_tls(Proxy(elasticsearch_url), certificate) as server:
        yield server


def speaking_tls(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    plain = server._server.socket
    server._server.socket = context.wrap_socket(
        plain, server_side=True, do_handshake_on_connect=False
    )
    return server
