"""What can go wrong while a feed is read, as servers and networks have it.

database.fail_next(rewound(), interrupted(after=3))     # both, in the next reading
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

Vector = tuple[int, ...]
"""How far each shard has been read: what a seq stands for."""


class Plan(msgspec.Struct):
    """One reading of a feed: where it starts, and what is to happen in it.

    `since` is None for the beginning. `ends_after` so many rows the reading is interrupted.
    """

    since: Vector | None
    ends_after: int | None = None
    times: int = 1
    has_seqs: bool = True
    meanwhile: list[Callable[[], object]] = []


@dataclass(frozen=True)
class FeedFault:
    """What happens in one reading: `suffer` changes its plan."""

    suffer: Callable[[Plan], None]


def interrupted(after: int = 0) -> FeedFault:
    """After so many rows the connection breaks, or the server ends the feed."""

    @FeedFault
    def fault(plan: Plan) -> None:
        plan.ends_after = after

    return fault


def rewound() -> FeedFault:
    """The feed starts from 0, whatever was asked for: a node or a shard was lost."""

    @FeedFault
    def fault(plan: Plan) -> None:
        plan.since = None

    return fault


def repeated(times: int = 2) -> FeedFault:
    """Each row comes as often as that, one right behind the other."""

    @FeedFault
    def fault(plan: Plan) -> None:
        plan.times = times

    return fault


def without_seqs() -> FeedFault:
    """No row carries a seq; only the end of the reading does, if it is reached."""

    @FeedFault
    def fault(plan: Plan) -> None:
        plan.has_seqs = False

    return fault


def meanwhile(action: Callable[[], object]) -> FeedFault:
    """Something happens when rows have been read and nobody has looked at them yet.

    A document that is deleted then is in the feed, and cannot be loaded any more:

        database.fail_next(meanwhile(lambda: database.delete("a")))
    """

    @FeedFault
    def fault(plan: Plan) -> None:
        plan.meanwhile.append(action)

    return fault
