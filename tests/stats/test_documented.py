"""What is documented of statistics exists, and what exists is documented."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from pillowtop.stats import testing
from pillowtop.stats.pillows import StatsPillow
from pillowtop.stats.progress import Progress
from tests.project.pages import DOCS, names, rows
from tests.project.source import PACKAGE

PAGE = "reference/stats.md"
COMMANDS = sorted(path.stem for path in PACKAGE.glob("stats/management/commands/[a-z]*.py"))
FOR_THE_WORKER = {
    "filler", "get_plugins", "get_rules", "get_transport", "make_tally", "mistakes",
}  # fmt: skip


def test_attributes_and_hooks_of_the_pillow_are_documented():
    public = {name for name in vars(StatsPillow) if not name.startswith("_")}
    assert names(PAGE, "## StatsPillow") == public - FOR_THE_WORKER


def test_defaults_of_the_pillow_are_right():
    for name, cells in rows(PAGE, "## StatsPillow").items():
        if cells[0].startswith("`"):
            default = eval(cells[0].strip("`"), {"timedelta": timedelta})
            assert default == vars(StatsPillow)[name], name


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_documented_with_their_options(command):
    def known(one):
        actions = one.create_parser("manage.py", "command")._actions
        return {(one.option_strings or [one.dest])[-1] for one in actions}

    documented = names(PAGE, f"## {command}")
    assert documented == known(load_command_class("pillowtop.stats", command)) - known(
        BaseCommand()
    )


def test_names_of_testing_are_documented():
    ours = {
        name
        for name, value in vars(testing).items()
        if getattr(value, "__module__", "") == testing.__name__ and not name.startswith("_")
    }
    assert names(PAGE, "## Tests") == ours


def test_counts_are_documented():
    text = (DOCS / "explanation/statistics.md").read_text()
    for what in Progress().counts:
        assert what == "counted" or f"`{what}`" in text
