"""`ptop_verify` beside a worker that runs."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
from contextlib import closing

from tests.couch import call
from tests.projects import UNMEASURED, wait_until


def verify(one, *args, code=0):
    """What is printed."""
    result = one.project.manage("ptop_verify", "OrderPillow", *args)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout + result.stderr


def test_a_running_worker_repairs_at_once(setup):
    one = setup()
    one.database.fill(20)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    call("DELETE", f"{one.index.url}/_doc/doc000001")
    source = call("GET", f"{one.index.url}/_doc/doc000002")["_source"]
    source["pillowtop"]["id"] = "ghost"
    call("PUT", f"{one.index.url}/_doc/ghost", source)
    said = verify(one, "--repair")
    assert "2 were repaired" in said
    assert "no difference" in said
    assert one.index.revs() == one.database.revs()
    assert worker.stop() == 0


def test_nothing_differs_while_everything_changes(setup):
    one = setup()
    one.database.fill(200)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    is_over = threading.Event()

    def write():
        number = 0
        while not is_over.is_set():
            one.database.put(f"doc{number % 20:06}", n=number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        verify(one, "--wait=3")
        call("DELETE", f"{one.index.url}/_doc/doc000150")
        assert "1 missing" in verify(one, "--wait=3", code=5)
    finally:
        is_over.set()
        writer.join()
    assert worker.stop() == 0


def test_an_interrupted_repair_says_so_and_is_done_later(setup):
    one = setup()
    one.database.fill(3)
    one.project.catch_up()
    call("DELETE", f"{one.index.url}/_doc/doc000001")
    process = subprocess.Popen(
        one.project.command("ptop_verify", "OrderPillow", "--repair", "--wait=60"),
        cwd=one.project.folder,
        env=one.project.env(UNMEASURED),
        stderr=subprocess.PIPE,
        text=True,
    )
    with closing(sqlite3.connect(one.project.folder / "db.sqlite3", timeout=30)) as books:
        query = "SELECT count(*) FROM pillowtop_rerun"
        wait_until(lambda: books.execute(query).fetchone()[0])
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("CommandError: interrupted: ")
    one.project.catch_up()
    assert one.in_step()
