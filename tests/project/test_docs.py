"""What is documented exists, and what exists is documented."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from inspect import Parameter, signature

import msgspec
import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from pillowtop import listener, testing
from pillowtop.conf import Configuration
from pillowtop.engine.figures import Snapshot
from pillowtop.exits import Exit
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.management.statuses import COLUMNS
from pillowtop.models import DeadLetter
from pillowtop.worker import metrics
from tests.project.pages import anchors, links, names, pages, rows
from tests.project.source import PACKAGE, ROOT, log_actions, texts

MAX_WORDS_OF_README = 500
COMMANDS = sorted(path.stem for path in PACKAGE.glob("management/commands/[a-z]*.py"))
PILLOWS = [name for name, kind in vars(listener).items()
           if isinstance(kind, type) and kind.__module__ == listener.__name__]  # fmt: skip


def test_settings_are_documented_with_their_defaults():
    documented = {
        key: ast.literal_eval(cells[0].strip("`"))
        for key, cells in rows("reference/settings.md", "## PILLOWTOP").items()
    }
    assert documented == {one.name: one.default for one in fields(Configuration)}


def test_keys_of_an_entry_are_documented():
    assert names("reference/settings.md", "## PILLOWTOPS") == {"class", "name", "options"}


def test_commands_are_documented():
    text = (ROOT / "docs/reference/commands.md").read_text()
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) != []
    assert sorted(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_documented(command):
    inherited = _options(BaseCommand())
    assert names("reference/commands.md", f"## {command}") == (
        _options(load_command_class("pillowtop", command)) - inherited
    )


def _options(command):
    actions = command.create_parser("manage.py", "command")._actions
    return {(action.option_strings or [action.dest])[-1] for action in actions}


def test_checks_are_documented():
    source = (PACKAGE / "checks.py").read_text()
    assert names("reference/checks.md") == set(re.findall(r"pillowtop\.[EW]\d{3}", source))


def test_each_check_has_a_test():
    tested = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    known = {each.partition(".")[2] for each in names("reference/checks.md")}
    assert {each for each in known if not re.search(rf"\b{each}\b", tested)} == set()


def test_exit_codes_are_documented():
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    documented = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)
    assert documented == [(str(int(code)), code.name) for code in Exit]


@pytest.mark.parametrize("pillow", PILLOWS)
def test_attributes_and_hooks_are_documented(pillow):
    public = {name for name in vars(getattr(listener, pillow)) if not name.startswith("_")}
    assert names("reference/pillows.md", f"## {pillow}") == public


def test_defaults_of_attributes_are_right():
    for pillow in PILLOWS:
        kind = getattr(listener, pillow)
        for name, cells in rows("reference/pillows.md", f"## {pillow}").items():
            if len(cells) > 1:
                assert ast.literal_eval(cells[0].strip("`")) == vars(kind)[name], name


def test_hooks_are_documented_with_their_parameters():
    page = (ROOT / "docs/reference/pillows.md").read_text()
    for pillow in PILLOWS:
        for name, value in vars(getattr(listener, pillow)).items():
            if callable(value) and not name.startswith("_"):
                _, *parameters = signature(value).parameters.values()
                words = ", ".join(
                    str(one.replace(annotation=Parameter.empty)) for one in parameters
                )
                assert f"`{name}({words})`" in page


def test_log_actions_are_documented():
    assert names("reference/log.md") == log_actions()


def test_columns_of_dead_letters_are_documented():
    columns = {field.name for field in DeadLetter._meta.get_fields()}
    assert names("reference/dead-letters.md") == columns


def test_figures_are_documented():
    assert names("reference/status.md", "## JSON") == {
        one.name for one in msgspec.structs.fields(Snapshot)
    }
    assert names("reference/status.md", "## The table") == set(COLUMNS)
    source = (PACKAGE / "engine/health.py").read_text()
    kinds = set(re.findall(r'Problem\(\s*"(\w+)"', source)) | {"unreachable"}
    assert names("reference/status.md", "## What is wrong") == kinds


def test_metrics_are_documented():
    assert names("reference/status.md", "## Metrics") == {
        "pillowtop_problems",
        "pillowtop_counts_total",
        *(f"{one.name}_total" for one in metrics.COUNTERS),
        *(one.name for one in metrics.GAUGES),
    }


def test_stages_of_dead_letters_are_documented():
    code = "".join(path.read_text() for path in (PACKAGE / "engine").glob("*.py"))
    stages = re.findall(r'(?:_call\(|HookError\(\w+, |stage=)"(\w+)"', code)
    cell = rows("reference/dead-letters.md")["stage"][0]
    assert set(re.findall(r"`(\w+)`", cell)) == set(stages)


def test_messages_of_stopped_pillows_are_what_is_said():
    said = list(texts())
    for message in re.findall(
        r"^\| `([^`]+)`", (ROOT / "docs/how-to/stopped-pillow.md").read_text(), re.MULTILINE
    ):
        parts = [part.strip(" .") for part in message.split("…")]
        assert any(_in_order(parts, text) for text in said), message


def _in_order(parts, text):
    position = 0
    for part in parts:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return True


def test_names_of_testing_are_documented():
    faults = names("reference/testing.md", "## Faults of feeds")
    faults |= names("reference/testing.md", "## Faults of Elasticsearch")
    page = (ROOT / "docs/reference/testing.md").read_text()
    kinds = set(re.findall(r"^\| `(\w+)` \|", page.partition("\n## ")[0], re.MULTILINE))
    assert kinds | faults == set(testing.__all__)


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (testing.PillowContract, "## PillowContract"),
        (testing.FakeElasticsearch, "## FakeElasticsearch"),
        (testing.FakeDatabase, "## FakeDatabase"),
    ],
)
def test_methods_of_testing_are_documented(kind, heading):
    """All that tests may use: what only our own code asks of a fake need not be there."""
    public = {name for name in [*vars(kind), *kind.__annotations__] if name[0] != "_"}
    ours = {"carry_out", "put_off", "vector_of", "seq_of", "rows_behind", "plan", "line"}
    inherited = set(dir(CouchDatabase))
    documented = names("reference/testing.md", heading)
    assert documented == public - ours - inherited


def test_fixtures_are_documented():
    source = (PACKAGE / "pytest_plugin.py").read_text()
    fixtures = set(re.findall(r"@pytest\.fixture\ndef (\w+)", source))
    assert names("reference/testing.md", "## Fixtures") == fixtures


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(path), f"{page.name}: {link}"


def test_all_pages_can_be_reached():
    index = ROOT / "docs/index.md"
    reached = {(index.parent / link).resolve() for link in links(index)} | {index}
    assert {page for page in pages() if page.is_relative_to(index.parent)} <= reached


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().split()) <= MAX_WORDS_OF_README
