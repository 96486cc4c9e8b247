"""`run_ptop` replaces its process by a patched one and keeps all that it was started with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.projects import MANAGE

PROBE = """
import json, os, pathlib, sys
import threading
monkey = sys.modules.get("gevent.monkey")
pathlib.Path(os.environ["PROBE"]).write_text(json.dumps({
    "patched": bool(monkey and monkey.is_module_patched("socket")),
    "path": sys.path,
    "warnings": sys.warnoptions,
    "dev": sys.flags.dev_mode,
    "argv": sys.argv,
    "pid": os.getpid(),
    "leftover": "PILLOWTOP_SYS_PATH" in os.environ,
}))
"""

PILLOW = """
from pillowtop.listener import BasicPillow

class OrderPillow(BasicPillow):
    couch_db = "orders"
    def change_transport(self, document):
        pass
"""


@pytest.fixture
def project(make_project):
    made = make_project({"COUCHDB_URL": "http://localhost:5984"}, ["pillows.OrderPillow"], PILLOW)
    (made.folder / "manage.py").write_text(MANAGE)
    with (made.folder / "project_settings.py").open("a") as file:
        file.write(PROBE)
    return made


@pytest.fixture
def run(project, tmp_path):
    def run(command, folder=None, **env):
        probe = tmp_path / "probe.json"
        process = subprocess.Popen(
            [*command, "run_ptop", "--list"],
            cwd=folder or project.folder,
            env=project.env({"PROBE": str(probe), **env}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "OrderPillow" in out
        found = json.loads(probe.read_text())
        assert found["patched"]
        assert found["pid"] == process.pid
        assert not found["leftover"]
        return found

    return run


def test_manage_py(run, project):
    found = run([sys.executable, "manage.py"])
    assert Path(found["path"][0]).resolve() == project.folder.resolve()


def test_manage_py_from_another_folder(run, project, tmp_path):
    found = run([sys.executable, str(project.folder / "manage.py")], folder=tmp_path)
    assert found["path"][0] == str(project.folder)


def test_python_m_django(run):
    run([sys.executable, "-m", "django"])


def test_django_admin(run, project):
    admin = shutil.which("django-admin", path=str(Path(sys.executable).parent))
    run([admin], PYTHONPATH=os.pathsep.join([str(project.folder), *sys.path]))


def test_interpreter_flags_stay(run):
    found = run([sys.executable, "-X", "dev", "-W", "error", "manage.py"])
    assert found["dev"]
    assert "error" in found["warnings"]


def test_python_m_coverage(run, project):
    """`coverage run` measures the process that takes over, too."""
    (project.folder / "coveragerc").write_text(
        "[run]\nparallel = true\npatch = execv\ninclude = pillows.py\n"
    )
    run(
        [sys.executable, "-m", "coverage", "run", "--rcfile=coveragerc", "manage.py"],
        COVERAGE_PROCESS_START="",
    )


def test_help_is_shown_without_a_detour(project):
    result = project.manage("run_ptop", "--help", env={"PROBE": str(project.folder / "probe")})
    assert result.returncode == 0
    assert "--until-caught-up" in result.stdout


@pytest.mark.django_db
def test_called_from_python_it_lists_but_does_not_take_the_process_over(settings, capsys):
    settings.PILLOWTOPS = ["tests.test_registry.OrderPillow"]
    call_command("run_ptop", list=True)
    assert "OrderPillow" in capsys.readouterr().out
    with pytest.raises(CommandError, match="from the command line"):
        call_command("run_ptop", all=True)


def test_a_web_process_never_imports_gevent(project):
    code = (
        "import django, sys; django.setup(); import pillowtop.listener, pillowtop.checks, "
        "pillowtop.models; sys.exit('gevent' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.folder,
        env=project.env({"PROBE": str(project.folder / "probe")}),
        check=False,
        timeout=30,
    )
    assert result.returncode == 0
