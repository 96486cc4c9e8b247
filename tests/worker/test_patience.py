"""Waiting for servers, with real ports."""

from __future__ import annotations

import logging
import socket

import gevent
import pytest

from pillowtop.exceptions import ServerBusy, ServerUnreachable
from pillowtop.worker.gates import Gates, accepts
from pillowtop.worker.patience import Patience


def listening(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_a_gate_of_a_server_that_takes_connections_is_open():
    with listening(0) as server:
        assert Gates(0.01).wait("127.0.0.1", server.getsockname()[1]) is False


def test_one_probe_wakes_all_who_wait():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    looks = []

    def counted(host, port):
        looks.append(port)
        return accepts(host, port)

    gates = Gates(0.01, counted)
    waiting = [gevent.spawn(gates.wait, "127.0.0.1", port) for _ in range(20)]
    while len(looks) < 3:
        gevent.sleep(0.01)
    assert not any(one.ready() for one in waiting)
    with listening(port):
        gevent.joinall(waiting, timeout=5)
    assert [one.value for one in waiting] == [True] * 20
    assert len(looks) < 60


def test_an_attempt_is_repeated_until_it_works(caplog):
    caplog.set_level(logging.INFO)
    failures = [ServerBusy("busy"), ServerBusy("busy"), ServerBusy("busier")]

    def attempt():
        if failures:
            raise failures.pop(0)
        return "done"

    patience = Patience("OrderPillow", Gates(0.01), max_seconds=0.001)
    assert patience.until_done(attempt) == "done"
    said = [record.getMessage() for record in caplog.records]
    assert said[:2] == [
        "OrderPillow: busy (tried again until it works)",
        "OrderPillow: busier (tried again until it works)",
    ]
    assert said[2].startswith("OrderPillow: goes on after")


def test_a_server_that_accepts_but_does_not_answer_is_no_reason_to_hurry():
    with listening(0) as server:
        patience = Patience("OrderPillow", Gates(0.01), max_seconds=0.001)
        for attempt in range(5):
            patience.endure(ServerUnreachable("127.0.0.1", server.getsockname()[1], "reset"))
            assert patience._backoff.attempts == attempt + 1


def test_what_is_terminal_is_not_endured():
    def attempt():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Patience("OrderPillow", Gates(0.01), max_seconds=0.001).until_done(attempt)
