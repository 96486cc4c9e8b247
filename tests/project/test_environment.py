"""`dev/install/environment.sh` on machines that lack something: one line that says what."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.project.source import ROOT

SCRIPT = "dev/install/environment.sh"
TOOLS = ("bash", "env", "dirname", "cat", "cksum", "cut", "tr", "sed", "rm")


@pytest.fixture
def machine(tmp_path):
    """A folder with the script, and a PATH without any Python."""
    (tmp_path / "dev/install").mkdir(parents=True)
    shutil.copy(ROOT / SCRIPT, tmp_path / SCRIPT)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return tmp_path


def run(machine, **environment):
    return subprocess.run(
        [machine / SCRIPT], env={"PATH": str(machine / "bin"), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def fake_python(machine, name, script):
    python = machine / "bin" / name
    python.write_text(f"#!/usr/bin/env bash\n{script}\n")
    python.chmod(0o755)


def test_no_python(machine):
    result = run(machine)
    assert result.returncode == 3
    assert result.stderr.count("\n") == 1
    assert "install python3" in result.stderr


def test_an_old_python(machine):
    fake_python(machine, "python3", "exit 1")
    result = run(machine)
    assert result.returncode == 3
    assert "no Python 3.11 or newer" in result.stderr


def test_a_python_without_venv(machine):
    fake_python(machine, "python3", '[[ "$2" != *ensurepip* ]]')
    result = run(machine)
    assert result.returncode == 3
    assert result.stderr.count("\n") == 1
    assert "apt install python3-venv" in result.stderr


def test_a_newer_python_under_another_name_is_found(machine):
    fake_python(machine, "python3", "exit 1")
    fake_python(machine, "python3.12", '[[ "$2" != *ensurepip* ]]')
    assert "python3.12 has no venv module" in run(machine).stderr


def test_packages_that_cannot_be_fetched(machine):
    """pip's own words are shown, and the next run begins anew."""
    broken = '[[ "$*" == *--editable* ]] && { echo "no such host" >&2; exit 1; }; exit 0'
    fake_python(machine, "pip-that-fails", broken)
    fake_python(
        machine, "python3",
        'if [[ "$2" == venv ]]; then mkdir -p "$3/bin"; cp bin/pip-that-fails "$3/bin/python"; '
        "fi; exit 0",
    )  # fmt: skip
    for tool in ("mkdir", "cp"):
        (machine / "bin" / tool).symlink_to(shutil.which(tool))
    result = run(machine)
    assert result.returncode == 3
    assert "no such host" in result.stderr
    assert not (machine / ".venv/.made-for").exists()
