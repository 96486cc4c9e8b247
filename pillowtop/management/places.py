"""Where a pillow stands, and the positions that operators name."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from django.core.management.base import CommandError
from django.utils import timezone

from pillowtop.changes import Seq
from pillowtop.engine.resuming import Checkpoint, Request
from pillowtop.exceptions import ConfigurationError, Halted, IndexElsewhere, PillowtopError
from pillowtop.exits import Exit
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.listener import BasicPillow
from pillowtop.management.ages import age
from pillowtop.records import couch, history, positions
from pillowtop.records.history import Past

T = TypeVar("T")

ORIGINALS = "pillowtop_"


class Backup(msgspec.Struct, frozen=True):
    """A checkpoint as `ptop_checkpoint backup` prints it."""

    pillow: str
    stream: str
    seq: Seq
    identity: str
    taken_at: str


class Place:
    """A pillow's two memories, its history, and its database."""

    def __init__(self, pillow: BasicPillow) -> None:
        self.name = pillow.name
        self.kind = type(pillow).__name__
        self.database: CouchDatabase | None = pillow.get_database() if pillow.couch_db else None
        self.stream = self.database.name if self.database else pillow.get_feed().stream

    def in_django(self) -> Checkpoint | None:
        return positions.recall(self.name, self.stream)

    def in_couch(self) -> Checkpoint | None:
        """Raises `CommandError` where CouchDB does not answer as it should."""
        if self.database is None:
            return None
        return asked(couch.read_checkpoint, self.database, self.name)

    def past(self) -> list[Past]:
        return [one for one in history.past(self.name) if one.stream == self.stream]

    def past_from(self, value: str, otherwise: str) -> Past:
        """The last position remembered from an age ago; `otherwise` says what to do without it.

        Raises `ArgumentTypeError` for what is no age, `CommandError` where nothing is that old.
        """
        moment = timezone.now() - age(value)
        found = next((one for one in self.past() if one.noted_at <= moment), None)
        if found is None:
            raise _usage(
                f"no position of {self.name} is remembered from {value} ago{self._oldest()}. "
                f"{otherwise}"
            )
        return found

    def pending(self, seq: Seq) -> int:
        """How many changes are behind a seq. Raises `CommandError` for one that CouchDB refuses."""
        database = self.demand_database()
        return asked(database.pending, seq)

    def demand_database(self) -> CouchDatabase:
        if self.database is None:
            raise ConfigurationError(f"{self.name} follows no CouchDB database to ask")
        return self.database

    # The position that a verb names.

    def set(self, value: str) -> Request:
        return Request("set", value)

    def to_head(self, value: str) -> Request:
        database = self.demand_database()
        return Request("to-head", asked(database.info).update_seq)

    def rewind(self, value: str) -> Request:
        found = self.past_from(value, "ptop_checkpoint reset reads everything again")
        return Request("rewind", found.seq, found.identity)

    def restore(self, value: str) -> Request:
        if re.fullmatch(r"\d+", value, re.ASCII):
            found = next((one for one in self.past() if one.number == int(value)), None)
            if found is None:
                raise _usage(
                    f"no position of {self.name} has the number {value}: ptop_checkpoint show "
                    f"{self.name} lists them"
                )
            return Request("restore", found.seq, found.identity)
        backup = _read_backup(value)
        if (backup.pillow, backup.stream) != (self.name, self.stream):
            raise _usage(
                f"{value} is a backup of {backup.pillow} in {backup.stream!r}, not of {self.name} "
                f"in {self.stream!r}"
            )
        return Request("restore", backup.seq, backup.identity)

    def import_(self, value: str) -> Request:
        """The position that the original pillowtop left in the database."""
        database = self.demand_database()
        doc_id = value or self._only_original(database)
        document = asked(database.get, doc_id)
        seq = (document or {}).get("seq")
        if not isinstance(seq, (str, int)):
            raise _usage(f"{database} has no checkpoint of the original called {doc_id!r}")
        return Request("import", str(seq))

    def _only_original(self, database: CouchDatabase) -> str:
        found = [
            doc_id
            for doc_id in asked(database.ids_with_prefix, ORIGINALS)
            if f".{self.kind}." in doc_id
        ]
        if len(found) != 1:
            many = f"has several, name one: {', '.join(found)}" if found else "has none"
            raise _usage(
                f"the original pillowtop left checkpoints called {ORIGINALS}<module>.{self.kind}."
                f"<host>, and {database} {many}"
            )
        return found[0]

    def _oldest(self) -> str:
        found = self.past()
        return f", the oldest is from {told(found[-1].noted_at)}" if found else ""

    def backup(self) -> str:
        """The checkpoint as JSON."""
        checkpoint = self.in_django() or self.in_couch()
        if checkpoint is None:
            raise _usage(f"{self.name} has no checkpoint yet")
        taken_at = told(timezone.now())
        kept = Backup(self.name, self.stream, checkpoint.seq, checkpoint.identity, taken_at)
        return json.dumps(msgspec.structs.asdict(kept), indent=2)


def asked(function: Callable[..., T], *args: Any) -> T:
    """What CouchDB answers. Raises `CommandError` where it does not."""
    try:
        return function(*args)
    except Halted as error:
        raise CommandError(str(error), returncode=Exit.CONFIGURATION) from error
    except IndexElsewhere as error:
        words = f"{error}: manage.py ptop_reindex plan shows what there is to do"
        raise CommandError(words, returncode=Exit.CONFIGURATION) from error
    except PillowtopError as error:
        raise CommandError(str(error)) from error


def told(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _read_backup(file: str) -> Backup:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return msgspec.json.decode(text, type=Backup)
    except OSError as error:
        raise _usage(f"{file} cannot be read: {error}") from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise _usage(f"{file} is no backup of ptop_checkpoint: {error}") from error


def _usage(words: str) -> CommandError:
    return CommandError(words, returncode=Exit.USAGE)
