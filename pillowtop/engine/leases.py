"""Who may run a pillow: what a lease is, and when a process that waits may take one (rule 8).

No clock of another machine counts. A process that stands by looks at the holder's counter; one that
has stood still for the whole term, by the clock of who looks, belongs to nobody any more. The
holder stops delivering well before, by its own clock.
"""

from __future__ import annotations

import msgspec

HOLDER_SHARE = 0.75
"""After this share of the term without a renewal the holder delivers and saves nothing."""

RENEWALS = 8
"""How often the holder renews in a term."""


def look_seconds(term_seconds: float) -> float:
    """How often those who wait look: often enough to notice at once what was given back."""
    return min(0.5, term_seconds / 16)


class Holder(msgspec.Struct, frozen=True):
    """A process. `machine` names a boot of a machine and its space of pids, empty if unknown;
    `born` is when the process began, as that machine counts. Without an id: nobody."""

    id: str = ""
    host: str = ""
    machine: str = ""
    pid: int = 0
    born: int = 0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Standing(msgspec.Struct, frozen=True):
    """A lease as somebody saw it: who holds it, and how often it was taken or renewed.

    With `yields` the holder gives it to whoever asks.
    """

    holder: Holder
    beat: int
    yields: bool = False


class Watch:
    """For how long a lease of somebody else has stood still, by the looks of one process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: Standing | None = None
        self._since = self._looked = 0.0
        self.moves = False
        """Whether the lease was renewed while it was watched."""

    def is_over(self, standing: Standing, now: float) -> bool:
        """Whether the lease may be taken; `now` is in seconds of a clock that never goes back."""
        has_slept = now - self._looked > self._seconds / 4
        if standing != self._seen or has_slept:
            # What happened while nobody looked, the database being down, is not known.
            self.moves = self._seen is not None and standing.holder == self._seen.holder
            self.moves &= standing != self._seen
            self._seen, self._since = standing, now
        self._looked = now
        return now - self._since >= self._seconds
