"""Which statistics a pillow computes, and which of them are able to."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pillowtop.stats.plugins import Plugin
from pillowtop.stats.store import ASKED, GATHERING, Enrolled, Store

logger = logging.getLogger(__name__)

FAILED_AT_MOST = 1000
"""Messages and windows that a statistic failed at, above which it is set aside."""

SLOW_SECONDS = 5.0
SLOW_AT_MOST = 3
"""How often in a row a statistic may be slow before it is set aside."""


class Roll:
    """The statistics of one pillow, by ident. `begun` says that it has counted messages before."""

    def __init__(
        self, pillow: str, kinds: Mapping[str, type[Plugin]], store: Store, *, begun: bool
    ) -> None:
        self._pillow = pillow
        self._store = store
        self._slow: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._failing: dict[str, str] = {}
        known = store.enrolled()
        self._enrolled = {
            ident: self._called(ident, kind, known.get(ident), begun=begun)
            for ident, kind in kinds.items()
        }
        self._unsaved = [one for ident, one in self._enrolled.items() if known.get(ident) != one]
        for ident, left in known.items():
            if ident not in kinds and not left.lacks:
                left.lacks = "it was left out for a while"
                self._unsaved.append(left)

    def __getitem__(self, statistic: str) -> Enrolled:
        return self._enrolled[statistic]

    def working(self) -> list[str]:
        return [ident for ident, one in self._enrolled.items() if one.works]

    def is_called(self) -> bool:
        """Whether a backfill waits to take over, or has done so."""
        return any(
            one.stage == ASKED or one != self._enrolled[ident]
            for ident, one in self._store.enrolled().items()
            if ident in self._enrolled
        )

    def heed(self) -> list[str]:
        """See what backfills have changed. Returns the statistics that are not what they were."""
        for one in self._unsaved:
            self._store.save_enrolled(one)
        self._unsaved = []
        changed = []
        for ident, one in self._store.enrolled().items():
            if ident not in self._enrolled:
                continue
            if one.stage == ASKED:
                one.stage = GATHERING
                self._store.save_enrolled(one)
            if one != self._enrolled[ident]:
                self._enrolled[ident] = one
                changed.append(ident)
        return changed

    def forget_skips(self, statistic: str) -> None:
        self._enrolled[statistic].skips = b""
        self._store.save_enrolled(self._enrolled[statistic])

    def failed(self, statistic: str, what: str, error: str) -> None:
        """Say it, where that is new."""
        if self._failing.get(statistic) != error:
            self._failing[statistic] = error
            self.warn(statistic, f"failed at {what}, and is to try it again: {error}")

    def worked(self, statistic: str) -> None:
        """What it fails at next is new."""
        self._failing.pop(statistic, None)

    def mind_failures(self) -> None:
        """Set aside what has failed at too much."""
        for statistic in self._failing:
            count = self._store.count_failed(statistic)
            if count > FAILED_AT_MOST and not self._enrolled[statistic].set_aside:
                self._set_aside(statistic, f"it failed at {count} messages and windows")

    @contextmanager
    def timed(self, statistic: str) -> Iterator[None]:
        """What runs within it is the statistic's own doing."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = self._seconds.get(statistic, 0.0) + time.monotonic() - started
            self._seconds[statistic] = spent

    def mind_pace(self) -> None:
        """Set aside what takes so long of transactions that all others would wait for it."""
        seconds, self._seconds = self._seconds, {}
        for statistic, spent in seconds.items():
            if spent < SLOW_SECONDS:
                self._slow.pop(statistic, None)
                continue
            times = self._slow[statistic] = self._slow.get(statistic, 0) + 1
            self.warn(statistic, f"took {spent:.1f} s, while all others waited")
            if times >= SLOW_AT_MOST:
                self._set_aside(statistic, f"it took {spent:.1f} s, {times} times in a row")

    def tell_of_beyond(self) -> None:
        """That messages came too late to be counted."""
        logger.warning(
            "%s: messages came later than late_limit allows, and are counted apart (manage.py "
            "ptop_status shows how many): manage.py ptop_stats_backfill counts them, too",
            self._pillow,
            extra={"action": "statistics_uncounted", "pillow": self._pillow},
        )

    def warn(self, statistic: str, words: str) -> None:
        logger.warning(
            "%s: the statistic %s %s",
            self._pillow,
            statistic,
            words,
            extra={"action": "statistic", "pillow": self._pillow},
        )

    def _called(
        self, ident: str, kind: type[Plugin], known: Enrolled | None, *, begun: bool
    ) -> Enrolled:
        version = kind.version
        if known is None:
            lacks = "it is new" if begun else ""
            if self._store.has_rows(kind):
                lacks = "it has rows that another pillow has made, or this one under another name"
            called = Enrolled(ident, version, lacks)
        elif known.version != version:
            lacks = f"its rows are of version {known.version}, and it is of version {version}"
            called = Enrolled(ident, version, lacks, filled_since=known.filled_since)
        else:
            return known
        if lacks:
            command = f"manage.py ptop_stats_backfill {ident}"
            self.warn(ident, f"lacks its past, as {lacks}: {command} fills it in")
        return called

    def _set_aside(self, statistic: str, why: str) -> None:
        enrolled = self._enrolled[statistic]
        enrolled.set_aside = enrolled.lacks = why
        self._store.save_enrolled(enrolled)
        logger.error(
            "%s: the statistic %s is set aside, as %s. Mend it, and type: "
            "manage.py ptop_stats_backfill %s",
            self._pillow,
            statistic,
            why,
            statistic,
            extra={"action": "statistic_set_aside", "pillow": self._pillow},
        )
