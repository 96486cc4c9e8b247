"""pillowtop itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone


def run_pillow(job: Job) -> Figures:
    """From CouchDB into Elasticsearch, from nothing to caught up."""
    set_up(job)
    from dev.bench.pillow_classes import OrderPillow, TotalPillow  # noqa: PLC0415  (needs Django)

    pillow = (TotalPillow if job.transform else OrderPillow)()
    pillow.couch_db, pillow.es_alias = job.database, job.alias
    pillow.include_docs = job.include_docs
    return launched([pillow]).figures(job.documents)


def run_copy(job: Job) -> Figures:
    """The same into an index that is there already, as `ptop_reindex run` fills it."""
    set_up(job)
    from dev.bench.pillow_classes import OrderPillow  # noqa: PLC0415

    pillow = OrderPillow()
    pillow.couch_db, pillow.es_alias = job.database, job.alias
    pillow.redirect()
    return launched([pillow]).figures(job.documents)


def run_discarded(job: Job) -> Figures:
    """From CouchDB to nowhere: how fast documents come, sent along or loaded."""
    set_up(job)
    from dev.bench.pillow_classes import DiscardedPillow  # noqa: PLC0415

    pillow = DiscardedPillow(Path(job.folder).name)
    pillow.couch_db, pillow.include_docs = job.database, job.include_docs
    return _all_discarded(pillow, job)


def run_recorded(job: Job) -> Figures:
    """From a file to nowhere: what pillowtop's own work costs."""
    set_up(job)
    from dev.bench.pillow_classes import RecordedPillow, RecordedTotalPillow  # noqa: PLC0415

    pillow = (RecordedTotalPillow if job.transform else RecordedPillow)(Path(job.material))
    return _all_discarded(pillow, job)


def _all_discarded(pillow: Any, job: Job) -> Figures:
    watch = launched([pillow])
    if pillow.discarded != job.documents:
        raise WorkNotDone(f"{pillow.discarded} documents arrived of {job.documents}")
    return watch.figures(job.documents)


def launched(pillows: Sequence[Any]) -> Stopwatch:
    """Run pillows from nothing to caught up."""
    from pillowtop.conf import configuration  # noqa: PLC0415
    from pillowtop.exits import Exit  # noqa: PLC0415
    from pillowtop.worker.launcher import launch  # noqa: PLC0415

    with Stopwatch() as watch:
        verdict = launch(pillows, configuration(), follow=False)
    if verdict is not Exit.DONE:
        raise WorkNotDone(f"ended with {verdict!r}")
    return watch


def set_up(job: Job, **more: Any) -> None:
    """Django with a database of its own, as a user's project has it, and with more settings."""
    usual = {
        "SECRET_KEY": "bench",  # guards nothing
        "INSTALLED_APPS": ["pillowtop"],
        "DATABASES": {"default": job.books},
        "PILLOWTOP": {
            "COUCHDB_URL": job.couchdb_url,
            "ELASTICSEARCH_URL": job.elasticsearch_url,
        },
        "USE_TZ": True,
    }
    settings.configure(**usual | more)
    django.setup()
    call_command("migrate", verbosity=0)
