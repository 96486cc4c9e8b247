"""How much a target is sent at once, by what it has answered in time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Portions:
    """All at once, unless the target was late: then half, and slowly more again.

    Sent again as a whole, what was too much would be too much again: it would never get through,
    and each attempt would leave the target more to do.
    """

    def __init__(self) -> None:
        self._most = sys.maxsize

    def cut(self, items: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
        """What to send now, and what then."""
        return items[: self._most], items[self._most :]

    def late(self, sent: int) -> None:
        """So much was not answered in time."""
        self._most = max(1, sent // 2)

    def answered(self, sent: int) -> None:
        """So much was; ask a little more where there was more to send."""
        self._most = max(self._most, sent + sent // 10 + 1)
