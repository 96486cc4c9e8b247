"""One life of a pillow in the calling process and thread, up to the present: for tests.

Nothing is patched, so hooks that wait stop the process for that long.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent

from pillowtop.conf import configuration
from pillowtop.listener import BasicPillow
from pillowtop.worker.bookkeeper import Bookkeeper, P, T
from pillowtop.worker.gates import Gates
from pillowtop.worker.lane import Lane
from pillowtop.worker.leasing import Leases
from pillowtop.worker.mail import Mail
from pillowtop.worker.office import Office

SECONDS = 60.0


class NearBooks(Bookkeeper):
    """Uses the Django database in the calling thread: a test's transaction is only seen there."""

    def __init__(self) -> None:
        """No thread."""

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)


def rehearse(pillow: BasicPillow, seconds: float = SECONDS) -> None:
    """Run a pillow until it is caught up. Raises what ends its life, or `TimeoutError`."""
    settings = configuration()
    books = NearBooks()
    leases = Leases(books, settings.LEASE_SECONDS)
    office = Office(settings, books, Gates(settings.PROBE_SECONDS), leases, Mail(books, 0.0))
    late = TimeoutError(
        f"{pillow.name} was not caught up within {seconds:g} s: the log says what it waits for"
    )
    with gevent.Timeout(seconds, late):
        try:
            Lane(pillow, office, follow=False).run()
        finally:
            leases.release()
