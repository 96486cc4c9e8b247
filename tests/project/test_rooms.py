"""Who may import whom, as far as import-linter cannot see it (`.importlinter` has the rest)."""

from __future__ import annotations

import subprocess
import sys

from tests.project.source import imports, modules

ENGINE_KNOWS = ("pillowtop.engine", "pillowtop.changes", "pillowtop.exceptions",
                "pillowtop.feeds.reading")  # fmt: skip
RECORDS = (
    "pillowtop.records",
    "pillowtop.migrations",
    "pillowtop.stats.records",
    "pillowtop.stats.migrations",
    # What developers inherit from.
    "pillowtop.stats.models",
    "pillowtop.stats.rendering.rendered",
)
CONNECTIONS = (
    # Errors of the database, and connections: to look at them is no use of the ORM.
    "django.db.DatabaseError",
    "django.db.IntegrityError",
    "django.db.InterfaceError",
    "django.db.OperationalError",
    "django.db.close_old_connections",
    "django.db.connections",
)


def test_only_records_uses_the_orm():
    for name, tree in modules():
        if name.startswith(RECORDS):
            continue
        used = {one for one in imports(tree) if one.startswith("django.db")}
        assert used <= set(CONNECTIONS), name


def test_the_engine_knows_nothing_of_ours_but_values_and_errors():
    for name, tree in modules():
        if name.startswith("pillowtop.engine"):
            ours = [one for one in imports(tree) if one.startswith("pillowtop")]
            assert all(one.startswith(ENGINE_KNOWS) for one in ours), name


def test_a_web_process_imports_no_gevent():
    code = (
        "import django, sys; django.setup(); import pillowtop.listener, pillowtop.checks;"
        "from django.core.management import call_command; call_command('check');"
        "assert 'gevent' not in sys.modules; assert 'elasticsearch' not in sys.modules"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
