"""The rows of statistics: abstract models to inherit from, and a table for each of them.

Rows of several statistics may share a table: `statistic` says whose they are. `timestamp` is the
end of the window.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pillowtop.stats.records.models import (
    CountedMessages,
    Enrolment,
    KeptMessages,
    OpenWindow,
    PendingMessage,
    StatsProgress,
)
from pillowtop.stats.rendering.rendered import ByCategory, Messages, Rendered

__all__ = [
    "Categorized",
    "CategorizedLog",
    "CategorizedLogModel",
    "CategorizedModel",
    "ConstrainedCategorizedLog",
    "ConstrainedCategorizedLogModel",
    "CountedMessages",
    "Enrolment",
    "KeptMessages",
    "OpenWindow",
    "PendingMessage",
    "Scalar",
    "ScalarModel",
    "StatisticModel",
    "StatsProgress",
]


class StatisticModel(Rendered):
    """What all rows have. Subclasses add the columns of what is measured."""

    key_columns: ClassVar[tuple[str, ...]] = ()
    """What tells the rows of one window apart; a row that is measured anew keeps its id."""

    statistic = models.CharField(max_length=200)
    timestamp = models.DateTimeField()

    class Meta:
        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["statistic", "timestamp", "id"])
        ]

    def __str__(self) -> str:
        return f"{self.statistic} at {self.timestamp}"


class ScalarModel(StatisticModel):
    """A number for each window."""

    scalar = models.FloatField()

    class Meta(StatisticModel.Meta):
        abstract = True


class CategorizedModel(ByCategory, StatisticModel):
    """A number for each category."""

    key_columns = ("category",)

    category = models.TextField()
    scalar = models.FloatField()

    class Meta(StatisticModel.Meta):
        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            *StatisticModel.Meta.indexes,
            models.Index(fields=["statistic", "category", "timestamp", "id"]),
        ]


class CategorizedLogModel(Messages, StatisticModel):
    """Words about each category."""

    category = models.TextField()
    message = models.TextField()

    class Meta(StatisticModel.Meta):
        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            *StatisticModel.Meta.indexes,
            models.Index(fields=["statistic", "category", "timestamp", "id"]),
        ]


class ConstrainedCategorizedLogModel(CategorizedLogModel):
    """Words about each category, of each of its parts."""

    key_columns = ("category", "category_constraint")

    category_constraint = models.TextField(null=True, blank=True)  # noqa: DJ001  (as it always was)

    class Meta(CategorizedLogModel.Meta):
        abstract = True


class Scalar(ScalarModel):
    class Meta(ScalarModel.Meta):
        app_label = "pillowtop_stats"


class Categorized(CategorizedModel):
    class Meta(CategorizedModel.Meta):
        app_label = "pillowtop_stats"


class CategorizedLog(CategorizedLogModel):
    class Meta(CategorizedLogModel.Meta):
        app_label = "pillowtop_stats"


class ConstrainedCategorizedLog(ConstrainedCategorizedLogModel):
    class Meta(ConstrainedCategorizedLogModel.Meta):
        app_label = "pillowtop_stats"
