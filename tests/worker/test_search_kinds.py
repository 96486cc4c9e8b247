"""A worker's whole way to each kind of search server: index, writes, proof, letters."""

from __future__ import annotations

import pytest

from tests.worker.test_bad_input import STRICT, letters


@pytest.fixture(scope="session")
def elasticsearch_url(search_url):
    return search_url


def test_all_that_a_pillow_does(setup):
    one = setup(STRICT)
    one.database.fill(20)
    one.database.put("bad", n="not a number")
    log = one.project.catch_up(code=4)
    assert "created index" in log
    (letter,) = letters(one)
    assert letter["doc_id"] == "bad"
    assert letter["error_type"] in ("document_parsing_exception", "mapper_parsing_exception")

    one.database.put("bad", n=1)
    one.database.put("doc000001", n=2)
    one.database.delete("doc000002")
    one.project.catch_up()
    assert one.in_step()
    assert letters(one) == []
    verified = one.project.manage("ptop_verify", "OrderPillow")
    assert verified.returncode == 0, verified.stderr
    assert "20 documents" in verified.stdout
    assert "no difference" in verified.stdout
