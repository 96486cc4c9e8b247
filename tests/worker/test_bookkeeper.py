"""Many pillows, and two threads of theirs, on one SQLite file; which may be replaced."""

from __future__ import annotations

import json
import shutil

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
