"""Has all pillows of the process report their figures, to a table of the Django database."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, Self

import gevent

from pillowtop.engine.figures import Snapshot
from pillowtop.records import figures
from pillowtop.worker.office import Office

logger = logging.getLogger(__name__)

REPORT_SECONDS = 2.0
LAST_REPORT_SECONDS = 1.0


class Reports(Protocol):
    """Who has figures to report: a `Supervisor`."""

    def snapshot(self) -> Snapshot: ...


class Reporter:
    """Reports every two seconds within its block, and once behind it.

    While the database is down a report is left out, and said to be once.
    """

    def __init__(self, pillows: Sequence[Reports], office: Office) -> None:
        self._pillows = pillows
        self._office = office
        self.latest: list[Snapshot] = []
        self._said = ""

    def __enter__(self) -> Self:
        self._greenlet = gevent.spawn(self._keep_reporting)
        return self

    def __exit__(self, *_error: object) -> None:
        self._greenlet.kill()
        with gevent.Timeout(LAST_REPORT_SECONDS, exception=False):
            self._report()

    def _keep_reporting(self) -> None:
        while True:
            self._report()
            gevent.sleep(REPORT_SECONDS)

    def _report(self) -> None:
        try:
            self.latest = [one.snapshot() for one in self._pillows]
            letters = self._office.books.run(figures.write, self.latest)
        except Exception as error:  # noqa: BLE001  (whatever it is, the next report may work)
            self._say(str(error))
            return
        self._said = ""
        for name, count in letters.items():
            self._office.figures(name).dead_letters = count

    def _say(self, words: str) -> None:
        if words != self._said:
            self._said = words
            logger.warning(
                "figures for ptop_status cannot be written: %s (left out until they can)",
                words,
                extra={"action": "unreported"},
            )
