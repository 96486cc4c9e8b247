"""The sample units of the how-to, started where the machine can."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from tests.project.source import ROOT
from tests.projects import Worker

PAGE = ROOT / "docs/how-to/run-as-a-service.md"
WORKER = "/srv/shop/venv/bin/python /srv/shop/manage.py"

DAEMON = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid

"""


def sample(heading):
    """The block of settings below a heading."""
    return re.search(
        rf"^## {heading}\n+```ini\n(.*?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )[1]


@pytest.fixture
def supervised(setup):
    """A project whose worker supervisord runs, by the sample; and that worker."""
    one = setup()
    folder = one.project.folder
    text = DAEMON.format(folder=folder) + sample("supervisord")
    text = text.replace(WORKER, f"{sys.executable} {folder}/manage.py")
    text = text.replace("user=shop\n", "").replace("/var/log/shop", str(folder))
    (folder / "supervisord.conf").write_text(text)
    log = folder / "pillowtop.log"
    log.touch()
    daemon = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", folder / "supervisord.conf"],
        cwd=folder,
        env=one.project.env({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    yield one, Worker(daemon, log)
    if daemon.poll() is None:
        for child in psutil.Process(daemon.pid).children(recursive=True):
            child.kill()
        daemon.kill()
        daemon.wait()


def test_supervisord_starts_it_again_and_stops_it(supervised):
    one, worker = supervised
    one.database.put("a")
    one.wait_until_in_step()
    (child,) = psutil.Process(worker.process.pid).children()
    child.send_signal(signal.SIGKILL)
    one.database.put("b")
    one.wait_until_in_step()
    assert worker.log.count("follows") == 2
    assert worker.stop() == 0
    assert "stopped: what was read is delivered and saved" in worker.log


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_its_unit(tmp_path):
    unit = tmp_path / "pillowtop.service"
    text = sample("systemd").replace(WORKER, f"{sys.executable} -m django")
    unit.write_text(text.replace("User=shop\n", ""))
    result = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
