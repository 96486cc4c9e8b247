from __future__ import annotations

import pytest

from tests.projects import Project

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
