"""What somebody wants of a move, and where the progress of commands is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple, Protocol

KEEP = timedelta(days=1)
"""For how long there is a way back, unless somebody says otherwise."""


class Show(Protocol):
    """Where progress is shown."""

    def expect(self, what: str, total: int) -> None:
        """So many changes are to come."""

    def reached(self, count: int) -> None:
        """So many of them have."""


class Wishes(NamedTuple):
    """What somebody wants of a move. `keep` is for how long there is to be a way back."""

    keep: timedelta = KEEP
    flips: bool = True
    follows: bool = True
    takes_letters: bool = False


class Unseen:
    """Where nobody looks at progress."""

    def expect(self, what: str, total: int) -> None:
        pass

    def reached(self, count: int) -> None:
        pass
