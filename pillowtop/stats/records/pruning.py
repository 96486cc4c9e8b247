"""Rows that are older than they are to be kept, and those of statistics that no plugin has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.models import QuerySet

from pillowtop.exceptions import ConfigurationError
from pillowtop.records.database import alias
from pillowtop.stats.models import StatisticModel
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.retention import kept_for

CHUNK = 5000
"""Rows that go in one transaction: whoever else writes waits no longer than for these."""


@dataclass(frozen=True)
class Holding:
    """What a table has of a statistic. `kept_for` is None for ever."""

    statistic: str
    model: type[StatisticModel]
    kept_for: timedelta | None = None
    orphaned: bool = False

    @property
    def rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.using(alias())  # noqa: SLF001
        return rows.filter(statistic=self.statistic)

    def oldest(self) -> datetime | None:
        found: datetime | None = (
            self.rows.order_by("timestamp").values_list("timestamp", flat=True).first()
        )
        return found

    def old(self, now: datetime) -> QuerySet[Any]:
        """The rows that have been kept long enough."""
        if self.orphaned:
            return self.rows
        if self.kept_for is None:
            return self.rows.none()
        return self.rows.filter(timestamp__lt=now - self.kept_for)

    def prune(self, now: datetime, chunk: int = CHUNK) -> Iterator[int]:
        """Remove them, the oldest first. Yields after each transaction how many it removed."""
        old = self.old(now)
        while True:
            last = old.order_by("timestamp").values_list("timestamp", flat=True)[chunk - 1 : chunk]
            # Rows of one window go together, so that none is left in half.
            part = old.filter(timestamp__lte=last[0]) if last else old
            removed, _ = part.delete()
            if removed:
                yield removed
            if part is old:
                return


def holdings(kinds: Mapping[str, type[Plugin]]) -> list[Holding]:
    """What there is of the statistics of plugins, and then what there is of others."""
    own = [Holding(ident, kind.model, kept_for(ident)) for ident, kind in kinds.items()]
    orphaned = [
        Holding(statistic, model, orphaned=True)
        for model in _models()
        for statistic in _statistics(model)
        if not _belongs(model, kinds.get(statistic))
    ]
    return own + orphaned


def _belongs(model: type[StatisticModel], kind: type[Plugin] | None) -> bool:
    return kind is not None and issubclass(kind.model, model)


def _models() -> list[type[StatisticModel]]:
    """Those with a table. Raises `ConfigurationError` where one is missing."""
    found = [
        model
        for model in apps.get_models()
        if issubclass(model, StatisticModel) and not model._meta.proxy  # noqa: SLF001
    ]
    made = connections[alias()].introspection.table_names()
    for model in found:
        if (table := model._meta.db_table) not in made:  # noqa: SLF001
            raise ConfigurationError(f"the table {table} is missing: run manage.py migrate")
    return found


def _statistics(model: type[StatisticModel]) -> Iterator[str]:
    """Whose rows there are, with a look into the index for each: DISTINCT would read all of it."""
    names = model._default_manager.using(alias()).order_by("statistic")  # noqa: SLF001
    last = names.values_list("statistic", flat=True).first()
    while last is not None:
        yield last
        last = names.filter(statistic__gt=last).values_list("statistic", flat=True).first()
