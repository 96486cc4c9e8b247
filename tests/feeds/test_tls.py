from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import pytest

from pillowtop.exceptions import ConfigurationError, ServerBusy, ServerUnreachable
from pillowtop.feeds.couch import CouchFeed
from pillowtop.testing.scripted import ScriptedServer
from tests.projects import ROOT

from .scripts import answering, database_at, ids, page, replying, row, take, until_error

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")

LARGE = [row(n, doc={"x": "y" * 1000}) for n in range(500)]


@contextmanager
def tls_server(answer, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = ScriptedServer(answering(answer))
    plain = server._server.socket
    server._server.socket = context.wrap_socket(
        plain, server_side=True, do_handshake_on_connect=False
    )
    with server:
        yield server, f"https://127.0.0.1:{server.port}"


def continuous(servers):
    """A long feed: one record of TLS a row, as CouchDB sends them."""

    def answer(request, connection):
        if request.query["feed"] == "normal":
            connection.reply(200, page([]))
            return
        connection.start()
        for text in LARGE:
            connection.chunk(text + b"\n")
        servers[0].stopping.wait(30)

    return answer


def test_a_certificate_that_is_trusted(certificate):
    servers = []
    with tls_server(continuous(servers), certificate) as (server, url):
        servers.append(server)
        feed = CouchFeed(database_at(url, ca_certs=str(certificate[0])))
        reads = take(feed.read(0, follow=True), lambda taken: len(ids(taken)) == len(LARGE))
    assert len(ids(reads)) == len(LARGE)
    # Many records were read at once.
    assert len(reads) < len(LARGE) / 2


def test_a_certificate_that_is_not_trusted(certificate):
    with tls_server(replying(200, page([])), certificate) as (server, url):
        for include_docs in (True, False):  # by the pool, and by the stream
            feed = CouchFeed(database_at(url), include_docs=include_docs)
            _, error = until_error(feed.read(0, follow=False), ConfigurationError)
            assert "COUCHDB_CA_CERTS" in str(error)
            assert f"127.0.0.1:{server.port}" in str(error)


def test_tls_towards_a_server_without_it(certificate):
    with ScriptedServer(replying(200, page([]))) as server:
        url = f"https://127.0.0.1:{server.port}"
        for include_docs in (True, False):
            feed = CouchFeed(database_at(url), include_docs=include_docs)
            until_error(feed.read(0, follow=False), (ServerBusy, ServerUnreachable))


@pytest.mark.parametrize("include_docs", [False, True])
def test_without_tls_certificates_do_not_matter(include_docs):
    with ScriptedServer(answering(replying(200, page([row(1)])))) as server:
        feed = CouchFeed(database_at(server.url, ca_certs="/nope"), include_docs=include_docs)
        assert ids(feed.read(0, follow=False)) == ["d1"]


@pytest.mark.parametrize("tls", [False, True])
def test_everything_works_with_gevents_sockets(certificate, tls, tmp_path):
    """Ticks, silence and backlogs, and that other greenlets run meanwhile."""
    script = tmp_path / "follow.py"
    script.write_text(textwrap.dedent(FOLLOW))
    servers = []
    answer = continuous(servers)
    if tls:
        with tls_server(answer, certificate) as (server, url):
            servers.append(server)
            outcome = _run(script, url, str(certificate[0]))
    else:
        with ScriptedServer(answering(answer)) as server:
            servers.append(server)
            outcome = _run(script, server.url)
    assert outcome.stdout.split() == ["500", "silent", "ticked"], outcome.stderr


def _run(script, *arguments):
    return subprocess.run(
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


FOLLOW = """
    from gevent import monkey
    monkey.patch_all()
    import sys, time
    import gevent
    from pillowtop.endpoints import Endpoint
    from pillowtop.exceptions import FeedInterrupted
    from pillowtop.feeds.couch import CouchFeed
    from pillowtop.feeds.couch_database import CouchDatabase

    ticks = []
    def tick():
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.05)
    gevent.spawn(tick)
    url, *ca_certs = sys.argv[1:]
    endpoint = Endpoint.parse(url, ca_certs=ca_certs[0] if ca_certs else None)
    feed = CouchFeed(CouchDatabase(endpoint, "db"), silence_seconds=1.5)
    count = 0
    try:
        for read in feed.read(0, follow=True):
            count += len(read.changes)
    except FeedInterrupted as error:
        print(count, "silent" if "silent" in str(error) else error)
    print("ticked" if len(ticks) > 15 else ticks)
"""
