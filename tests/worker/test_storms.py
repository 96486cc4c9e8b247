"""A storm, with a real worker: nothing is skipped, and it goes on by itself."""

from __future__ import annotations

BROKEN = """
from pathlib import Path
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        if Path("broken").exists():
            raise ValueError("a broken release")
        return document
"""

WORDS = "too many documents fail"


def test_a_storm_writes_no_letters_and_ends_by_itself(setup, database):
    one = setup(BROKEN, STORM_DOCUMENTS=20, STORM_SECONDS=0.3, RETRY_MINUTES=[0.01])
    flag = one.project.folder / "broken"
    flag.touch()
    database.fill(40)
    worker = one.project.start("--all")
    worker.wait_for(WORDS)
    database.put("later")
    worker.wait_for("follows", times=3)
    assert not one.index.revs()
    assert "dead letter" not in worker.log
    flag.unlink()  # in the middle of a batch, perhaps, whose first documents are letters then
    one.wait_until_in_step()
    assert worker.stop() == 0


def test_caught_up_is_never_said_of_a_storm(setup, database):
    one = setup(BROKEN, STORM_DOCUMENTS=20)
    flag = one.project.folder / "broken"
    flag.touch()
    database.fill(40)
    assert WORDS in one.project.catch_up(code=4)
    flag.unlink()
    one.project.catch_up()
    assert one.in_step()
