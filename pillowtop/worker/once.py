"""Runs one pillow up to the present, for commands that need that: shows how far it is."""

from __future__ import annotations

import gevent

from pillowtop.conf import Configuration
from pillowtop.exits import Exit
from pillowtop.listener import BasicPillow
from pillowtop.worker.launcher import work
from pillowtop.worker.office import Office
from pillowtop.worker.supervisor import Supervisor
from pillowtop.worker.wishes import Show

LOOK_SECONDS = 0.5


def catch_up(pillow: BasicPillow, settings: Configuration, show: Show) -> Exit:
    """Run it in this process, in which gevent is patched in. Ends with `Exit.LEASE` where another
    process runs the pillow."""
    showing = []

    def make(office: Office) -> list[Supervisor]:
        supervisor = Supervisor(pillow, office, follow=False, yields=True)
        showing.append(gevent.spawn(_keep_showing, supervisor, show))
        return [supervisor]

    try:
        return work(make, settings, expected=[Exit.LEASE])
    finally:
        gevent.killall(showing)


def _keep_showing(supervisor: Supervisor, show: Show) -> None:
    is_expected = False
    while True:
        figures = supervisor.snapshot()
        if figures.pending_changes is not None and not is_expected:
            is_expected = True
            show.expect("changes", figures.changes + figures.pending_changes)
        show.reached(figures.changes)
        gevent.sleep(LOOK_SECONDS)
