"""What waits for pillows is asked for once, for all of them."""

from __future__ import annotations

import gevent
from gevent.event import Event

from pillowtop.worker.mail import Mail


class SlowBooks:
    """Answers once it is told to."""

    def __init__(self):
        self.may_answer = Event()
        self.asked = 0

    def run(self, function):
        self.asked += 1
        self.may_answer.wait()
        return {"a"}


def test_who_comes_while_it_asks_waits_for_that_answer():
    books = SlowBooks()
    mail = Mail(books, 60.0)
    both = [gevent.spawn(mail.waits_for, name) for name in ("b", "a")]
    gevent.idle()
    assert not any(one.ready() for one in both)
    books.may_answer.set()
    assert [one.get(timeout=10) for one in both] == [False, True]
    assert books.asked == 1
