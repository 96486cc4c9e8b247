"""Where to start, given what two places remember and what is there now (rules 6 and 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec

from pillowtop.changes import Seq
from pillowtop.exceptions import DatabaseChanged, DatabaseRecreated, FilterChanged

START: Seq = "0"
MOVED = "reindex"
RETURNED = "rollback"
"""Verbs of requests that moves of indices make."""

SHOWN = 24

OnRecreated = Literal["halt", "resync"]
ON_RECREATED: tuple[OnRecreated, ...] = ("halt", "resync")

Believed = Literal["couch", "django", "target"]
"""Whose seq counts where both memories are sound: that of the checkpoint in CouchDB, that of the
Django database, or that of a target which keeps it beside its rows, and which no other knows."""


Name = Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[^\x00]*\Z")]
LongName = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\A[^\x00]*\Z")]
Token = Annotated[int, msgspec.Meta(ge=0, lt=2**32 - 1)]
Generation = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""What fits into the columns for it; and the token after the next still makes versions which
Elasticsearch takes."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A position and what it vouches for, as CouchDB and the Django database both keep it.

    `identity` is the database's, `filter` a fingerprint of filter and parameters, `target` what
    identifies the index. `token` is that of the life that saved it; `generation` goes up by one
    with each save, in CouchDB first, and `born` is what it was there when that life began.
    `letters` is how many dead letters have been written until then, in the Django database first.
    """

    seq: Seq
    identity: Name
    filter: Name
    target: LongName
    token: Token
    generation: Generation
    born: Generation = 0
    letters: Generation = 0

    def supersedes(self, other: Checkpoint) -> bool:
        """Whether the other is the late save of an earlier life, rather than from a backup.

        What a backup brings back was there before this life began; a save that was on its way
        then has a higher generation than anything that was.
        """
        return other.token < self.token and other.generation > self.born


def vouched_for(checkpoint: Checkpoint | None, identity: str | None, target: str) -> Seq:
    """How far everything of a database is delivered to a target, by a checkpoint: from the
    beginning where it is about another one."""
    if checkpoint is None or (checkpoint.identity, checkpoint.target) != (identity, target):
        return START
    return checkpoint.seq


class Surroundings(msgspec.Struct, frozen=True):
    """What is there now. `identity` is None where the database has none."""

    identity: str | None
    filter: str
    target: str


class Elsewhere(msgspec.Struct, frozen=True):
    """The last checkpoint of a pillow in another database, which it has followed before."""

    database: str
    checkpoint: Checkpoint


class Request(msgspec.Struct, frozen=True):
    """What operators ask for: `reset`, `accept`, or any other verb with the seq to start from.

    `identity` is that of the database which the seq is of, where that is known.
    """

    verb: str = ""
    seq: Seq | None = None
    identity: str = ""


NOTHING = Request()


class Start(msgspec.Struct, frozen=True):
    """Where to start. A `notice` is for the log; with `sweep`, what is not in the database any
    more is removed from the target after catching up. `went_back` says that the database did: then
    what others have read of it is of a time that it does not remember. `asked` is the verb of the
    request that is obeyed."""

    seq: Seq
    notice: str = ""
    sweep: bool = False
    went_back: bool = False
    asked: str = ""

    @property
    def abandons_replay(self) -> bool:
        """Whether a replay from 0 is not read to its end, as somebody asks for another position:
        then what it has not written again may stand in the target rightly."""
        return bool(self.asked) and self.seq != START

    @property
    def repeats(self) -> bool:
        """Whether documents are written again that have not changed since they were."""
        return self.asked != MOVED and (self.seq == START or bool(self.notice))


RESTORED = Start(
    START,
    "the database was restored from a backup (its checkpoint is older than the one remembered, or "
    "not there): reads everything again from 0",
    sweep=True,
    went_back=True,
)


def decide_start(
    in_couch: Checkpoint | None,
    in_django: Checkpoint | None,
    now: Surroundings,
    *,
    believed: Believed = "couch",
    on_recreated: OnRecreated = "halt",
    requested: Request = NOTHING,
    elsewhere: Elsewhere | None = None,
    pillow: str = "",
) -> Start:
    """Decide where a pillow starts.

    Raises `DatabaseRecreated`, `DatabaseChanged` or `FilterChanged` where somebody has to decide.
    """
    remembered = in_django or in_couch
    # What somebody types is obeyed; of a position that was noted by itself nobody has said that
    # the database is still the one in which it was.
    noted = requested.verb in (MOVED, RETURNED) and _went_back(in_couch, in_django)
    if not noted and (requested.verb == "reset" or requested.seq is not None):
        return _start_as_asked(requested, now)
    if elsewhere and _has_written_since(elsewhere.checkpoint, (in_couch, in_django), now):
        raise DatabaseChanged(
            f"it followed the database {elsewhere.database!r} before, into the same target, which "
            "holds what came from there: no more of that is written or removed. Correct couch_db, "
            "or give the pillow another name and its index another alias; to read this one from 0 "
            f"into the same all the same, type: manage.py ptop_checkpoint reset {pillow}"
        )
    if remembered is None:
        return Start(START)
    if believed == "target" and in_django is None:
        return Start(
            START,
            "the Django database, to which the pillow writes, remembers no position: reads "
            "everything from 0",
        )
    if now.identity is None or now.identity != remembered.identity:
        return _start_of_recreated(on_recreated, pillow)
    if in_couch is None or _went_back(in_couch, in_django):
        return RESTORED
    stale = _is_stale(in_couch, in_django)
    # The position of a stale writer is no good.
    trusted = in_couch if believed == "couch" and not stale else remembered
    written = in_django.letters if in_django else 0
    letters_lost = trusted is in_couch and trusted.letters > written
    return _start_of_same(trusted, now, requested, pillow, letters_lost=letters_lost)


def _has_written_since(
    checkpoint: Checkpoint, known: Iterable[Checkpoint | None], now: Surroundings
) -> bool:
    """Whether a life in another database has written to the target behind all known ones here."""
    last = max((one.token for one in known if one), default=0)
    return bool(now.target) and checkpoint.target == now.target and checkpoint.token > last


def _is_stale(in_couch: Checkpoint | None, in_django: Checkpoint | None) -> bool:
    """Whether CouchDB has the late save of an earlier life."""
    return in_couch is not None and in_django is not None and in_django.supersedes(in_couch)


def _went_back(in_couch: Checkpoint | None, in_django: Checkpoint | None) -> bool:
    """Whether the database is that of an earlier time."""
    if in_django is None or _is_stale(in_couch, in_django):
        return False
    return in_couch is None or in_couch.generation < in_django.generation


def _start_as_asked(requested: Request, now: Surroundings) -> Start:
    if requested.seq is None:
        return Start(START, "starts from 0, as was asked for", sweep=True, asked="reset")
    if requested.identity and requested.identity != now.identity:
        raise DatabaseRecreated(
            f"the position that was asked for ({requested.verb}) is of another database: this one "
            "was deleted and made again since. Ask for another one with ptop_checkpoint"
        )
    words = f"starts from {shown(requested.seq)}, as was asked for ({requested.verb})"
    return Start(requested.seq, words, asked=requested.verb)


def _start_of_recreated(on_recreated: OnRecreated, pillow: str) -> Start:
    if on_recreated == "resync":
        return Start(
            START,
            "the database was deleted and made again: reads everything from 0, then removes "
            "what is not there any more (on_recreated is 'resync')",
            sweep=True,
        )
    raise DatabaseRecreated(
        "the database was deleted and made again since the checkpoint was saved; what was "
        "delivered is kept as it is. To read the new database from 0, and to remove from an index "
        f"what it does not hold, type: manage.py ptop_checkpoint reset {pillow}"
    )


def _start_of_same(
    checkpoint: Checkpoint,
    now: Surroundings,
    requested: Request,
    pillow: str,
    *,
    letters_lost: bool,
) -> Start:
    if checkpoint.target != now.target:
        return Start(START, "the target was made anew: writes everything again from 0")
    if checkpoint.filter != now.filter and requested.verb != "accept":
        raise FilterChanged(
            "the filter or its parameters are not those of the checkpoint: what the new filter "
            "takes and the old one did not would be missing. To read everything again from 0, "
            f"type: manage.py ptop_checkpoint reset {pillow}; to go on from here all the same: "
            f"manage.py ptop_checkpoint accept {pillow}"
        )
    if letters_lost:
        return Start(
            START,
            "the Django database has lost dead letters (it was lost, or restored from a backup?): "
            "reads everything again from 0, so that each is written again",
        )
    return Start(checkpoint.seq)


def shown(seq: Seq | None) -> str:
    """A seq for people: what CouchDB appends to its number is hundreds of letters long."""
    text = str(seq)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def fingerprint(couch_filter: str | None, parameters: dict[str, Any]) -> str:
    """16 hex digits of SHA-256 of a filter and its parameters; the order of keys is no matter."""
    text = json.dumps([couch_filter, parameters], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
