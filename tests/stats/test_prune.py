"""`ptop_stats_prune`: what is old goes, and nothing else."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.models import Categorized, Scalar
from pillowtop.stats.records import pruning

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SHIPPED = "pillowtop.stats.shipped"


@pytest.fixture(autouse=True)
def configured(settings):
    settings.PILLOWTOP_STATS = {
        "PLUGINS": [f"{SHIPPED}.Volume", f"{SHIPPED}.VolumeByCategory", f"{SHIPPED}.DistinctCount"],
        "RETENTION": {"volume-1m": 7 * DAY, "volume-by-category-1m": timedelta(hours=36)},
    }


@pytest.fixture
def now(monkeypatch):
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def fill(now, statistic="volume-1m", days=range(10), model=Scalar, **values):
    """A row for each of so many days ago."""
    model.objects.bulk_create(
        model(statistic=statistic, timestamp=now - day * DAY, scalar=day, **values) for day in days
    )


def left(now, statistic="volume-1m", model=Scalar):
    times = model.objects.filter(statistic=statistic).values_list("timestamp", flat=True)
    return sorted((now - time) // DAY for time in times)


def prune(*arguments):
    call_command("ptop_stats_prune", *arguments)


@pytest.fixture
def said(capsys):
    """What the command prints."""

    def say(*arguments):
        prune(*arguments)
        return capsys.readouterr().out

    return say


@pytest.fixture
def listed(said):
    def say(*arguments):
        return {row["statistic"]: row for row in json.loads(said("--format=json", *arguments))}

    return say


def refused(*arguments):
    with pytest.raises(CommandError) as raised:
        prune(*arguments)
    return raised.value.returncode, str(raised.value)


def test_it_says_what_it_would_remove_and_removes_nothing(now, said):
    fill(now)
    out = said()
    assert left(now) == list(range(10))
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["statistic", "kept", "for", "rows", "oldest"]
    assert lines[1] == ["volume-1m", "7d", "2", (now - 9 * DAY).isoformat()]
    assert lines[2] == ["volume-by-category-1m", "1d12h", "0"]
    assert lines[3] == ["distinct-user-1m", "ever", "0"]
    assert out.splitlines()[4] == "nothing was removed: --apply removes 2 rows"


def test_it_says_so_where_nothing_is_old(now, said):
    fill(now, days=range(3))
    assert said().splitlines()[-1] == "nothing is to be removed"


def test_it_says_so_where_there_are_no_statistics(settings, said):
    settings.PILLOWTOP_STATS = {}
    assert said() == "nothing is to be removed\n"


def test_apply_removes_what_is_old(now, said):
    fill(now)
    fill(now, "distinct-user-1m")
    fill(now, "volume-by-category-1m", model=Categorized, category="a")
    assert "10 rows were removed" in said("--apply")
    assert left(now) == list(range(8))
    assert left(now, "distinct-user-1m") == list(range(10))
    assert left(now, "volume-by-category-1m", Categorized) == [0, 1]


def test_one_statistic_may_be_named(now, said):
    fill(now)
    fill(now, "volume-by-category-1m", model=Categorized, category="a")
    said("volume-1m", "--apply")
    assert left(now) == list(range(8))
    assert left(now, "volume-by-category-1m", Categorized) == list(range(10))


def test_all_others_may_have_an_age_too(now, settings, said):
    settings.PILLOWTOP_STATS["RETENTION"] = {"volume-1m": 7 * DAY, "*": DAY}
    fill(now)
    fill(now, "distinct-user-1m")
    said("--apply")
    assert left(now) == list(range(8))
    assert left(now, "distinct-user-1m") == [0, 1]


def test_rows_without_a_plugin_are_named_and_left(now, settings, said):
    settings.PILLOWTOP_STATS["RETENTION"] = {"*": DAY}
    fill(now, "gone-5s")
    fill(now, "volume-1m", model=Categorized, category="of an older version")
    out = said("--apply")
    assert out.count("  no plugin  ") == 2
    assert "--orphans takes the 20 rows of statistics that no plugin has, too" in out
    assert len(left(now, "gone-5s")) == 10


def test_orphans_removes_them(now, said):
    fill(now, days=range(3))
    fill(now, "gone-5s")
    fill(now, "gone-1m", model=Categorized, category="a")
    assert "--apply removes 20 rows" in said("--orphans")
    assert "20 rows were removed" in said("--orphans", "--apply")
    assert left(now, "gone-5s") == left(now, "gone-1m", Categorized) == []
    assert left(now) == [0, 1, 2]


def test_one_orphan_may_be_named(now, said):
    fill(now, "gone-5s")
    fill(now, "gone-1m")
    said("gone-5s", "--orphans", "--apply")
    assert left(now, "gone-5s") == []
    assert len(left(now, "gone-1m")) == 10


def test_json(now, listed):
    fill(now)
    fill(now, "gone-5s", days=[2])
    rows = listed("--apply")
    assert rows["volume-1m"] == {
        "statistic": "volume-1m",
        "table": "pillowtop_stats_scalar",
        "kept_for": "7d",
        "orphaned": False,
        "rows": 2,
        "oldest": (now - 9 * DAY).isoformat(),
        "removed": 2,
    }
    assert rows["gone-5s"]["orphaned"]
    assert (rows["gone-5s"]["rows"], rows["gone-5s"]["removed"]) == (1, 0)
    assert rows["distinct-user-1m"]["oldest"] is rows["distinct-user-1m"]["kept_for"] is None


def test_a_statistic_that_is_none_is_refused(now):
    fill(now, "gone-5s")
    code, words = refused("volume-1h", "--apply")
    assert code == 3
    assert "did you mean 'volume-1m'?" in words
    assert refused("gone-5s", "--apply")[0] == 3


def test_retention_of_what_is_none_is_refused(settings):
    settings.PILLOWTOP_STATS["RETENTION"] = {"volume-5m": DAY}
    code, words = refused()
    assert code == 3
    assert "RETENTION" in words
    assert "did you mean 'volume-1m'?" in words


def test_a_missing_table_is_said(monkeypatch):
    monkeypatch.setattr(Scalar._meta, "db_table", "nowhere")
    code, words = refused()
    assert code == 3
    assert "tables of pillowtop.stats are missing: run manage.py migrate" in words
    # Rows of models of one's own are in tables of other applications.
    with pytest.raises(ConfigurationError, match="the table nowhere is missing: run manage"):
        pruning.holdings({})


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 100])
def test_chunks_are_of_whole_windows(now, chunk):
    """And however large they are, the same rows go."""
    chance = random.Random(chunk)
    for _ in range(5):
        fill(now, days=chance.sample(range(12), 6))
    holding = pruning.Holding("volume-1m", Scalar, 3 * DAY)
    expected = holding.old(now).count()
    removed = []
    for count in holding.prune(now, chunk):
        removed.append(count)
        windows = set(holding.old(now).values_list("timestamp", flat=True))
        assert windows.isdisjoint(now - day * DAY for day in range(4))
    assert sum(removed) == expected
    assert all(count >= chunk for count in removed[:-1])
    assert max(left(now)) == 3
