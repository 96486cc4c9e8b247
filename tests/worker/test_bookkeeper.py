"""Django's database: many pillows on one SQLite file, which may be replaced; what breaks."""

from __future__ import annotations

import json
import shutil

import psycopg

from tests.projects import wait_until

PILLOWS = """
from pillowtop.listener import BasicPillow

class NoPillow(BasicPillow):
    couch_db = {database!r}

    def change_transport(self, document):
        pass
"""


def test_sqlite_is_never_found_locked_by_ourselves(make_project, database, tmp_path):
    database.fill(10)
    impatient = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "impatient.sqlite3"),
        "OPTIONS": {"timeout": 0},
    }
    pillows = [{"class": "pillows.NoPillow", "name": f"Pillow{number}"} for number in range(30)]
    source = PILLOWS.format(database=database.name)
    settings = {"COUCHDB_URL": database.server}
    project = make_project(settings, pillows, source, database=impatient)
    log = project.catch_up()
    assert "locked" not in log


def test_a_file_that_is_put_in_the_place_of_the_database_is_noticed(setup):
    one = setup()
    one.database.fill(10)
    one.project.start("--all")
    one.wait_until_in_step()
    books = one.project.folder / "db.sqlite3"
    shutil.copy(books, books.with_suffix(".copy"))
    books.with_suffix(".copy").replace(books)
    one.database.put("new", n=1)

    def delivered():
        status = json.loads(one.project.manage("ptop_status", "--format=json").stdout)
        return status["pillows"][0]["figures"]["delivered"]

    wait_until(lambda: delivered() == 11, 30, lambda: one.project.logs)


ASKING = """
from django.db import connection
from pillowtop.listener import BasicPillow, PythonPillow

class AskingPillow(PythonPillow, BasicPillow):
    couch_db = {database!r}

    def python_filter(self, document):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True

    def change_transport(self, document):
        open("delivered", "a").write(document["_id"] + "\\n")
"""


def test_connections_that_break_are_made_anew(make_project, database, postgresql_database):
    """Those of hooks, too, which are opened in greenlets."""
    database.fill(1)
    source = ASKING.format(database=database.name)
    project = make_project(
        {"COUCHDB_URL": database.server, "CHECKPOINT_SECONDS": 0.2, "BACKOFF_SECONDS": 0.5},
        ["pillows.AskingPillow"],
        source,
        database=postgresql_database,
    )
    project.start("--all")
    delivered = project.folder / "delivered"
    wait_until(delivered.exists, what=lambda: project.logs)
    named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    where = {key: postgresql_database[name] for key, name in named.items()}
    with psycopg.connect(dbname=postgresql_database["NAME"], **where) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert len(ended) > 1  # the hook's, and the worker's
    database.put("new", n=1)
    wait_until(lambda: "new" in delivered.read_text(), what=lambda: project.logs)
