"""Harm done to processes, and undone."""

from __future__ import annotations

import subprocess
import time

import psutil
import pytest

from dev.soak.exceptions import EndedWrongly
from dev.soak.schedule import Deed, Harm
from dev.soak.tormentor import Tormentor


class Sleeper:
    """A process with a log, as a server is, which takes a while to start."""

    title = "the sleeper"
    start_seconds = 0.0

    def __init__(self, folder):
        self.log = folder / "sleeper.log"
        self.lives = 0
        self.process = None

    @property
    def pid(self):
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def state(self):
        if self.pid is None:
            return "gone"
        is_stopped = psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        return "stopped" if is_stopped else "runs"

    def start(self):
        time.sleep(self.start_seconds)
        self.lives += 1
        self.log.write_text(f"life {self.lives}\n")
        self.process = subprocess.Popen(["sleep", "1000"])

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        psutil.Process(self.pid).suspend()

    def resume(self):
        if self.pid:
            psutil.Process(self.pid).resume()

    def log_tail(self):
        return self.log.read_text()


@pytest.fixture
def sleeper(tmp_path):
    one = Sleeper(tmp_path)
    yield one
    if one.pid:
        one.kill()


@pytest.fixture
def seen():
    """The states of the sleeper at each tick, repetitions left out."""
    return []


@pytest.fixture
def tormentor(sleeper, seen, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()

    def tick():
        if seen[-1:] != [sleeper.state]:
            seen.append(sleeper.state)

    one = Tormentor({"sleeper": sleeper}, folder, tick, lambda words: None)
    one.start("sleeper")
    return one


def test_who_is_killed_is_started_again(tormentor, sleeper, seen):
    tormentor.torment([Harm(0.1, "sleeper", Deed.KILL, 0.3)], 0.8)
    assert seen == ["runs", "gone", "runs"]
    assert tormentor.done == {("sleeper", Deed.KILL): 1}


def test_who_is_paused_goes_on(tormentor, sleeper, seen):
    tormentor.torment([Harm(0.1, "sleeper", Deed.PAUSE, 0.3)], 0.8)
    assert seen == ["runs", "stopped", "runs"]
    assert sleeper.lives == 1


def test_who_is_restarted_has_another_life(tormentor, sleeper):
    tormentor.torment([Harm(0.1, "sleeper", Deed.RESTART)], 0.3)
    assert (sleeper.lives, sleeper.state) == (2, "runs")


def test_the_time_of_a_start_does_not_count(tormentor, sleeper):
    sleeper.start_seconds = 0.5
    began = time.monotonic()
    tormentor.torment([Harm(0.1, "sleeper", Deed.RESTART)], 0.3)
    assert time.monotonic() - began >= 0.8


def test_who_ends_by_itself_is_reported(tormentor, sleeper):
    sleeper.kill()
    with pytest.raises(EndedWrongly, match="the sleeper ended by itself:\nlife 1"):
        tormentor.torment([], 0.1)


def test_logs_of_all_lives_are_kept(tormentor, sleeper, tmp_path):
    tormentor.torment([Harm(0.0, "sleeper", Deed.KILL, 0.1)], 0.2)
    tormentor.stop_all()
    assert (tmp_path / "logs" / "sleeper.log").read_text() == "life 1\nlife 2\n"


def test_who_hangs_is_stopped_all_the_same(tormentor, sleeper):
    sleeper.pause()
    tormentor.stop_all()
    assert sleeper.state == "gone"
