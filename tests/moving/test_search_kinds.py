"""A move on each kind of search server."""

from __future__ import annotations

import pytest

from dev.proxy import Fault, Proxy
from tests.moving.conftest import wait_for_release
from tests.moving.test_kills import is_move


@pytest.fixture(scope="session")
def elasticsearch_url(search_url):
    return search_url


def test_there_and_back(moving):
    one = moving.setup
    one.project.catch_up()
    assert "as declared" in moving.manage("ptop_reindex", "drift")
    (old,) = moving.serving()
    moving.deploy(2)
    moving.run()
    (new,) = moving.serving()
    assert new != old
    one.database.put("later")
    one.project.catch_up()
    wait_for_release(moving, 2)
    assert set(moving.releases_in(old)) == set(moving.releases_in(new))
    assert "as declared" in moving.manage("ptop_reindex", "drift")
    assert f"{new}  OK" in moving.manage("ptop_es_manage", "--info")

    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    assert moving.serving() == [old]
    moving.deploy(1)
    one.project.catch_up()
    wait_for_release(moving, 1)
    assert f"removes {new}" in moving.manage("ptop_reindex", "cleanup", code=2)
    moving.manage("ptop_reindex", "cleanup", "--noinput")
    assert list(moving.elastic("GET", f"{moving.alias}_*")) == [old]


def test_the_old_index_is_demanded_to_be_where_it_was(moving):
    """Else the alias would be on two indices, or taken from whoever has moved it."""
    one = moving.setup
    one.project.catch_up()
    (old,) = moving.serving()
    moving.deploy(2)
    other = f"{moving.alias}_by_hand"
    moving.elastic("PUT", other)

    def move_by_hand():
        actions = [
            {"remove": {"index": old, "alias": moving.alias}},
            {"add": {"index": other, "alias": moving.alias}},
        ]
        moving.elastic("POST", "_aliases", {"actions": actions})

    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url)
        proxy.faults.append(Fault(is_move, move_by_hand, reset=False))
        said = moving.run(code=3)
    assert moving.serving() == [other]
    assert "Traceback" not in said
    assert moving.alias in said
