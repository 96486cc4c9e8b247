"""What systemd is told."""

from __future__ import annotations

import socket

import pytest

from tests.projects import wait_until

BLOCKING = """
from gevent.monkey import get_original
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        get_original("time", "sleep")(3600)
"""


@pytest.fixture
def channel(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(60)
        yield channel


def environment(channel, **more):
    return {"NOTIFY_SOCKET": channel.getsockname(), **more}


def told(channel):
    return channel.recv(100).decode()


def test_it_is_up_lives_and_stops(setup, channel):
    worker = setup().project.start("--all", env=environment(channel, WATCHDOG_USEC="200000"))
    assert told(channel) == "READY=1"
    assert [told(channel) for _ in range(5)] == ["WATCHDOG=1"] * 5
    assert worker.stop() == 0
    wait_until(lambda: told(channel) == "STOPPING=1")


def test_without_a_watchdog_nothing_is_repeated(setup, channel):
    one = setup()
    worker = one.project.start("--all", env=environment(channel))
    worker.wait_for("caught up")
    assert worker.stop() == 0
    assert [told(channel), told(channel)] == ["READY=1", "STOPPING=1"]


def test_a_process_that_a_hook_blocks_is_silent(setup, channel, database):
    one = setup(BLOCKING)
    worker = one.project.start("--all", env=environment(channel, WATCHDOG_USEC="200000"))
    worker.wait_for("caught up")
    database.put("a")
    worker.wait_for("has let nothing else run")
    channel.setblocking(False)
    with pytest.raises(BlockingIOError):
        list(iter(lambda: told(channel), ""))
    worker.process.kill()


def test_a_channel_that_is_gone_does_no_harm(setup, tmp_path):
    one = setup()
    worker = one.project.start("--all", env={"NOTIFY_SOCKET": str(tmp_path / "none")})
    worker.wait_for("caught up")
    assert worker.stop() == 0
