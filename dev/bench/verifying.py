"""The comparison of an index with its database, as `ptop_verify` makes it."""

from __future__ import annotations

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.pillows import set_up


def verify(job: Job) -> Figures:
    """All documents, on an index that a pillow has filled."""
    set_up(job)
    from dev.bench.pillow_classes import OrderPillow  # noqa: PLC0415  (needs Django)
    from pillowtop.verification.scopes import Everything  # noqa: PLC0415
    from pillowtop.verification.sides import Sides  # noqa: PLC0415
    from pillowtop.verification.standpoint import Standpoint  # noqa: PLC0415
    from pillowtop.verification.verifier import Verifier  # noqa: PLC0415

    pillow = OrderPillow()
    pillow.couch_db, pillow.es_alias = job.database, job.alias
    compared: list[int] = []
    with Stopwatch() as watch:
        sides = Sides(pillow, compared.append)
        with Verifier(sides, Standpoint(pillow.name, sides.database), 0.0) as verifier:
            sides.measure()
            verifier.compare(Everything())
            verdict = verifier.verdict(sum(compared))
    if verdict.differences or verdict.backlog or verdict.compared != job.documents:
        raise WorkNotDone(f"the index was found to differ: {verdict}")
    return watch.figures(job.documents)
