"""Requests to a CouchDB server: who asks, and what breaks on the way."""

from __future__ import annotations

import threading

import pytest

from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    AccessDenied,
    ConfigurationError,
    ServerBusy,
    ServerUnreachable,
)
from pillowtop.feeds import couch_server
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.testing.scripted import ScriptedServer

from .scripts import INFO, database_at, ids, in_turn, page, replying, row, until_error


def test_basic_authentication_is_sent_with_all_requests():
    with ScriptedServer(in_turn(replying(200, INFO), replying(200, page([])))) as server:
        database = database_at(server.url, username="me", password="pä:ss")
        list(CouchFeed(database).read(0, follow=False))
    assert len(server.requests) == 2
    assert len({request.headers["authorization"] for request in server.requests}) == 1


def test_nothing_shows_the_password():
    database = database_at("http://h", username="me", password="hush-hush")
    for one in (database, database.server, CouchFeed(database), database.endpoint):
        assert "hush" not in repr(one) + str(one)


class Sessions:
    """Answers like a CouchDB that knows cookies; `expire` makes the open ones worthless."""

    def __init__(self, refusal=401):
        self.valid: set[str] = set()
        self.signed_in = 0
        self.refusal = refusal
        self.keeps = True
        self.lock = threading.Lock()

    def expire(self):
        self.valid.clear()

    def __call__(self, request, connection):
        if request.path == "/_session":
            self._sign_in(request, connection)
        elif request.headers.get("cookie") not in self.valid:
            reason = "Malformed AuthSession cookie. Please clear your cookies."
            connection.reply(self.refusal, {"error": "bad_request", "reason": reason})
        elif request.path.endswith("_changes"):
            connection.reply(200, page([row(1)]))
        else:
            connection.reply(200, INFO)

    def _sign_in(self, request, connection):
        if request.json() != {"name": "me", "password": "hush-hush"}:
            refusal = {"error": "unauthorized", "reason": "Name or password is incorrect."}
            connection.reply(401, refusal)
            return
        with self.lock:
            self.signed_in += 1
            cookie = f"AuthSession=c{self.signed_in}"
        if self.keeps:
            self.valid.add(cookie)
        connection.reply(200, {"ok": True}, {"Set-Cookie": f"{cookie}; Version=1; HttpOnly"})


def cookie_database(server, password="hush-hush"):
    return database_at(server.url, username="me", password=password, authentication="cookie")


@pytest.mark.parametrize("refusal", [401, 400])
def test_a_session_is_shared_and_renewed_once_it_has_expired(refusal):
    sessions = Sessions(refusal)
    with ScriptedServer(sessions) as server:
        database = cookie_database(server)
        feed = CouchFeed(database, include_docs=False)
        assert database.info().doc_count == 10
        assert ids(feed.read(0, follow=False)) == ["d1"]
        assert sessions.signed_in == 1
        sessions.expire()
        assert ids(feed.read(0, follow=False)) == ["d1"]
        assert sessions.signed_in == 2
        sessions.expire()
        assert database.info().doc_count == 10
    assert sessions.signed_in == 3
    assert not any("authorization" in request.headers for request in server.requests)


def test_a_session_that_is_never_accepted_is_renewed_once_only():
    sessions = Sessions()
    sessions.keeps = False
    with ScriptedServer(sessions) as server:
        database = cookie_database(server)
        with pytest.raises(AccessDenied):
            database.info()
        until_error(CouchFeed(database, include_docs=False).read(0, follow=False), AccessDenied)
    assert sessions.signed_in <= 5


def test_a_wrong_password_is_named_but_not_shown():
    with ScriptedServer(Sessions()) as server:
        for include_docs in (True, False):
            feed = CouchFeed(cookie_database(server, "secret"), include_docs=include_docs)
            _, error = until_error(feed.read(0, follow=False), AccessDenied)
            assert "'me'" in str(error)
            assert "COUCHDB_PASSWORD" in str(error)
            assert "secret" not in str(error)


def test_a_sign_in_without_a_cookie_is_not_couchdbs():
    with ScriptedServer(replying(200, {"ok": True})) as server, pytest.raises(ServerBusy):
        cookie_database(server).info()


def test_a_connection_that_was_closed_while_idle_is_replaced():
    def reply_and_close(request, connection):
        connection.reply(200, INFO)
        connection.close()

    with ScriptedServer(in_turn(reply_and_close, replying(200, INFO))) as server:
        database = database_at(server.url)
        for _ in range(2):
            assert database.info().doc_count == 10
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", ["close", "reset"])
def test_a_request_whose_connection_breaks_is_made_again(fault):
    def drop(request, connection):
        getattr(connection, fault)()

    with ScriptedServer(in_turn(replying(200, INFO), drop, replying(200, INFO))) as server:
        database = database_at(server.url)
        for _ in range(2):
            assert database.info().doc_count == 10
    assert len(server.requests) == 3


def test_a_server_that_closes_each_connection_is_unreachable():
    with ScriptedServer(lambda request, connection: connection.reset()) as server:
        with pytest.raises(ServerUnreachable) as caught:
            database_at(server.url).info()
        assert caught.value.port == server.port
        assert "0x" not in str(caught.value)
    assert len(server.requests) == 2


def test_a_server_that_never_answers_is_busy(monkeypatch):
    monkeypatch.setattr(couch_server, "SILENCE_SECONDS", 0.1)
    with (
        ScriptedServer(lambda *_: server.stopping.wait(30)) as server,
        pytest.raises(ServerBusy, match="has not answered"),
    ):
        database_at(server.url).info()


def test_servers_are_shared_by_their_endpoint():
    one = CouchDatabase(Endpoint.parse("http://h:1", username="a"), "x")
    two = CouchDatabase(Endpoint.parse("http://h:1", username="a"), "y")
    other = CouchDatabase(Endpoint.parse("http://h:1", username="b"), "y")
    assert one.server is two.server
    assert one.server is not other.server


def test_a_file_of_certificates_that_is_not_there():
    with pytest.raises(ConfigurationError, match=r"COUCHDB_CA_CERTS.*/no/such"):
        database_at("https://h", ca_certs="/no/such")


def test_an_account_that_is_locked_out_is_waited_for():
    words = "Account is temporarily locked due to multiple authentication failures"
    refusal = replying(403, {"error": "forbidden", "reason": words})
    with (
        ScriptedServer(refusal) as server,
        pytest.raises(ServerBusy, match="locked user"),
    ):
        database_at(server.url, username="ann", password="x").info()


def test_one_sign_in_serves_all_that_begin_at_once():
    signed_in = threading.Barrier(2)

    def answer(request, connection):
        if request.path == "/_session":
            signed_in.wait(5)
            number = len([one for one in server.requests if one.path == "/_session"])
            cookie = {"set-cookie": f"AuthSession={number}; Path=/"}
            connection.reply(200, {"ok": True}, cookie)
        else:
            connection.reply(200, INFO)

    with ScriptedServer(answer) as server:
        database = database_at(server.url, username="ann", password="x", authentication="cookie")
        threads = [threading.Thread(target=database.info) for _ in range(4)]
        for thread in threads:
            thread.start()
        signed_in.wait(5)
        for thread in threads:
            thread.join()
    assert len([one for one in server.requests if one.path == "/_session"]) == 1
