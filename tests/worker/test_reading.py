"""One reading of a feed, and what else runs in its process."""

from __future__ import annotations

import time
from contextlib import closing

import gevent
import gevent.socket

from pillowtop.changes import Change
from pillowtop.feeds.reading import Read
from pillowtop.worker.sharing import Reading

SECONDS = 20


def test_who_waits_for_a_server_has_a_turn_while_a_reader_computes():
    class Backlog:
        stream = "orders"

        def read(self, since, follow):
            for number in range(60):
                yield Read("orders", [Change(str(number))], f"{number}-x", more=True)

    def compute():
        while reading.take("reader") is not None:
            taken.append(time.monotonic())
            while time.monotonic() - taken[-1] < 0.002:
                pass

    def listen():
        gevent.socket.wait_read(ours.fileno())
        seen.append(len(taken))

    nothing = lambda: None  # noqa: E731
    reading = Reading(Backlog(), "0", "x", follow=False, gather=nothing, ended=nothing)
    reading.sit_behind("0", "reader")
    taken, seen = [], []
    ours, theirs = gevent.socket.socketpair()
    with closing(ours), closing(theirs):
        theirs.send(b"an answer")
        gevent.joinall([gevent.spawn(listen), gevent.spawn(compute)], SECONDS, True)
    assert len(taken) == 60
    assert seen[0] < 10
