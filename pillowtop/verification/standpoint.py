"""How far a pillow has got, and whether it runs, by what is remembered of it."""

from __future__ import annotations

from pillowtop.changes import Seq
from pillowtop.conf import configuration
from pillowtop.engine.health import SILENT_SECONDS
from pillowtop.engine.resuming import Checkpoint, vouched_for
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.records import couch, figures, letters, positions

RUNNING = ("starting", "running")


class Standpoint:
    """Of one pillow, which follows one database into one target."""

    def __init__(self, pillow: str, database: CouchDatabase) -> None:
        self._pillow = pillow
        self._database = database

    def delivered_to(self, target: str) -> Seq:
        """How far everything is delivered to the target of that identity: as far as was saved.

        From the beginning where the checkpoint is about another database or target.
        """
        return vouched_for(self._checkpoint(), couch.read_identity(self._database), target)

    def is_run(self) -> bool:
        """Whether a worker has reported lately that it runs the pillow."""
        report = figures.read([self._pillow]).get(self._pillow)
        return (
            report is not None
            and report.age_seconds < SILENT_SECONDS
            and report.figures is not None
            and report.figures.state in RUNNING
        )

    def have_letters(self, doc_ids: list[str]) -> set[str]:
        """Those of the documents that have dead letters."""
        return letters.among(self._pillow, self._database.name, doc_ids)

    def _checkpoint(self) -> Checkpoint | None:
        in_django = positions.recall(self._pillow, self._database.name)
        if configuration().checkpoints == "django":
            return in_django
        return couch.read_checkpoint(self._database, self._pillow)
