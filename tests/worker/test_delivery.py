"""Intake and delivery against a target with external versions, by hypothesis.

Whatever fails on the way, and wherever the process is killed: in the end the target holds the
last state of each document, letters stand for what it rejects, and a checkpoint never passed
something that was not delivered.
"""

from __future__ import annotations

import gevent
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.changes import Change
from pillowtop.engine.batches import Limits
from pillowtop.engine.items import Item, Outcome, Verdict
from pillowtop.engine.ledger import Ledger
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Packer, Way
from pillowtop.exceptions import ServerBusy
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.intake import Intake
from pillowtop.worker.repeating import Repeating

LIMITS = Limits(documents=3, max_bytes=1000, linger_seconds=1000.0)
REJECTED = -1

FAULTS = ["none", "refused", "reply lost", "late", "some again"]


class Target:
    """Takes writes as an index with external versions does, after a script of faults."""

    batches_in_flight = 2
    decodes = True

    def __init__(self, faults):
        self.faults = iter(faults)
        self.state = {}
        self.versions = {}
        self.late = []
        self.under_way = []

    def pack(self, change, document, version):
        return Item(change.id, change.id, version, False, document["n"], 1, change.rev)

    def pack_deletion(self, change, version):
        return Item(change.id, change.id, version, True, None, 1, change.rev)

    def deliver(self, items):
        ids = {item.id for item in items}
        assert len(ids) == len(items), "a document twice in a batch"
        assert not any(ids & others for others in self.under_way), "a document in two batches"
        self.under_way.append(ids)
        try:
            gevent.sleep(0)
            return self._deliver(items)
        finally:
            self.under_way.remove(ids)

    def _deliver(self, items):
        fault = next(self.faults, "none")
        if fault == "refused":
            raise ServerBusy("down")
        if fault == "late":
            self.late.append(items)
            raise ServerBusy("the client gave up, the request lives on")
        if fault == "some again":
            return [self._write(item) for item in items[1:]] + [
                Outcome(items[0], Verdict.AGAIN, "es_rejected_execution_exception", "busy")
            ]
        outcomes = [self._write(item) for item in items]
        if fault == "reply lost":
            raise ServerBusy("no reply")
        return outcomes

    def _write(self, item):
        if item.payload == REJECTED:
            return Outcome(item, Verdict.REJECTED, "document_parsing_exception", "no")
        if item.version >= self.versions.get(item.id, 0):
            self.versions[item.id] = item.version
            self.state[item.id] = None if item.deletion else item.payload
        return Outcome(item, Verdict.DELIVERED)

    def apply_late(self):
        """What a client gave up on is applied after all, over newer writes."""
        for items in self.late:
            for item in items:
                self._write(item)
        self.late.clear()


class NoPatience:
    def endure(self, error):
        gevent.sleep(0)

    def succeeded(self):
        pass


def row(seq, doc_id, value):
    fields = {"seq": seq, "id": doc_id, "changes": [{"rev": f"{seq + 2}-x"}]}
    if value is None:
        fields["deleted"] = True
    else:
        fields["doc"] = {"_id": doc_id, "n": value}
    return msgspec.json.decode(msgspec.json.encode(fields), type=Change)


def live(target, rows, start, token, letters, reads):
    """One life from position `start`.

    `reads` says how `rows` are read, and after how many turns the life is killed.
    """
    ledger = Ledger({"s": start})
    greenlets = []

    def spawn(function, *args):
        greenlets.append(gevent.spawn(function, *args))

    def settle(delivered, written):
        for item in delivered:
            letters.pop(item.doc_id, None)
        letters.update({letter.doc_id: letter for letter in written})

    delivery = Delivery(
        Repeating(target, NoPatience, lambda: None, settle), target.batches_in_flight, spawn
    )
    pillow = BasicPillow()
    way = Way(pillow, BasicPillow)
    intake = Intake(way, Packer(way, target), Versions(token), delivery, ledger, LIMITS, NoPatience)
    position = start
    for size, more, kill in reads:
        part = rows[position : position + size]
        position += len(part)
        intake.take(Read("s", [row(n, *one) for n, one in part], position, more))
        if kill is not None:
            for _ in range(kill):
                gevent.sleep(0)
            while alive := [one for one in greenlets if not one.dead]:
                gevent.killall(alive)
            return ledger.positions["s"]
    intake.take(Read("s", [row(n, *one) for n, one in rows[position:]], len(rows), False))
    intake.finish()
    gevent.joinall(greenlets)
    assert ledger.positions["s"] == len(rows)
    return len(rows)


kills = st.one_of(st.none(), st.integers(0, 8))
reads = st.lists(st.tuples(st.integers(0, 5), st.booleans(), kills), max_size=6)
changes = st.lists(
    st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), st.integers(REJECTED, 9))),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(
    changes=changes,
    lives=st.lists(reads, min_size=1, max_size=4),
    faults=st.lists(st.sampled_from(FAULTS), max_size=30),
)
def test_nothing_is_lost_stale_or_resurrected(changes, lives, faults):
    target, letters, start = Target(faults), {}, 0
    rows = list(enumerate(changes))
    for token, how in enumerate([*lives, []], start=1):
        start = live(target, rows, start, token, letters, how)
        _nothing_before_was_skipped(target, letters, changes, start)
    target.apply_late()
    last = dict(changes)
    for doc_id, value in last.items():
        if value == REJECTED:
            assert doc_id in letters
        else:
            assert target.state.get(doc_id) == value
            assert doc_id not in letters


def _nothing_before_was_skipped(target, letters, changes, start):
    """What the checkpoint vouches for is written, or has a letter."""
    for doc_id, value in dict(changes[:start]).items():
        newer = {later for other, later in changes[start:] if other == doc_id}
        if value == REJECTED:
            assert doc_id in letters or newer
        else:
            assert target.state.get(doc_id) in {value, *newer}
