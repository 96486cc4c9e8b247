"""Runs a move in this process, which has been started for that."""

from __future__ import annotations

from typing import Any

from pillowtop.conf import configuration
from pillowtop.management.logs import set_up_logging
from pillowtop.management.moves import aliased
from pillowtop.management.progress import Phases
from pillowtop.management.running import demand_patched
from pillowtop.worker.movable import demand_movable


def move(name: str, verbosity: int, **wishes: Any) -> None:
    """Move a pillow to its new index. `wishes` are those of `worker.wishes.Wishes`.

    Raises `SystemExit` with another code than 0, `CommandError` or `ConfigurationError`.
    """
    one = aliased(name)
    demand_patched()
    demand_movable(one.pillow)

    from pillowtop.worker.launcher import work  # noqa: PLC0415  (imports gevent)
    from pillowtop.worker.moving import mover_of  # noqa: PLC0415
    from pillowtop.worker.wishes import Wishes  # noqa: PLC0415

    with Phases() as show:
        set_up_logging(verbosity)  # now, or else its lines would go through the bar
        code = work(
            lambda office: [mover_of(name, office, Wishes(**wishes), show)], configuration()
        )
    if code:
        raise SystemExit(int(code))
