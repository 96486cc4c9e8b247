"""What is built is what should be shipped, and it works where nothing of ours lies around."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import zipfile

import pytest

from tests.project.source import ROOT

SOURCES = ("pillowtop", "setup.py", "pyproject.toml", "README.md", "LICENSE")

USE = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["pillowtop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.core.management import call_command
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
call_command("makemigrations", "pillowtop", check=True, dry_run=True, verbosity=0)
settings.PILLOWTOPS = ["shop.pillows.OrderPillow"]
call_command("run_ptop", list=True)
from pillowtop.models import DeadLetter
assert DeadLetter.objects.count() == 0
import pillowtop
print(pillowtop.__file__)
"""

TEST = """
def test_fixtures_are_found(pillowtop_database):
    pillowtop_database.put({"_id": "a"})
"""


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, as a build leaves folders behind."""
    copy = tmp_path_factory.mktemp("copy")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    options = ("--wheel", "--no-isolation", "--outdir", str(copy / "dist"))
    run(sys.executable, "-m", "build", *options, str(copy))
    (built,) = (copy / "dist").iterdir()
    return built


def test_the_wheel_has_all_that_is_needed_and_nothing_else(wheel):
    found = set(zipfile.ZipFile(wheel).namelist())
    sources = (path for path in (ROOT / "pillowtop").rglob("*")
               if path.is_file() and "__pycache__" not in path.parts)  # fmt: skip
    assert {name for name in found if ".dist-info/" not in name} == {
        str(path.relative_to(ROOT)) for path in sources
    }
    assert {"pillowtop/py.typed", "pillowtop/migrations/0001_initial.py"} <= found
    assert any(name.endswith("licenses/LICENSE") for name in found)


def test_the_wheel_works_in_an_environment_of_its_own(wheel, tmp_path):
    """Its dependencies are those of this environment, to save a minute of downloads."""
    run(sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv"))
    python = tmp_path / "venv" / "bin" / "python"
    options = ("--quiet", "--no-deps", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel))
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    environment = {**os.environ, "PYTHONPATH": ""}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    printed = run(str(python), "-c", USE, cwd=tmp_path, env=environment)
    assert str(tmp_path / "venv") in printed.splitlines()[-1]
    (tmp_path / "test_it.py").write_text(TEST)
    options = ("-W", "error", "-p", "no:cacheprovider")
    printed = run(str(python), "-m", "pytest", *options, cwd=tmp_path, env=environment)
    assert "1 passed" in printed


@pytest.mark.parametrize("name", ["setup.py", "tox.ini", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_what_a_project_has_is_there(name):
    assert (ROOT / name).is_file()
