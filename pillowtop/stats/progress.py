"""How far a pillow has got in the time of its messages, and which messages count."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from pillowtop.stats.seen import Identities, Seen

Times = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Rules(msgspec.Struct, frozen=True):
    """How late, and how early, a message may be. In microseconds.

    A window closes once the watermark, `lateness` behind the newest message, is past its end.
    Messages up to `limit` behind the watermark open it anew. What is further ahead of the clock
    than `ahead` has a wrong time.
    """

    lateness: int
    limit: int
    ahead: int


class Progress(msgspec.Struct):
    """Of one pillow. Times are in microseconds since 1970; None before the first message.

    Nothing is known any more of the windows that ended by `forgotten`, nor of their messages.
    """

    newest: int | None = None
    watermark: int | None = None
    forgotten: int | None = None
    counted: int = 0
    late: int = 0
    beyond: int = 0
    ahead: int = 0
    repeated: int = 0

    def copy(self) -> Progress:
        return msgspec.structs.replace(self)

    @property
    def counts(self) -> dict[str, int]:
        """What has become of all messages."""
        return {
            "counted": self.counted,
            "late": self.late,
            "beyond the limit": self.beyond,
            "ahead of the clock": self.ahead,
            "repeated": self.repeated,
        }

    def cut(self, rules: Rules) -> int | None:
        """What happened before it is beyond the limit. It does not go back where that grows."""
        if self.watermark is None:
            return None
        cut = self.watermark - rules.limit
        return cut if self.forgotten is None else max(cut, self.forgotten)

    def judge(
        self, times: Times, identities: Identities, seen: Seen, rules: Rules, now: int
    ) -> Mask:
        """Which messages count; the others are counted apart. `seen` takes note of them."""
        ahead = times > now + rules.ahead
        cut = self.cut(rules)
        beyond = np.zeros_like(ahead) if cut is None else times < cut
        within = ~(ahead | beyond)
        fresh = seen.add(times, identities, within)
        self.ahead += int(ahead.sum())
        self.beyond += int(beyond.sum())
        counted = int(fresh.sum())
        self.repeated += int(within.sum()) - counted
        self.counted += counted
        if counted:
            newest = int(times[fresh].max())
            self.newest = newest if self.newest is None else max(self.newest, newest)
        return fresh

    def at_present(self, rules: Rules, idle: int, now: int) -> int | None:
        """The watermark where the feed has had nothing more for `idle` microseconds.

        While it has, the watermark stands still: several shards are read at different paces.
        """
        if self.newest is None:
            return None
        reached = min(self.newest + idle, now) - rules.lateness
        return reached if self.watermark is None else max(reached, self.watermark)
