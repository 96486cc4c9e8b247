"""The parts of a lane, and what they are put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent

from pillowtop.engine.items import Gathering, Listing, Transactional, Transport
from pillowtop.engine.ledger import Ledger
from pillowtop.engine.resuming import Believed
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Packer, Way
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.reading import Feed
from pillowtop.listener import BasicPillow
from pillowtop.records import letters
from pillowtop.worker.again import Again
from pillowtop.worker.clearing import Clearing
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.fetching import Fetcher
from pillowtop.worker.intake import Intake
from pillowtop.worker.judging import Judge
from pillowtop.worker.leasing import Tenant
from pillowtop.worker.letterbox import LetterBox
from pillowtop.worker.loading import Loader
from pillowtop.worker.memory import Memory
from pillowtop.worker.office import Office
from pillowtop.worker.patience import Patience
from pillowtop.worker.repeating import Repeating
from pillowtop.worker.seats import Seat
from pillowtop.worker.transactions import Transactions

Spawn = Callable[..., gevent.Greenlet]


@dataclass(frozen=True)
class Ground:
    """What a lane stands on: from where, through what, to where. `database` is the feed's."""

    pillow: BasicPillow
    office: Office
    stream: str
    database: CouchDatabase | None
    transport: Transport
    way: Way

    @property
    def tenant(self) -> Tenant:
        return self.office.leases.of(self.pillow.name)

    @property
    def is_transactional(self) -> bool:
        return isinstance(self.transport, Transactional)

    @property
    def gathering(self) -> Gathering | None:
        """The transport, where it has something to do without any change."""
        return self.transport if isinstance(self.transport, Gathering) else None

    @property
    def believed(self) -> Believed:
        return "target" if self.is_transactional else self.office.settings.checkpoints

    def patience(self) -> Patience:
        """Fresh patience for one thing that the pillow does."""
        return self.office.patience(self.pillow.name)

    def record(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of `records` about this pillow, until the database takes it.

        Raises `HeldElsewhere` where another process has taken over: then what this one has to
        say, as of a reply that came late, must not undo what that one has written down.
        """

        def attempt() -> Any:
            self.tenant.demand()
            return self.office.books.run(function, self.pillow.name, *args)

        return self.patience().until_done(attempt)


def make_memory(ground: Ground) -> Memory:
    return Memory(
        ground.pillow,
        ground.stream,
        ground.database,
        ground.transport.identity,
        ground.tenant.demand,
        ground.office.books,
        ground.believed,
    )


def make_delivery(ground: Ground, memory: Memory, spawn: Spawn) -> Delivery:
    """One by one until each is delivered; or, into the Django database, in transactions."""
    name, stream, transport = ground.pillow.name, ground.stream, ground.transport
    pause_seconds = ground.office.settings.STORM_SECONDS
    landed = ground.office.figures(name).landed
    judge = Judge(name, ground.pillow.on_error, ground.office.storm(name), pause_seconds)
    letterbox = LetterBox(
        name,
        write=lambda written: memory.count_letters(ground.record(letters.write, stream, written)),
        clear=lambda doc_ids: ground.record(letters.clear, stream, doc_ids),
        judge=judge,
        holds_any=ground.record(letters.count) > 0,
    )
    deliver = (
        Transactions(
            name, stream, transport, memory, ground.patience, judge, letterbox.tell, landed
        )
        if isinstance(transport, Transactional)
        else Repeating(transport, ground.patience, ground.tenant.demand, letterbox.settle, landed)
    )
    return Delivery(deliver, transport.batches_in_flight, spawn)


def make_intake(
    ground: Ground,
    versions: Versions,
    delivery: Delivery,
    ledger: Ledger,
    *,
    whole_reads: bool,
    shared: bool = False,
) -> Intake:
    return Intake(
        ground.way,
        Packer(ground.way, ground.transport, shared=shared),
        versions,
        delivery,
        ledger,
        ground.office.settings.limits,
        ground.patience,
        whole_reads=whole_reads,
    )


def make_loader(
    ground: Ground, versions: Versions, spawn: Spawn, seat: Seat | None
) -> Loader | None:
    """Loads documents where the feed carries none and no hook does it."""
    if ground.database is None or ground.pillow.include_docs or ground.way.triggers:
        return None
    loader = Loader(
        ground.way,
        ground.database,
        versions,
        ground.patience(),
        spawn,
        ground.office.settings.BATCH_LINGER_SECONDS,
        lambda: seat.fetcher if seat else Fetcher(kept_bytes=0),
        whole_reads=ground.is_transactional,
    )
    ground.patience().until_done(loader.measure)
    return loader


def make_seat(ground: Ground, feed: Feed, memory: Memory) -> Seat | None:
    """The pillow's place at a feed that it shares; None where it reads alone."""
    group = ground.office.groups.get(ground.pillow.name)
    if group is None or not isinstance(feed, CouchFeed):
        return None
    return Seat(
        ground.pillow.name,
        group,
        feed,
        memory.identity,
        memory.verify,
        memory.verify_identity,
    )


def make_again(
    ground: Ground, memory: Memory, versions: Versions, delivery: Delivery
) -> Again | None:
    """Of what it takes no position hangs: its batches end where they are full."""
    if ground.database is None:
        return None
    intake = make_intake(ground, versions, delivery, Ledger(), whole_reads=False)
    return Again(
        ground.way,
        ground.database,
        ground.stream,
        versions,
        intake,
        ground.record,
        ground.patience,
        ground.office.storm(ground.pillow.name),
        memory.verify,
    )


def make_clearing(ground: Ground, versions: Versions) -> Clearing | None:
    """None where the target cannot say what it holds."""
    if ground.database is None or not isinstance(ground.transport, Listing):
        return None
    return Clearing(ground.transport, ground.database.name, versions)
