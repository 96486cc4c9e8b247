"""A pillow's move from one index to another, as it is remembered."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

import msgspec

from pillowtop.changes import Seq

OnChangedMapping = Literal["standby", "reindex"]
ON_CHANGED_MAPPING: tuple[OnChangedMapping, ...] = ("standby", "reindex")


class Stage(Enum):
    """How far a move has got."""

    PLANNED = "planned"
    BUILDING = "building"
    READY = "ready"
    FLIPPING = "flipping"
    FLIPPED = "flipped"
    ROLLED_BACK = "rolled back"


def build_name(pillow: str, index: str) -> str:
    """Under which an index is filled, for a checkpoint, a lease and letters of its own: the
    pillow's name, and the digits of the index's."""
    return f"{pillow}@{index.rpartition('_')[2]}"


class Move(msgspec.Struct, frozen=True):
    """From the index `old` to `new`, whose identity is `uuid`, under an alias.

    From `seq` on, in the database of `identity`, both indices are written to, until `keep_until`;
    `lost` says why the old one is not any more.
    """

    pillow: str
    alias: str
    old: str
    new: str
    uuid: str = ""
    stage: Stage = Stage.PLANNED
    seq: Seq | None = None
    identity: str = ""
    keep_until: datetime | None = None
    lost: str = ""
    began_at: datetime | None = None

    @property
    def build(self) -> str:
        """The name under which the new index is filled."""
        return build_name(self.pillow, self.new)

    @property
    def is_made(self) -> bool:
        """Whether the alias is on the new index, or about to be."""
        return self.stage in (Stage.FLIPPING, Stage.FLIPPED)

    def may_return(self, now: datetime) -> bool:
        """Whether the old index is in step, and can take its place again."""
        return (
            self.is_made and not self.lost and self.keep_until is not None and now < self.keep_until
        )
