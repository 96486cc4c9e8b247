"""The tutorial on testing, typed to the letter: files as they are shown, commands as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.project.pages import DOCS
from tests.project.source import ROOT

PART = re.compile(
    r"(?:(?P<verb>Write this to|Put this at the end of)\s+`(?P<path>[^`]+)`:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)```|(?P<commands>(?:^    [^\n]+\n)+)",
    re.DOTALL | re.MULTILINE,
)
INSTALLING = ("python3 -m venv", "pip install")  # tests/project/test_packaging.py does that


def test_the_tutorial_on_testing(tmp_path):
    folder, output, shown = tmp_path, "", 0
    for part in PART.finditer((DOCS / "tutorial/test-a-pillow.md").read_text()):
        if part["commands"]:
            output = run(part["commands"].splitlines(), folder)
            folder = tmp_path / "mysite"
        elif part["kind"] == "text":
            for line in part["text"].splitlines():
                assert line in output, f"{line!r} is not in:\n{output}"
                shown += 1
        else:
            mode = "w" if part["verb"] == "Write this to" else "a"
            with (folder / part["path"]).open(mode) as file:
                file.write(part["text"])
    assert shown == 5
    assert not (folder / "db.sqlite3").exists()  # tests have a database of their own


def run(lines: list[str], folder: Path) -> str:
    commands = [line for line in lines if not line.strip().startswith(INSTALLING)]
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        # As if it had just been installed, whatever is installed here.
        "PYTEST_ADDOPTS": "-p pillowtop.pytest_plugin -p no:pillowtop",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        ["bash", "-ec", "\n".join(commands)], cwd=folder, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 or " failed" in done.stdout, done.stdout + done.stderr
    return done.stdout
