"""Fixtures for the tests of those who use pillowtop; pytest finds them by itself.

Imported in every run of pytest: so it imports nothing of pillowtop's before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pillowtop.listener import BasicPillow
    from pillowtop.testing import FakeDatabase, FakeElasticsearch


@pytest.fixture
def pillowtop_database() -> FakeDatabase:
    """A CouchDB database in memory."""
    from pillowtop.testing import FakeDatabase  # noqa: PLC0415

    return FakeDatabase()


@pytest.fixture
def pillowtop_elasticsearch() -> Iterator[FakeElasticsearch]:
    """An Elasticsearch in memory; while the test runs, the settings point at it."""
    from django.test.utils import override_settings  # noqa: PLC0415

    from pillowtop.testing import FakeElasticsearch  # noqa: PLC0415
    from pillowtop.testing.settings import pointing_at  # noqa: PLC0415

    with FakeElasticsearch() as server, override_settings(PILLOWTOP=pointing_at(server.url)):
        yield server


@pytest.fixture
def pillowtop_run(db: None, pillowtop_database: FakeDatabase) -> Callable[[BasicPillow], None]:
    """Runs a pillow on `pillowtop_database` until it is caught up, as the worker does.

    Checkpoints and dead letters go to the test's database: `db` is a fixture of pytest-django.
    """
    from pillowtop.listener import BasicPillow  # noqa: PLC0415
    from pillowtop.worker.rehearsal import rehearse  # noqa: PLC0415

    def run(pillow: BasicPillow) -> None:
        if not isinstance(pillow, BasicPillow):
            raise TypeError(f"pillowtop_run takes a pillow, such as OrderPillow(), not {pillow!r}")
        pillowtop_database.follow_with(pillow)
        rehearse(pillow)

    return run
