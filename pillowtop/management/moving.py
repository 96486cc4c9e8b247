"""Runs a move in this process, which has been started for that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError

from pillowtop.conf import configuration
from pillowtop.management.logs import set_up_logging
from pillowtop.management.moves import aliased, build_of, cluster_indices
from pillowtop.management.progress import Phases
from pillowtop.worker import boot

KEEP = timedelta(days=1)


def move(name: str, verbosity: int, *, keep: timedelta = KEEP, **wishes: Any) -> None:
    """Move a pillow to its new index. `wishes` are those of `worker.moving.Wishes`.

    Raises `SystemExit` with another code than 0, `CommandError` or `ConfigurationError`.
    """
    one = aliased(name)
    if not boot.is_patched():
        raise CommandError(
            "this runs a pillow in a process of its own: start it from the command line "
            "(manage.py …), not by call_command"
        )
    set_up_logging(verbosity)
    from pillowtop.worker.launcher import work  # noqa: PLC0415  (imports gevent)
    from pillowtop.worker.moving import Mover, Wishes  # noqa: PLC0415

    with Phases() as show:
        code = work(
            lambda office: [
                Mover(
                    one.pillow,
                    build_of(one),
                    cluster_indices(),
                    office,
                    Wishes(keep, **wishes),
                    show,
                )
            ],
            configuration(),
        )
    if code:
        raise SystemExit(int(code))
