"""For how long rows are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from pillowtop.conf import suggestion
from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.registry import plugins

ALL_OTHERS = "*"


def kept_for(statistic: str) -> timedelta | None:
    """None for ever."""
    retention = stats_configuration().RETENTION
    return retention.get(statistic, retention.get(ALL_OTHERS))


def demand_known_statistics() -> None:
    """Raise `ConfigurationError` where `RETENTION` names what no plugin is: its rows would stay."""
    for words in mistakes(plugins()):
        raise ConfigurationError(words)


def mistakes(idents: Iterable[str]) -> Iterator[str]:
    """What `RETENTION` says of statistics that are none of these."""
    known = [ALL_OTHERS, *idents]
    for statistic in stats_configuration().RETENTION:
        if statistic not in known:
            yield (
                f"PILLOWTOP_STATS['RETENTION'] names {statistic!r}, and no statistic is called "
                f"that{suggestion(statistic, known)}"
            )
