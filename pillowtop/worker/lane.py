"""One pillow's ordered way through, in one life: from its checkpoint to a stop."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from django.db import close_old_connections
from gevent.event import AsyncResult
from gevent.lock import RLock

from pillowtop.changes import Seq
from pillowtop.engine.items import Transactional
from pillowtop.engine.ledger import Ledger
from pillowtop.engine.resuming import START, Believed
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Packer, Way
from pillowtop.exceptions import TransientError, WrittenByLaterLife
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow
from pillowtop.records import letters, requests
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.intake import Intake
from pillowtop.worker.letterbox import LetterBox
from pillowtop.worker.loading import Loader
from pillowtop.worker.memory import Memory
from pillowtop.worker.office import Office
from pillowtop.worker.patience import Patience
from pillowtop.worker.repeating import Repeating
from pillowtop.worker.rerunning import Rerunner
from pillowtop.worker.sweeping import Sweeper
from pillowtop.worker.transactions import Transactions

logger = logging.getLogger(__name__)


class Lane:
    """Reads the feed of a pillow, has its changes delivered, and saves the position.

    Its greenlets (a reader, a keeper of the checkpoint, one for each batch under way) live as
    long as `run`, and an error in one of them ends it. Each life takes a fresh lane.
    """

    def __init__(self, pillow: BasicPillow, office: Office, *, follow: bool) -> None:
        self._pillow = pillow
        self._office = office
        self._follow = follow
        self._feed = pillow.get_feed()
        self._database = pillow.get_database() if pillow.couch_db else None
        self._transport = pillow.get_transport()
        self._way = Way(pillow, BasicPillow)
        self._memory = Memory(
            pillow,
            self._feed.stream,
            self._database,
            self._transport.identity,
            office.books,
            self._believed,
        )
        self._read_to: Seq = None
        self._saved: Seq = None
        self._was_caught_up = False
        self._ended = AsyncResult()
        self.has_started = False
        self._greenlets: list[gevent.Greenlet] = []
        self._turn = RLock()
        self._reader: gevent.Greenlet | None = None

    def run(self) -> None:
        """Live. Returns once caught up (without `follow`) or drained; raises what ended it."""
        try:
            self._start()
            self._reader = self._spawn(self._read)
            self._spawn(self._keep_saving)
            self._spawn(self._keep_rerunning)
            self.has_started = True
            self._ended.get()
        except WrittenByLaterLife as error:
            self._memory.outlive(error.token)
        finally:
            self._kill_all()

    def drain(self) -> None:
        """Stop reading, deliver what was read, save (rule 14). Then `run` returns."""
        if self._reader is None:
            return
        self._reader.kill()
        self._finish()
        self._ended.set(None)

    # Starting.

    def _start(self) -> None:
        patience = self._patience()
        target = patience.until_done(self._transport.prepare)
        start = patience.until_done(lambda: self._memory.start(target))
        if start.notice:
            self._log(logging.WARNING, "started_over", start.notice)
        where = "from 0" if start.seq == START else "at its checkpoint"
        self._log(logging.INFO, "started", f"follows {self._feed.stream}, starts {where}")
        self._read_to = self._saved = start.seq
        stream = self._feed.stream
        self._ledger = Ledger({stream: start.seq})
        self._sweep_due: int | None = self._record(requests.sweep_due)
        self._versions = Versions(self._memory.token)
        self._delivery = self._make_delivery()
        self._intake = self._make_intake(self._ledger, whole_reads=self._is_transactional)
        self._loader = self._make_loader()
        if self._loader:
            patience.until_done(self._loader.measure)
        self._rerunner = self._make_rerunner()

    def _make_delivery(self) -> Delivery:
        stream = self._feed.stream
        letterbox = LetterBox(
            self._pillow.name,
            write=lambda written: self._record(letters.write, stream, written),
            clear=lambda doc_ids: self._record(letters.clear, stream, doc_ids),
            holds_any=self._record(letters.count) > 0,
        )
        deliver = (
            Transactions(
                self._pillow.name,
                stream,
                self._transport,
                self._memory,
                self._patience,
                letterbox.tell,
            )
            if isinstance(self._transport, Transactional)
            else Repeating(self._transport, self._patience, letterbox.settle)
        )
        return Delivery(deliver, self._transport.batches_in_flight, self._spawn)

    def _make_intake(self, ledger: Ledger, *, whole_reads: bool) -> Intake:
        return Intake(
            self._way,
            Packer(self._way, self._transport),
            self._versions,
            self._delivery,
            ledger,
            self._office.settings.limits,
            self._patience,
            whole_reads=whole_reads,
        )

    def _make_rerunner(self) -> Rerunner | None:
        """Of what it takes no position hangs: its batches end where they are full."""
        if self._database is None:
            return None
        return Rerunner(
            self._way,
            self._database,
            self._feed.stream,
            self._make_intake(Ledger(), whole_reads=False),
            self._record,
            self._patience,
        )

    @property
    def _is_transactional(self) -> bool:
        return isinstance(self._transport, Transactional)

    @property
    def _believed(self) -> Believed:
        return "target" if self._is_transactional else self._office.settings.checkpoints

    def _make_loader(self) -> Loader | None:
        """Loads documents where the feed carries none and no hook does it."""
        if self._database is None or self._pillow.include_docs or self._way.triggers:
            return None
        return Loader(
            self._way,
            self._database,
            self._versions,
            self._patience(),
            self._spawn,
            self._office.settings.BATCH_LINGER_SECONDS,
            whole_reads=self._is_transactional,
        )

    # Reading.

    def _read(self) -> None:
        patience = self._patience()
        while not self._read_until_interrupted(patience):
            pass
        self._rerun()
        self._finish()
        self._ended.set(None)

    def _read_until_interrupted(self, patience: Patience) -> bool:
        """Read from where the last reading ended. True at the end of the feed."""
        try:
            self._memory.verify()
            for read, version in self._reads():
                patience.succeeded()
                with self._turn:
                    self._take(read, version)
        except TransientError as error:
            patience.endure(error)
            return False
        return True

    def _reads(self) -> Iterator[tuple[Read, int | None]]:
        """What the feed gives, with documents, and versions where they are drawn already."""
        reads = self._feed.read(self._read_to, self._follow)
        if self._loader:
            yield from self._loader.through(reads)
        else:
            for read in reads:
                yield read, None

    def _take(self, read: Read, version: int | None) -> None:
        self._intake.take(read, version)
        if read.changes and self._way.runs_hooks:
            # Hooks may have used Django's database here: a broken connection must not stay.
            close_old_connections()
        if read.seq is not None:
            self._read_to = read.seq
        if read.caught_up:
            self._caught_up()

    def _caught_up(self) -> None:
        if not self._was_caught_up:
            self._was_caught_up = True
            self._log(logging.INFO, "caught_up", "caught up")
        if self._sweep_due is not None and self._database is not None:
            self._sweep(self._database, self._sweep_due)

    def _sweep(self, database: CouchDatabase, replayed_by: int) -> None:
        """Remove from the target what the replay did not write again (rule 7)."""
        self._intake.finish()
        sweeper = Sweeper(
            self._pillow.name,
            database,
            filtered=self._pillow.couch_filter is not None,
            verify=self._memory.verify,
            have_letters=lambda ids: set(self._record(letters.among, self._feed.stream, ids)),
        )
        self._patience().until_done(
            lambda: sweeper.sweep(self._transport, self._versions, replayed_by)
        )
        self._record(requests.sweep_done)
        self._sweep_due = None

    # Running documents again.

    def _keep_rerunning(self) -> None:
        while True:
            gevent.sleep(self._office.settings.CHECKPOINT_SECONDS)
            self._rerun()

    def _rerun(self) -> None:
        """Take again what operators have asked for; the feed waits meanwhile."""
        while self._rerunner and self._rerunner.waiting():
            with self._turn:
                self._intake.finish()
                # Asked once more: another greenlet may have had the turn.
                self._rerunner.run(self._rerunner.waiting())

    # Saving.

    def _keep_saving(self) -> None:
        while True:
            gevent.sleep(self._office.settings.CHECKPOINT_SECONDS)
            self._save_patiently()
            self._patience().until_done(self._memory.heed_requests)

    def _save_patiently(self) -> None:
        self._patience().until_done(self._save)

    def _save(self) -> None:
        """Save how far everything is delivered, if that has moved."""
        if self._position() is not self._saved:
            self._saved = self._memory.save(self._position)

    def _position(self) -> Seq | None:
        """How far everything is delivered; None while a transaction may be about to say it."""
        if self._is_transactional and self._delivery.in_flight:
            return None
        return self._ledger.positions[self._feed.stream]

    def _finish(self) -> None:
        self._intake.finish()
        self._save_patiently()

    # Helping.

    def _log(self, level: int, action: str, words: str) -> None:
        name = self._pillow.name
        logger.log(level, "%s: %s", name, words, extra={"action": action, "pillow": name})

    def _patience(self) -> Patience:
        return self._office.patience(self._pillow.name)

    def _record(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of `records` about this pillow, until the database takes it."""
        return self._patience().until_done(
            lambda: self._office.books.run(function, self._pillow.name, *args)
        )

    def _spawn(self, function: Callable[..., None], *args: Any) -> gevent.Greenlet:
        self._greenlets = [one for one in self._greenlets if not one.dead]
        greenlet = gevent.spawn(self._guarded, function, *args)
        self._greenlets.append(greenlet)
        return greenlet

    def _kill_all(self) -> None:
        # Again and again: one that lands while it is being killed may send another batch.
        while alive := [one for one in self._greenlets if not one.dead]:
            gevent.killall(alive)

    def _guarded(self, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except gevent.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001  (run raises it)
            self._ended.set_exception(error, exc_info=sys.exc_info())
