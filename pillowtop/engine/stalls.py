"""Notices that what should move does not."""

from __future__ import annotations

LONGEST_STEP_SECONDS = 5.0
"""Between two looks nothing counts beyond that: perhaps the whole process was stopped."""


class Stillness:
    """For how long a mark has not changed, though nothing excused it."""

    def __init__(self) -> None:
        self._mark: object = None
        self._looked_at = 0.0
        self._seconds = 0.0

    def seconds(self, now: float, mark: object, *, excused: bool = False) -> float:
        """To be called every second or so."""
        if excused or mark != self._mark:
            self._mark, self._seconds = mark, 0.0
        else:
            self._seconds += min(now - self._looked_at, LONGEST_STEP_SECONDS)
        self._looked_at = now
        return self._seconds
