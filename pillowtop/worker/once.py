"""Runs one pillow up to the present, for commands that need that: shows how far it is."""

from __future__ import annotations

from typing import Protocol

import gevent

from pillowtop.conf import Configuration
from pillowtop.exits import Exit
from pillowtop.listener import BasicPillow
from pillowtop.worker.launcher import work
from pillowtop.worker.office import Office
from pillowtop.worker.supervisor import Supervisor

LOOK_SECONDS = 0.5


class Shows(Protocol):
    """Shows changes: see `pillowtop.management.progress.Phases`."""

    def expect(self, what: str, total: int) -> None: ...

    def reached(self, count: int) -> None: ...


def catch_up(pillow: BasicPillow, settings: Configuration, show: Shows | None = None) -> Exit:
    """Run it in this process, in which gevent is patched in. Ends with `Exit.LEASE` where another
    process runs the pillow."""

    def make(office: Office) -> list[Supervisor]:
        supervisor = Supervisor(pillow, office, follow=False, yields=True)
        if show:
            gevent.spawn(_keep_showing, supervisor, show)
        return [supervisor]

    return work(make, settings)


def _keep_showing(supervisor: Supervisor, show: Shows) -> None:
    is_expected = False
    while True:
        figures = supervisor.snapshot()
        if figures.pending_changes is not None and not is_expected:
            is_expected = True
            show.expect("changes", figures.changes + figures.pending_changes)
        show.reached(figures.changes)
        gevent.sleep(LOOK_SECONDS)
