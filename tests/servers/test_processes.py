"""Servers leave nothing behind, and say what they miss."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from dev.servers import CouchServer, MissingTool, PreparationFailed, SearchServer, cache, process
from dev.servers.cache import prepared, run_tool
from dev.servers.exceptions import PortTaken
from dev.servers.tools import find_jdk, find_maven, find_node
from tests.real_servers import request, running

DEADLINE_SECONDS = 10


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestProcess:
    @pytest.mark.parametrize("how", ["stop", "kill"])
    def test_leaves_no_process(self, how):
        with running(CouchServer()) as server:
            pid = server.pid
            getattr(server, how)()

        assert not psutil.pid_exists(pid)

    def test_stop_removes_temporary_files(self):
        with running(CouchServer()) as server:
            folder = server.folder
            assert server.log.exists()

        assert not folder.exists()

    def test_dies_with_its_parent(self, monkeypatch, tmp_path):
        # What is killed leaves its temporary files behind.
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        code = "from dev.servers import CouchServer as C; c = C(); c.start(); print(c.pid); input()"
        command = [sys.executable, "-c", code]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, **pipes) as parent:
            pid = int(parent.stdout.readline())
            parent.kill()

        wait_until(lambda: not psutil.pid_exists(pid))

    def test_may_end_while_it_is_signalled(self, monkeypatch):
        with running(CouchServer()) as server:
            pid = server.pid
            looks = iter([pid])  # a second one finds it ended
            monkeypatch.setattr(CouchServer, "pid", property(lambda _: next(looks, None)))

            server.stop()

        assert not psutil.pid_exists(pid)

    def test_command_stops_its_servers(self, tmp_path):
        command = [sys.executable, "-m", "dev.servers", "couch", "--data", tmp_path]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as command_process:
            url = command_process.stdout.readline().split()[-1].decode()
            assert request("GET", url).json()["couchdb"] == "Welcome"
            [server] = psutil.Process(command_process.pid).children()
            command_process.send_signal(signal.SIGTERM)

        assert command_process.returncode == 0
        assert not server.is_running()


class TestPort:
    def test_is_kept(self):
        with running(CouchServer()) as server:
            url = server.url
            server.restart()

            assert server.url == url

    def test_taken_meanwhile_is_replaced(self, monkeypatch):
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            ports = iter([taken, process.free_port()])
            monkeypatch.setattr(process, "free_port", lambda: next(ports))
            with running(CouchServer()) as server:
                assert server.port != taken

    @pytest.mark.parametrize("kind", [CouchServer, SearchServer])
    def test_asked_for_and_taken_is_an_error_of_one_line(self, kind, couch_url):
        taken = int(couch_url.rsplit(":", 1)[1])

        server = kind(port=taken)
        folder = server.folder

        with pytest.raises(PortTaken, match=f"^port {taken} is taken$"):
            server.start()

        assert not folder.exists()

    def test_command_says_that_it_is_taken(self, couch_url):
        taken = couch_url.rsplit(":", 1)[1]

        command = [sys.executable, "-m", "dev.servers", "couch", "--port", taken]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (ended.returncode, ended.stderr) == (1, f"port {taken} is taken\n")


class TestMissingTool:
    @pytest.fixture
    def nothing_installed(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setattr("dev.servers.tools.JVM_FOLDER", tmp_path / "jvm")

    @pytest.mark.usefixtures("nothing_installed")
    @pytest.mark.parametrize("find", [find_node, find_maven, lambda: find_jdk(17)])
    def test_says_in_a_line_what_to_install(self, find):
        with pytest.raises(
            MissingTool, match=r"is needed for .* install .* or set [A-Z]+_URL"
        ) as e:
            find()

        assert "\n" not in str(e.value)

    def test_old_node_is_none(self, monkeypatch, tmp_path):
        node = tmp_path / "node"
        node.write_text("#!/bin/sh\necho v18.20.0\n")
        node.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

        with pytest.raises(MissingTool, match="node 20 or newer"):
            find_node()

    @pytest.mark.usefixtures("nothing_installed")
    def test_oldest_fitting_jdk_is_taken(self, tmp_path):
        for version in (11, 17, 21, 25):
            make_jdk(tmp_path / "jvm" / str(version), version)

        assert find_jdk(12).version == 17
        assert find_jdk(18, 23).version == 21


def make_jdk(home, version):
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "javac").touch()
    (home / "release").write_text(f'JAVA_VERSION="{version}.0.1"\n')


class TestCache:
    @pytest.fixture(autouse=True)
    def folder(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PILLOWTOP_DEV_CACHE", str(tmp_path))
        return tmp_path

    def test_builds_once_for_the_same_inputs(self):
        built = []
        for inputs in ([b"a"], [b"a"], [b"b"]):
            prepared("x", inputs, "building", lambda _, inputs=inputs: built.append(inputs))

        assert built == [[b"a"], [b"b"]]

    def test_interrupted_build_is_not_used(self):
        def interrupted(folder: Path):
            (folder / "half").touch()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            prepared("x", [], "building", interrupted)
        target = prepared("x", [], "building", lambda folder: (folder / "whole").touch())

        assert [path.name for path in target.iterdir()] == ["whole"]

    def test_killed_build_is_swept_away(self, folder):
        (folder / ".making-x-1").mkdir()

        prepared("x", [], "building", lambda _: None)

        assert not list(folder.glob(".making-*"))

    def test_failure_is_tried_again_once(self):
        attempts = []

        def failing(folder: Path):
            attempts.append(folder)
            run_tool(["sh", "-c", "echo no network; exit 3"], folder)

        with pytest.raises(PreparationFailed, match=r"sh failed \(3\):\nno network"):
            prepared("x", [], "building", failing)

        assert len(attempts) == cache.ATTEMPTS

    def test_two_at_a_time_build_once(self):
        built = []
        inside, go_on = threading.Event(), threading.Event()

        def slow(folder: Path):
            built.append(folder)
            inside.set()
            assert go_on.wait(DEADLINE_SECONDS)

        threads = [threading.Thread(target=prepared, args=("x", [], "", slow)) for _ in range(2)]
        threads[0].start()
        assert inside.wait(DEADLINE_SECONDS)
        threads[1].start()
        go_on.set()
        for thread in threads:
            thread.join(DEADLINE_SECONDS)

        assert len(built) == 1


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip), ("true", pytest.fail)])
def test_server_that_cannot_start_skips_locally_and_fails_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(outcome.Exception, match="node 20 or newer"), running(CouchServer()):
        pass
