"""Which indices nobody needs any more. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from pillowtop.elastic import naming
from pillowtop.elastic.index import FoundIndex
from pillowtop.engine.moves import Move, Stage

HASHED = re.compile(rf"_[0-9a-f]{{{naming.HASH_DIGITS}}}")


UNFINISHED = timedelta(days=7)
"""For so long somebody may want to finish a move that was begun."""


class Judgement(msgspec.Struct, frozen=True):
    """An index, and why it is kept; empty where it is not."""

    index: str
    kept: str


def judged(
    found: Mapping[str, FoundIndex],
    wanted: Mapping[str, str],
    moves: Collection[Move],
    building: Collection[str],
    now: datetime,
) -> list[Judgement]:
    """What to do about the indices that pillows have made for their aliases.

    `wanted` are the indices of pillows, with these; `building` are names of builds that run.
    """
    return [
        Judgement(name, _reason(index, wanted, moves, building, now))
        for name, index in sorted(found.items())
    ]


def made_for(alias: str, names: Iterable[str]) -> list[str]:
    """Those of the indices that are called as one behind this alias is."""
    return [
        name
        for name in names
        if name.startswith(alias) and HASHED.fullmatch(name.removeprefix(alias))
    ]


def _reason(
    index: FoundIndex,
    wanted: Mapping[str, str],
    moves: Collection[Move],
    building: Collection[str],
    now: datetime,
) -> str:
    others = sorted(set(index.aliases) - {naming.own_alias(index.name)})
    if others:
        return f"alias {', '.join(others)} is on it"
    if index.name in wanted:
        return f"{wanted[index.name]} asks for it"
    for move in moves:
        if move.old == index.name and move.may_return(now):
            return f"{move.pillow} may be rolled back to it until {_time(move.keep_until)}"
        unfinished = move.stage in (Stage.BUILDING, Stage.READY, Stage.FLIPPING)
        if move.new == index.name and unfinished:
            if move.build in building:
                return f"another release builds it for {move.pillow}"
            if move.began_at and now - move.began_at < UNFINISHED:
                return f"another release has begun to build it for {move.pillow} within a week"
    return ""


def _time(moment: datetime | None) -> str:
    return moment.isoformat(" ", "seconds") if moment else ""
