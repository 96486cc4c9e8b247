from __future__ import annotations

import pytest

from pillowtop.conf import configuration
from pillowtop.worker.gates import Gates
from pillowtop.worker.leasing import Leases
from pillowtop.worker.mail import Mail
from pillowtop.worker.office import Office
from pillowtop.worker.rehearsal import NearBooks


@pytest.mark.parametrize(
    ("pillows", "seconds"), [(1, 3.0), (15, 3.0), (50, 10.0), (150, 30.0), (1000, 30.0)]
)
def test_of_many_pillows_those_that_deliver_nothing_save_more_seldom(pillows, seconds):
    settings, books = configuration(), NearBooks()
    leases = Leases(books, settings.LEASE_SECONDS)
    office = Office(settings, books, Gates(settings.PROBE_SECONDS), leases, Mail(books, 0.0))
    for number in range(pillows):
        office.figures(f"Pillow{number}")
    assert office.seldom_seconds == seconds * settings.CHECKPOINT_SECONDS
