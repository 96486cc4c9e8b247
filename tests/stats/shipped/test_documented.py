"""What is documented of plugins exists, and what exists is documented."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats import shipped
from pillowtop.stats.conf import KEYS
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.registry import demand_usable
from tests.project.pages import names, rows

PAGE = "reference/stats-plugins.md"
KINDS = [getattr(shipped, name) for name in shipped.__all__]


def options(kind):
    """Class attributes that only shipped plugins have, and their defaults."""
    return {
        name: getattr(kind, name)
        for name in dir(kind)
        if not name.startswith("_")
        and not hasattr(Plugin, name)
        and name not in ("interval", "name_by_field", "summary_by_field")
        and not callable(getattr(kind, name))
    }


def test_attributes_and_hooks_of_plugins_are_documented():
    public = {name for name in [*vars(Plugin), "interval"] if not name.startswith("_")}
    assert names(PAGE, "## Plugin") == public


def test_defaults_of_attributes_are_right():
    for name, cells in rows(PAGE, "## Plugin").items():
        if cells[0] == "needed":
            lacking = type("Lacking", (shipped.Volume,), {name: vars(Plugin).get(name)})
            with pytest.raises(ConfigurationError, match=name):
                demand_usable(lacking)
        elif len(cells) > 1:
            assert ast.literal_eval(cells[0].strip("`")) == vars(Plugin)[name], name


@pytest.mark.parametrize("kind", KINDS, ids=shipped.__all__)
def test_options_are_documented_with_their_defaults(kind):
    documented = {
        name: ast.literal_eval(cells[0].strip("`"))
        for name, cells in rows(PAGE, f"### {kind.__name__}").items()
    }
    assert documented == options(kind)


@pytest.mark.parametrize("kind", KINDS, ids=shipped.__all__)
def test_shipped_plugins_can_be_used_as_they_are(kind):
    demand_usable(kind)


def test_shipped_plugins_have_idents_of_their_own():
    assert len({kind.ident() for kind in KINDS}) == len(KINDS)


def test_settings_are_documented():
    assert names("reference/stats.md", "## PILLOWTOP_STATS") == set(KEYS)


def test_options_of_the_command_are_documented():
    def known(command):
        actions = command.create_parser("manage.py", "command")._actions
        return {(one.option_strings or [one.dest])[-1] for one in actions}

    command = load_command_class("pillowtop.stats", "ptop_stats_prune")
    documented = names("reference/stats.md", "## ptop_stats_prune")
    assert documented == known(command) - known(BaseCommand())


def test_web_processes_read_statistics_without_numpy():
    code = (
        "import django, sys; django.setup(); import pillowtop.stats.shipped;"
        "assert not {'numpy', 'datasketches'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
