from __future__ import annotations

import signal

import pytest

from tests.projects import Project

# A shell has what it starts in the background ignore Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.certificates", "tests.real_servers", "pillowtop.pytest_plugin"]


@pytest.fixture
def make_project(tmp_path):
    """Makes migrated projects: `make_project(pillowtop, pillowtops, pillows)`, see `Project`."""
    made = []

    def make(pillowtop, pillowtops, pillows, **more):
        folder = tmp_path / f"project{len(made)}"
        project = Project(folder, pillowtop, pillowtops, pillows, **more)
        made.append(project)
        return project.migrate()

    yield make
    for project in made:
        project.close()
