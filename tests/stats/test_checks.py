"""One test for each check id."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import modify_settings

from pillowtop.checks import misspelt
from pillowtop.exceptions import ConfigurationError
from pillowtop.registry import get_pillow
from pillowtop.stats import checks, extra, urls
from pillowtop.stats.pillows import StatsPillow
from pillowtop.stats.shipped import Volume
from tests.project.pages import names
from tests.project.source import PACKAGE


class LogPillow(StatsPillow):
    couch_db = "log"


VOLUME = "pillowtop.stats.shipped.Volume"


def found():
    return [(one.id.removeprefix("pillowtop_stats."), one.msg) for one in
            checks.check_statistics(None)]  # fmt: skip


def only(check_id):
    [(found_id, words)] = found()
    assert found_id == check_id
    return words


def test_nothing_is_wrong(settings):
    settings.PILLOWTOP_STATS = {
        "PLUGINS": [VOLUME],
        "RETENTION": {"volume-1m": timedelta(days=7), "*": timedelta(days=1)},
    }
    assert found() == []


@pytest.mark.parametrize(
    "setting", [[], {"PLUGIN": []}, {"RETENTION": {"*": timedelta(0)}}, {"ACCESS": "all"}]
)
def test_e001_a_setting_that_cannot_be(settings, setting):
    settings.PILLOWTOP_STATS = setting
    assert "PILLOWTOP_STATS" in only("E001")


@pytest.mark.parametrize(
    "plugin",
    [
        "pillowtop.stats.shipped.Volum",
        "pillowtop.stats.plugins.Plugin",
        {"class": VOLUME, "options": {"intervall": timedelta(1)}},
        {"class": "pillowtop.stats.shipped.TopK", "options": {"k": 0}},
        {"class": VOLUME, "options": {"name": "x" * 199}},
        {"class": VOLUME, "options": {"interval": timedelta(days=999_999_999)}},
    ],
)
def test_e002_a_plugin_that_cannot_be_used(settings, plugin):
    settings.PILLOWTOP_STATS = {"PLUGINS": [plugin]}
    only("E002")


@pytest.fixture
def lacking(monkeypatch):
    """Nothing of the extra is installed."""
    monkeypatch.setattr(extra, "MODULES", ("no_such_module",))


@pytest.mark.usefixtures("lacking")
def test_e006_the_extra_is_not_installed(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": [VOLUME]}
    assert "pip install 'django-pillowtop[stats]'" in only("E006")
    with pytest.raises(ConfigurationError, match=r"LogPillow: .* pip install"):
        LogPillow().get_transport()
    with pytest.raises(ImproperlyConfigured, match="pip install"):
        importlib.reload(urls)


def test_a_pillow_without_the_application(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": [VOLUME]}
    with (
        modify_settings(INSTALLED_APPS={"remove": "pillowtop.stats"}),
        pytest.raises(ConfigurationError, match=r"into INSTALLED_APPS, and run manage\.py migrate"),
    ):
        LogPillow().get_transport()


def test_two_pillows_do_not_compute_one_statistic(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": [VOLUME]}
    greedy = "pillowtop.stats.pillows.StatsPillow"
    settings.PILLOWTOPS = [{"class": greedy, "name": "One"}, {"class": greedy, "name": "Two"}]
    with pytest.raises(ConfigurationError, match="One and Two compute all statistics"):
        get_pillow("One").get_plugins()
    named = {"plugins": ["volume-1m"]}
    settings.PILLOWTOPS[0]["options"] = named
    assert get_pillow("Two").get_plugins() == {}
    settings.PILLOWTOPS[1]["options"] = named
    with pytest.raises(ConfigurationError, match="One and Two compute 'volume-1m'"):
        get_pillow("Two").get_plugins()


def test_e002_two_of_one_name(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": [VOLUME, {"class": VOLUME, "options": {"version": 2}}]}
    assert "two statistics are called 'volume-1m'" in only("E002")


def test_e002_all_that_is_wrong_is_said(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": ["no.such", VOLUME, {"classs": VOLUME}]}
    assert [check_id for check_id, _ in found()] == ["E002", "E002"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lateness": 60}, "LogPillow: lateness must be a timedelta of 0 or more, not 60"),
        ({"time_field": ["at"]}, "LogPillow: time_field must be the name of a field"),
        ({"plugins": "volume-1m"}, "LogPillow: plugins must be a list of idents"),
        ({"late_limit": timedelta(-1)}, "LogPillow: late_limit must be"),
        ({"plugins": ["volume-1h"]}, "no statistic is called 'volume-1h' (did you mean"),
    ],
)
def test_e007_a_pillow_that_cannot_count(settings, options, words):
    settings.PILLOWTOP_STATS = {"PLUGINS": [VOLUME]}
    settings.PILLOWTOPS = [{"class": f"{__name__}.LogPillow", "options": options}]
    assert words in only("E007")


class MisspeltPlugin(Volume):
    name = "misspelt"
    verison = 2

    def initialise(self):
        self.count = 1


def test_w001_a_name_that_nothing_looks_at(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": [f"{__name__}.MisspeltPlugin", VOLUME]}
    said = f"{__name__}.MisspeltPlugin: "
    assert found() == [
        ("W001", f"{said}verison is no attribute of a plugin (did you mean 'version'?)"),
        ("W001", f"{said}initialise is no hook of a plugin (did you mean 'initialize'?)"),
    ]


class Misspelling(LogPillow):
    latenes = timedelta(0)

    def mesage_time(self, message):
        return 1


def test_what_is_misspelt_is_said():
    assert list(misspelt(Misspelling())) == [
        "Misspelling: latenes is no attribute of a pillow (did you mean 'lateness'?)",
        "Misspelling: mesage_time is no hook of a pillow (did you mean 'message_time'?)",
    ]


def test_e003_use_tz_is_off(settings):
    settings.USE_TZ = False
    assert "USE_TZ" in only("E003")


def test_e004_retention_of_what_no_plugin_is(settings):
    settings.PILLOWTOP_STATS = {
        "PLUGINS": [VOLUME], "RETENTION": {"volume-1h": timedelta(days=7)}
    }  # fmt: skip
    assert "'volume-1h'" in (words := only("E004"))
    assert "did you mean 'volume-1m'?" in words


def test_e005_the_tables_of_pillowtop_are_missing(settings):
    settings.INSTALLED_APPS = ["pillowtop.stats"]
    assert "INSTALLED_APPS" in only("E005")


def test_checks_are_documented():
    source = (PACKAGE / "stats/checks.py").read_text()
    found = set(re.findall(r"pillowtop_stats\.[EW]\d{3}", source))
    assert names("reference/stats.md", "## System checks") == found
