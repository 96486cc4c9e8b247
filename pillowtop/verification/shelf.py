"""What a verification has to keep, on disk rather than in memory: millions may differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from typing import Self

import msgspec

from pillowtop.engine.comparing import Kind, Sight, Standing
from pillowtop.engine.items import Place

ROWS_AT_ONCE = 1000
TABLE = "CREATE TABLE {} (doc_id TEXT PRIMARY KEY, {}) WITHOUT ROWID"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Sight).decode


class State(StrEnum):
    """What is made of a document that differed when it was looked at."""

    OPEN = "open"
    """It had moved since the look before."""

    WAITING = "waiting"
    """It is among the changes that the pillow has not delivered yet."""

    CONFIRMED = "confirmed"
    LETTER = "letter"
    """It has a dead letter, which says why."""

    IGNORED = "ignored"
    """A hook fails on it, and the pillow wants that to be ignored."""


UNSETTLED = f"state IN ('{State.OPEN}', '{State.WAITING}')"


class _OnDisk:
    """A table of SQLite's in a temporary file, which is gone when it is closed."""

    columns: str

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(TABLE.format("kept", self.columns))
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._db.close()


class Suspects(_OnDisk):
    """Documents that differed at the last look, and how."""

    columns = "sight BLOB, kind TEXT, state TEXT"

    def add(self, sights: Iterable[Sight]) -> None:
        """Note what differs at a first look."""
        rows = ((one.doc_id, _encode(one), one.difference, State.OPEN) for one in sights)
        self._db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", rows)

    def unsettled(self) -> Iterator[list[str]]:
        """The ids of those that are open or waiting, some at a time."""
        for sights in self._where(UNSETTLED):
            yield [one.doc_id for one in sights]

    def look_again(self, sights: Iterable[Sight]) -> None:
        """Note other looks: what looks as before is confirmed."""
        for one in sights:
            encoded, kind = _encode(one), one.difference
            if kind is None:
                self._db.execute("DELETE FROM kept WHERE doc_id = ?", (one.doc_id,))
            else:
                self._db.execute(
                    "UPDATE kept SET state = iif(sight = ?, ?, ?), sight = ?, kind = ?"
                    " WHERE doc_id = ?",
                    (encoded, State.CONFIRMED, State.OPEN, encoded, kind, one.doc_id),
                )

    def mark(self, doc_ids: Iterable[str], state: State) -> None:
        """Set the state of those of the documents that are suspects."""
        rows = ((state, doc_id) for doc_id in doc_ids)
        self._db.executemany("UPDATE kept SET state = ? WHERE doc_id = ?", rows)

    def confirmed(self) -> Iterator[list[Sight]]:
        """Those that are confirmed, some at a time, in the order of their ids."""
        return self._where(f"state = '{State.CONFIRMED}'")

    def reopen(self) -> None:
        """Have what is confirmed be looked at again."""
        self._db.execute("UPDATE kept SET state = ? WHERE state = ?", (State.OPEN, State.CONFIRMED))

    def replace(self, sights: Iterable[Sight]) -> None:
        """Note another look at all documents: what looks as before is confirmed."""
        self._db.execute(TABLE.format("later", self.columns))
        for one in sights:
            encoded = _encode(one)
            self._db.execute(
                "INSERT OR REPLACE INTO later VALUES (?1, ?2, ?3, iif(EXISTS"
                " (SELECT 1 FROM kept WHERE doc_id = ?1 AND sight = ?2), ?4, ?5))",
                (one.doc_id, encoded, one.difference, State.CONFIRMED, State.OPEN),
            )
        self._db.execute("DROP TABLE kept")
        self._db.execute("ALTER TABLE later RENAME TO kept")

    def has(self, *states: State) -> bool:
        """Whether there are any in one of these states."""
        return any(state in states for state, _kind in self.counts())

    def counts(self) -> dict[tuple[State, Kind], int]:
        """How many there are, by state and kind."""
        rows = self._db.execute("SELECT state, kind, count(*) FROM kept GROUP BY state, kind")
        return {(State(state), Kind(kind)): count for state, kind, count in rows}

    def _where(self, condition: str) -> Iterator[list[Sight]]:
        query = f"SELECT sight FROM kept WHERE doc_id > ? AND {condition} ORDER BY doc_id LIMIT ?"  # noqa: S608
        last = ""
        while rows := self._db.execute(query, (last, ROWS_AT_ONCE)).fetchall():
            sights = [_decode(row[0]) for row in rows]
            yield sights
            last = sights[-1].doc_id


class Sorted(_OnDisk):
    """Documents that come in any order, put into that of their ids."""

    columns = "rev TEXT, target_id TEXT, place_index TEXT, routing TEXT"

    def add(self, standings: Iterable[Standing]) -> None:
        """Keep documents; the last one of an id counts."""
        rows = (
            (one.doc_id, one.rev, one.target_id, one.place.index, one.place.routing)
            for one in standings
        )
        self._db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)", rows)

    def remove(self, doc_ids: Iterable[str]) -> None:
        rows = ((doc_id,) for doc_id in doc_ids)
        self._db.executemany("DELETE FROM kept WHERE doc_id = ?", rows)

    def __iter__(self) -> Iterator[Standing]:
        with closing(self._db.execute("SELECT * FROM kept ORDER BY doc_id")) as cursor:
            for doc_id, rev, target_id, *place in cursor:
                yield Standing(doc_id, rev, target_id, Place(*place))
