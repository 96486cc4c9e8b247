"""Many documents at once, over connections that are kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import ServerBusy, ServerUnreachable
from pillowtop.feeds.couch_errors import AnswerTooLarge
from pillowtop.feeds.large_answers import KEPT, LargeAnswers
from pillowtop.testing.scripted import ScriptedServer
from tests.projects import wait_until

from .scripts import database_at, in_turn, replying

LOADED = {"results": [{"id": "a", "docs": [{"ok": {"_id": "a", "_rev": "1-a"}}]}]}
DENIED = {"error": "unauthorized", "reason": "Name or password is incorrect."}
AT_MOST = 1000
SECONDS = 20


def large(server, silence_seconds=10.0):
    return LargeAnswers(Endpoint.parse(server.url), silence_seconds)


def ask(answers):
    return answers.ask("POST", "/db/_bulk_get", {}, b"{}", AT_MOST)


def noting(seen, answer):
    """The same answer, and by which connections it was given."""

    def noted(request, connection):
        seen.append(connection)
        answer(request, connection)

    return noted


def cut(_request, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"results":[')
    connection.close()


def test_a_connection_is_kept():
    seen = []
    with ScriptedServer(noting(seen, replying(200, LOADED))) as server:
        answers = large(server)
        assert [ask(answers).json() for _ in range(3)] == [LOADED] * 3
    assert len(set(seen)) == 1


def test_an_answer_is_given_whatever_it_says():
    with ScriptedServer(replying(401, DENIED)) as server:
        answer = ask(large(server))
    assert (answer.status, answer.complaint[0]) == (401, "unauthorized")
    assert answer.headers["content-type"].startswith("application/json")


def test_what_is_too_large_is_not_read_and_its_connection_given_up():
    seen = []

    def endless(_request, connection):
        connection.start()
        connection.chunk(b"x" * (AT_MOST + 1))
        server.stopping.wait()

    with ScriptedServer(noting(seen, in_turn(endless, replying(200, LOADED)))) as server:
        answers = large(server)
        with pytest.raises(AnswerTooLarge):
            ask(answers)
        assert ask(answers).json() == LOADED
    assert len(set(seen)) == 2


def test_what_came_behind_an_answer_is_no_answer_to_the_next_request():
    """A proxy that answers twice, or says that the connection was idle for too long."""
    told = threading.Event()

    def twice(_request, connection):
        connection.reply(200, LOADED)
        told.wait(SECONDS)
        connection.reply(200, {"results": []})
        told.clear()

    with ScriptedServer(in_turn(twice, replying(200, LOADED))) as server:
        answers = large(server)
        assert ask(answers).json() == LOADED
        told.set()
        wait_until(lambda: not told.is_set(), SECONDS)
        assert [ask(answers).json() for _ in range(2)] == [LOADED] * 2


def test_a_crowd_leaves_few_connections_behind():
    seen, all_there = [], threading.Barrier(2 * KEPT)

    def together(_request, connection):
        all_there.wait(SECONDS)
        connection.reply(200, LOADED)

    with ScriptedServer(noting(seen, together)) as server:
        answers = large(server)
        for connections in (2 * KEPT, 3 * KEPT):
            with ThreadPoolExecutor(2 * KEPT) as pool:
                asked = [pool.submit(ask, answers) for _ in range(2 * KEPT)]
            assert all(one.result().json() == LOADED for one in asked)
            assert len(set(seen)) == connections


def test_an_answer_that_was_cut_is_asked_for_once_more():
    with ScriptedServer(in_turn(cut, replying(200, LOADED))) as server:
        assert database_at(server.url).load(["a", "b"], AT_MOST)["a"].doc is not None
    assert len(server.requests) == 2


def test_one_that_is_cut_again_is_an_error():
    with ScriptedServer(cut) as server, pytest.raises(ServerUnreachable, match="cut"):
        database_at(server.url).load(["a", "b"], AT_MOST)
    assert len(server.requests) == 2


def test_silence_is_an_error():
    def hang(_request, _connection):
        server.stopping.wait()

    with ScriptedServer(hang) as server, pytest.raises(ServerBusy, match="has not answered"):
        ask(large(server, silence_seconds=0.1))
