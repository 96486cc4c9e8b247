"""One pillow's ordered way through, in one life: from its checkpoint to a stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import gevent
from gevent.lock import BoundedSemaphore

from pillowtop.changes import Seq
from pillowtop.engine.items import Movable
from pillowtop.engine.ledger import Ledger
from pillowtop.engine.resuming import MOVED, START
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Way
from pillowtop.exceptions import (
    LifeEnded,
    PillowtopError,
    Stalled,
    StartAgain,
    TransientError,
    WrittenByLaterLife,
)
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow
from pillowtop.records import letters, requests
from pillowtop.records.connecting import close_what_is_over
from pillowtop.worker import parts
from pillowtop.worker.crew import Crew
from pillowtop.worker.figures import Life
from pillowtop.worker.looking import Looker
from pillowtop.worker.mirroring import Mirroring
from pillowtop.worker.office import Office
from pillowtop.worker.parts import Ground
from pillowtop.worker.patience import Patience
from pillowtop.worker.rerunning import Rerunner
from pillowtop.worker.retrying import Retrier
from pillowtop.worker.seats import Seat
from pillowtop.worker.sweeping import Sweeper
from pillowtop.worker.watching import Watcher

logger = logging.getLogger(__name__)

CONNECTIONS_SECONDS = 1.0
"""How often those are looked at that a hook may have opened to Django's database."""


class Lane:
    """Reads the feed of a pillow, has its changes delivered, and saves the position.

    Its greenlets (a reader, a keeper of the checkpoint, one for each batch under way) live as
    long as `run`, and an error in one of them ends it. Each life takes a fresh lane.
    """

    def __init__(self, pillow: BasicPillow, office: Office, *, follow: bool) -> None:
        self._feed = feed = pillow.get_feed()
        self._ground = Ground(
            pillow,
            office,
            feed.stream,
            pillow.get_database() if pillow.couch_db else None,
            pillow.get_transport(),
            Way(pillow, BasicPillow),
        )
        self._seat: Seat | None = None
        self._figures = office.figures(pillow.name)
        self._memory = parts.make_memory(self._ground)
        self._follow = follow
        self._read_to: Seq = None
        self._saved: Seq = None
        self._was_caught_up = self._is_sweeping = False
        self._connections_due_at = 0.0
        self._done_when_saved = 0
        self._failure: BaseException | None = None
        self._mirroring = Mirroring(self._ground)
        self._crew = Crew(self._figures)
        self.has_started = False
        self._turn = BoundedSemaphore()
        self._reader: gevent.Greenlet | None = None

    def run(self) -> None:
        """Live. Returns once caught up (without `follow`) or drained; raises what ended it."""
        try:
            self._live()
        except WrittenByLaterLife as error:
            self._memory.outlive(error.token)
        except Stalled:
            if self._seat:
                self._seat.condemn()
            raise
        finally:
            self._crew.kill()
            if self._seat:
                self._seat.leave()
            self._figures.end()

    def _live(self) -> None:
        try:
            self._start()
            self._reader = self._crew.keep(self._read, aside=False)
            for aside in (self._keep_saving, self._keep_rerunning, self._looker.run):
                self._crew.keep(aside)
            if self._ground.gathering:
                self._crew.keep(self._keep_taking_turns)
            self._watching = self._crew.keep(self._watcher.run)
            self.has_started = True
            self._crew.wait()
        except BaseException as error:
            self._failure = error
            raise

    def drain(self) -> None:
        """Stop reading, deliver what was read, save (rule 14). Then `run` returns.

        Raises what ends this life meanwhile.
        """
        if self._reader is None:
            return
        # No hook is stopped in the middle of a document; a sweep begins anew with the next life.
        with nullcontext() if self._is_sweeping else self._turn:
            self._demand_life()
            self._crew.stop([self._reader, self._watching])
        self._finish()
        self._demand_life()
        self._crew.end()

    def _demand_life(self) -> None:
        if isinstance(self._failure, PillowtopError):
            raise self._failure
        if self._failure is not None:
            raise LifeEnded("ended before all was delivered, as it crashed") from self._failure

    # Starting.

    def _start(self) -> None:
        self._figures.begin()
        if self._ground.gathering:
            self._figures.counts = self._ground.gathering.counts
        patience = self._ground.patience()
        # Before anything else: who does not run the pillow leaves its target alone.
        transport = self._ground.transport
        if isinstance(transport, Movable):
            self._figures.index = transport.index
            if not self._ground.tenant.is_held:  # who holds it hears it from `prepare`
                patience.until_done(transport.look)
        patience.until_done(lambda: self._ground.tenant.take(wait=not self._follow))
        target = patience.until_done(transport.prepare)
        self._mirroring.begin()
        start = patience.until_done(lambda: self._memory.start(target))
        if start.repeats:
            self._mirroring.disturb()
        if start.notice:
            level = logging.INFO if start.asked == MOVED else logging.WARNING
            self._log(level, "started_over", start.notice)
        where = "from 0" if start.seq == START else "at its checkpoint"
        self._log(logging.INFO, "started", f"follows {self._feed.stream}, starts {where}")
        self._read_to = self._saved = start.seq
        self._ledger = Ledger({self._feed.stream: start.seq})
        self._sweep_due: int | None = self._ground.record(requests.sweep_due)
        self._versions = Versions(self._memory.token)
        self._delivery = parts.make_delivery(self._ground, self._memory, self._crew.spawn)
        self._seat = parts.make_seat(self._ground, self._feed, self._memory)
        if start.went_back and self._seat:
            self._seat.restart_all(StartAgain("another pillow says that the database went back"))
        self._intake = parts.make_intake(
            self._ground,
            self._versions,
            self._delivery,
            self._ledger,
            whole_reads=self._ground.is_transactional,
            shared=self._seat is not None,
        )
        self._loader = parts.make_loader(self._ground, self._versions, self._crew.spawn, self._seat)
        self._again = parts.make_again(self._ground, self._memory, self._versions, self._delivery)
        self._clearing = parts.make_clearing(self._ground, self._versions)
        self._life = self._figures.life = Life(
            self._feed.stream,
            self._feed.database if isinstance(self._feed, CouchFeed) else None,
            start.seq,
            self._memory.token,
            self._ledger,
            self._delivery,
            self._seat,
        )
        self._looker = Looker(self._ground, self._figures, self._life, target)
        self._watcher = Watcher(self._ground, self._figures, self._life, self._crew)

    # Reading.

    def _read(self) -> None:
        patience = self._ground.patience()
        while not self._read_until_interrupted(patience):
            pass
        self._rerun()
        self._take_turns()
        self._finish()
        self._crew.end()

    def _read_until_interrupted(self, patience: Patience) -> bool:
        """Read from where the last reading ended. True at the end of the feed."""
        try:
            self._memory.verify()
            for read in self._reads():
                patience.succeeded()
                with self._turn:
                    self._take(read)
        except TransientError as error:
            self._intake.lose_sight()
            patience.endure(error)
            return False
        return True

    def _reads(self) -> Iterator[Read]:
        """What the feed gives, with documents."""
        feed = self._seat or self._feed
        reads = feed.read(self._read_to, self._follow)
        return self._loader.through(reads) if self._loader else reads

    def _take(self, read: Read) -> None:
        self._intake.take(read)
        self._figures.took(read)
        if self._ground.way.runs_hooks and time.monotonic() > self._connections_due_at:
            close_what_is_over()
            self._connections_due_at = time.monotonic() + CONNECTIONS_SECONDS
        if read.seq is not None:
            self._read_to = read.seq
        if read.caught_up:
            self._caught_up()

    def _caught_up(self) -> None:
        if not self._was_caught_up:
            self._was_caught_up = True
            self._log(logging.INFO, "caught_up", "caught up")
        if self._sweep_due is not None and self._ground.database is not None:
            self._sweep(self._ground.database, self._sweep_due)

    def _sweep(self, database: CouchDatabase, replayed_by: int) -> None:
        """Remove from the target what the replay did not write again (rule 7)."""
        self._intake.finish()
        self._is_sweeping = True
        sweeper = Sweeper(
            self._ground.pillow.name,
            database,
            filtered=self._ground.pillow.couch_filter is not None,
            verify=self._memory.verify,
            have_letters=lambda ids: set(
                self._ground.record(letters.among, self._feed.stream, ids)
            ),
        )
        with self._loading_anew():
            self._ground.patience().until_done(
                lambda: sweeper.sweep(self._ground.transport, self._versions, replayed_by)
            )
        # Of documents that are not there any more, nothing else would say so for a day.
        self._ground.record(letters.hasten, self._feed.stream)
        self._ground.record(requests.sweep_done)
        self._sweep_due = None
        self._is_sweeping = False

    @contextmanager
    def _loading_anew(self) -> Iterator[None]:
        """Write what the feed has not brought: from then on nothing older may get a version."""
        if self._loader:
            self._loader.load_anew()  # it reads ahead meanwhile
        yield
        if self._loader:
            self._loader.load_anew()

    # Running documents again.

    def _keep_rerunning(self) -> None:
        while True:
            gevent.sleep(self._ground.office.settings.CHECKPOINT_SECONDS)
            self._rerun()

    def _rerun(self) -> None:
        """Take again what operators have asked for, and dead letters; the feed waits meanwhile."""
        if self._again is None or not self._has_mail():
            return
        name, record = self._ground.pillow.name, self._ground.record
        filtered = self._ground.pillow.couch_filter is not None
        for queue in (
            Rerunner(name, self._again, record, self._clearing, self._ground.patience),
            Retrier(name, self._ground.stream, self._again, record, filtered=filtered),
        ):
            while queue.waiting():
                self._mirroring.disturb()
                with self._turn, self._loading_anew():
                    self._intake.finish()
                    queue.run()

    def _has_mail(self) -> bool:
        name, mail = self._ground.pillow.name, self._ground.office.mail
        return self._ground.patience().until_done(lambda: mail.waits_for(name))

    # Turns without any change.

    def _keep_taking_turns(self) -> None:
        while True:
            gevent.sleep(self._ground.office.settings.CHECKPOINT_SECONDS)
            self._take_turns()

    def _take_turns(self) -> None:
        """Have the target do what is due by the clock, where the feed has nothing more."""
        while self._wants_turn():
            with self._turn:
                if not self._intake.take_turn():
                    return

    def _wants_turn(self) -> bool:
        transport, books = self._ground.gathering, self._ground.office.books
        if transport is None:
            return False
        return self._intake.owes_turn or self._ground.patience().until_done(
            lambda: books.run(transport.wants_turn)
        )

    # Saving.

    def _keep_saving(self) -> None:
        while True:
            gevent.sleep(self._ground.office.settings.CHECKPOINT_SECONDS)
            # While nothing changes nobody else notices that another process is to have the pillow.
            self._ground.patience().until_done(self._ground.tenant.demand)
            if self._is_worth_saving():
                self._save_patiently()
            self._mirroring.look()
            if self._has_mail():
                self._ground.patience().until_done(self._memory.heed_requests)

    def _is_worth_saving(self) -> bool:
        """Whether anything was delivered since the last time, or that is long ago.

        Otherwise a crash repeats nothing but a look at changes, and of many pillows on one
        database most have nothing to do with a change.
        """
        unsaved_seconds = time.monotonic() - self._life.saved_at
        is_long_ago = unsaved_seconds >= self._ground.office.seldom_seconds
        return is_long_ago or self._ledger.done != self._done_when_saved

    def _save_patiently(self) -> None:
        self._ground.patience().until_done(self._save)

    def _save(self) -> None:
        """Save how far everything is delivered, if that has moved."""
        if self._position() is not self._saved:
            done = self._ledger.done
            self._saved = self._memory.save(self._position)
            self._done_when_saved = done
            self._life.saved(self._saved)

    def _position(self) -> Seq | None:
        """How far everything is delivered; None while a transaction may be about to say it."""
        if self._ground.is_transactional and self._delivery.in_flight:
            return None
        return self._ledger.positions[self._feed.stream]

    def _finish(self) -> None:
        self._intake.finish()
        self._save_patiently()

    # Helping.

    def _log(self, level: int, action: str, words: str) -> None:
        name = self._ground.pillow.name
        logger.log(level, "%s: %s", name, words, extra={"action": action, "pillow": name})
