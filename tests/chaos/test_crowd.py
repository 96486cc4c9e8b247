"""What a backlog is compared by, and the limit under which it is worked off."""

from __future__ import annotations

import resource

from dev.chaos import crowd
from dev.soak.worker import Worker


def test_two_sides_in_order_are_compared_by_ids_and_revisions():
    wanted = [("a", "1"), ("b", "1"), ("c", "2"), ("d", "1")]
    found = [("b", "1"), ("c", "1"), ("d", "1"), ("e", "1")]
    assert crowd.differences(wanted, found) == {"lost": 1, "stale": 1, "resurrected": 1}
    assert not crowd.differences(iter(wanted), iter(wanted))


def test_some_documents_are_french_and_some_are_large():
    french = [n for n in range(100) if crowd.document(n)["country"] == "FR"]
    assert french == [n for n in range(100) if crowd.is_french(crowd.document(n)["_id"])]
    assert len(french) == 10
    sizes = [len(str(crowd.document(number))) for number in (1000, 1001)]
    assert sizes[0] > 50_000
    assert sizes[1] < 200


def test_a_worker_has_no_more_memory_than_it_may(tmp_path):
    worker = Worker({}, tmp_path / "log", data_bytes=200_000_000)
    worker.start()
    try:
        assert resource.prlimit(worker.pid, resource.RLIMIT_DATA)[0] == 200_000_000
    finally:
        worker.kill()
