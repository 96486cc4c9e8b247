"""The checkpoint of one life of a pillow: where it starts, and how it is saved (rules 1, 6, 7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import msgspec

from pillowtop.changes import Seq
from pillowtop.engine.resuming import (
    ON_RECREATED,
    Believed,
    Checkpoint,
    Request,
    Start,
    Surroundings,
    decide_start,
    fingerprint,
)
from pillowtop.exceptions import ConfigurationError, LeaseLost, StartAgain
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.listener import BasicPillow
from pillowtop.records import couch, history, positions, requests, tokens

T = TypeVar("T")


class Books(Protocol):
    """Runs a function where the Django database may be used."""

    def run(self, function: Callable[..., Any], /, *args: Any) -> Any: ...


class Memory:
    """Reads and writes what is remembered of a pillow's position in one stream.

    `database` is the CouchDB database with the `_local` documents; None for a feed of another
    kind, whose checkpoint stands in the Django database alone.
    """

    def __init__(
        self,
        pillow: BasicPillow,
        stream: str,
        database: CouchDatabase | None,
        identify_target: Callable[[], str],
        demand_lease: Callable[[], None],
        books: Books,
        believed: Believed = "couch",
    ) -> None:
        if pillow.on_recreated not in ON_RECREATED:
            raise ConfigurationError(
                f"on_recreated is one of {', '.join(ON_RECREATED)}, not {pillow.on_recreated!r}"
            )
        self._pillow = pillow
        self._stream = stream
        self._database = database
        self._identify_target = identify_target
        self._demand_lease = demand_lease
        self._books = books
        self._believed = believed
        self._life = Checkpoint("0", "", "", "", 0, 0)
        self._in_couch = 0
        self._letters = 0
        self._note_at = 0.0
        # The reader verifies while the keeper saves: neither may see half of the other's work.
        self._one_at_a_time = threading.RLock()

    @property
    def token(self) -> int:
        """The token of this life."""
        return self._life.token

    @property
    def identity(self) -> str:
        """That of the database of this life."""
        return self._life.identity

    def start(self, target: str) -> Start:
        """Decide where to start, draw a token for this life, and write both down.

        Raises `DatabaseRecreated`, `DatabaseChanged` or `FilterChanged` where somebody has to
        decide, and `HeldElsewhere` where another process has taken over meanwhile.
        """
        name = self._pillow.name
        in_django = self._books.run(positions.recall, name, self._stream)
        in_couch = self._read() if self._database else in_django
        asked = self._books.run(requests.asked, name)
        now = Surroundings(self._identity(), self._fingerprint(), target)
        start = decide_start(
            in_couch,
            in_django,
            now,
            believed=self._believed,
            on_recreated=self._pillow.on_recreated,
            requested=asked.request,
            elsewhere=self._books.run(positions.elsewhere, name, self._stream),
            pillow=name,
        )
        known = [one for one in (in_couch, in_django) if one]
        if not known:
            start = msgspec.structs.replace(start, notice=self._notice_of_original())
        self._life = Checkpoint(
            seq=start.seq,
            identity=now.identity or self._settled_identity(),
            filter=now.filter,
            target=target,
            token=self._books.run(
                tokens.raise_token, name, max((one.token for one in known), default=0)
            ),
            generation=max((one.generation for one in known), default=0),
            born=in_couch.generation if in_couch else 0,
        )
        self._letters = max((one.letters for one in known), default=0)
        self._in_couch = self._life.born
        # To get here may have taken long; and a token higher than that of the holder stops it.
        self._demand_lease()
        if asked.request.verb and known:
            self._books.run(history.note, name, self._stream, in_django or in_couch, asked.request)
        if start.sweep:
            self._books.run(requests.ask_sweep, name, self.token)
        elif start.abandons_replay:
            self._books.run(requests.sweep_done, name)
        # Before anything is delivered: what is written to the target must never be forgotten.
        self._write(start.seq, partial(positions.claim, in_django))
        self._books.run(requests.done, name, asked.last)
        return start

    def verify(self) -> None:
        """See to it that the database is the one that this life is about.

        Raises `StartAgain` where it is not, or where it went back to an earlier state, and
        `HeldElsewhere` or `LeaseLost` where another process has taken over.
        """
        self._demand_lease()
        if self._database is None:
            return
        with self._one_at_a_time:
            self._verify()

    def verify_identity(self) -> None:
        """Raise `StartAgain` where the database is not the one that this life is about."""
        if self._identity() != self._life.identity:
            raise StartAgain("the database is not the one that was read until now")

    def _verify(self) -> None:
        self.verify_identity()
        standing = self._read()
        if standing and standing.token > self._life.token:
            raise LeaseLost(
                "another process has started this pillow since (with another Django database, "
                "where no lease keeps them apart?), so this one stops: run each pillow of a "
                "database in one process only, or give one of them another name"
            )
        if standing and self._life.supersedes(standing):
            return  # the next save writes over it
        generation = standing.generation if standing else 0
        if generation < self._in_couch:
            raise StartAgain("the database went back to an earlier state")
        self._in_couch = generation

    def save(self, position: Callable[[], Seq | None]) -> Seq:
        """Save a position: in CouchDB first, then in the Django database. Raises as `verify`.

        `position` is asked when nobody can commit another meanwhile; None means the last one that
        was saved or committed. Returns what was saved.
        """
        with self._one_at_a_time:
            self.verify()
            if self._identify_target() != self._life.target:
                raise StartAgain("the target was made anew")
            seq = position()
            self._write(self._life.seq if seq is None else seq)
            return self._life.seq

    def commit(self, seq: Seq | None, work: Callable[[], T]) -> T:
        """Do work in the Django database and move the position there, both or neither (rule 9).

        Without a seq the position stays. CouchDB hears of it with the next save. Raises as
        `verify`, and what the work raises.
        """
        with self._one_at_a_time:
            self.verify()
            moved = msgspec.structs.replace(self._life, seq=self._life.seq if seq is None else seq)
            result = self._books.run(
                positions.move, self._pillow.name, self._stream, self._life, moved.seq, work
            )
            self._life = moved
        return cast("T", result)

    def outlive(self, token: int) -> None:
        """The target holds writes of a token above ours: have the next life be above it.

        Raises `LeaseLost` where another process made them, and `StartAgain` where both memories
        have gone back to a time before them: then everything is to be written again.
        """
        self.verify()
        name = self._pillow.name
        self._books.run(tokens.raise_token, name, token)
        self._books.run(requests.ask, name, Request("reset"))
        raise StartAgain(
            "the target holds writes of a later life than is remembered (both databases were "
            "restored from a backup?): writes everything again"
        )

    def count_letters(self, count: int) -> None:
        """Have the next checkpoint vouch for so many more dead letters, which were written."""
        self._letters += count

    def heed_requests(self) -> None:
        """Raise `StartAgain` where an operator has asked for something since the start."""
        if self._books.run(requests.asked, self._pillow.name).last:
            raise StartAgain("an operator asked for it")

    def _write(self, seq: Seq, remember: Callable[..., None] = positions.remember) -> None:
        generation = max(self._life.generation, self._in_couch) + 1
        checkpoint = msgspec.structs.replace(
            self._life, seq=seq, generation=generation, letters=self._letters
        )
        name = self._pillow.name
        if self._database is not None:
            couch.write_checkpoint(self._database, name, checkpoint)
            self._in_couch = generation
        self._books.run(remember, name, self._stream, checkpoint)
        self._life = checkpoint
        if time.monotonic() >= self._note_at:
            self._note_at = time.monotonic() + history.NOTED_EVERY.total_seconds()
            self._books.run(history.note_in_passing, name, self._stream, checkpoint)

    def _notice_of_original(self) -> str:
        """What to say of a checkpoint that the original pillowtop left in the database."""
        kind = type(self._pillow).__name__
        found = [
            doc_id
            for doc_id in (self._database.ids_with_prefix("pillowtop_") if self._database else [])
            if f".{kind}." in doc_id
        ]
        if not found:
            return ""
        return (
            f"found the original pillowtop's checkpoint {', '.join(map(repr, found))} and does "
            "not use it, as its position ran ahead of its deliveries"
        )

    def _read(self) -> Checkpoint | None:
        assert self._database is not None
        return couch.read_checkpoint(self._database, self._pillow.name)

    def _identity(self) -> str | None:
        if self._database is None:
            return ""
        identity = couch.read_identity(self._database)
        if identity is None:
            # Raises where it is no database: that has no identity either, and was not made again.
            self._database.info()
        return identity

    def _settled_identity(self) -> str:
        return couch.settled_identity(self._database) if self._database else ""

    def _fingerprint(self) -> str:
        return fingerprint(self._pillow.couch_filter, dict(self._pillow.extra_args))
