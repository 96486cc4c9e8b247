"""The rows of a window, put in place of those that it had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pillowtop.stats.models import Categorized, CategorizedLog, Scalar
from pillowtop.stats.plugins import Plugin

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Kind(Plugin):
    name = "kind"
    interval = timedelta(minutes=1)


class Log(Kind):
    model = CategorizedLog

    @classmethod
    def rows(cls, *messages):
        return [cls.row(category="x", message=one) for one in messages]

    @staticmethod
    def row(**values):
        return CategorizedLog(statistic="kind-1m", timestamp=NOON, **values)


class Doubled(Kind):
    model = Categorized

    @classmethod
    def rows(cls, *values):
        return [
            Categorized(statistic="kind-1m", timestamp=NOON, category="x", scalar=len(one))
            for one in values
        ]


def kept(kind, value):
    return [(row.pk, getattr(row, value)) for row in kind.model.objects.order_by("pk")]


@pytest.mark.parametrize(("kind", "value"), [(Log, "message"), (Doubled, "scalar")])
def test_of_rows_with_one_key_as_many_are_there_as_were_made_last(kind, value):
    kind.store({NOON: kind.rows("a", "bb", "ccc")})
    first = kept(kind, value)
    kind.store({NOON: kind.rows("a", "bb", "ccc")})
    assert kept(kind, value) == first
    kind.store({NOON: kind.rows("a", "dddd", "ccc", "eeeee")})
    then = kept(kind, value)
    assert [pk for pk, _ in then[:3]] == [pk for pk, _ in first]
    made = kind.rows("a", "dddd", "ccc", "eeeee")
    assert [one for _, one in then] == [getattr(row, value) for row in made]
    kind.store({NOON: kind.rows("f")})
    assert len(kept(kind, value)) == 1


def test_windows_that_are_written_together_hold_their_own_rows():
    class Count(Kind):
        model = Scalar

    def rows(minute, *values):
        at = NOON + minute * timedelta(minutes=1)
        return {at: [Scalar(statistic="kind-1m", timestamp=at, scalar=one) for one in values]}

    Count.store(rows(0, 1) | rows(1, 2, 3) | rows(2, 4))
    first = list(Count.rows().order_by("pk").values_list("pk", "scalar"))
    Count.store(rows(0, 1) | rows(1, 2) | rows(2) | rows(3, 5))
    then = Count.rows().order_by("timestamp", "pk").values_list("pk", "timestamp", "scalar")
    minutes = [(pk, (at - NOON) // timedelta(minutes=1), value) for pk, at, value in then]
    assert minutes == [(first[0][0], 0, 1), (first[1][0], 1, 2), (minutes[2][0], 3, 5)]
