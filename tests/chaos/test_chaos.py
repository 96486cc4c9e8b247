"""A few runs as `make chaos` has them, with real servers."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.project.source import ROOT
from tests.projects import UNMEASURED

FAULTS = ("delayed", "429 for some", "couchdb killed")
SECONDS = 280


def test_a_few_runs_end_in_step(tmp_path):
    chosen = [part for name in FAULTS for part in ("--fault", name)]
    command = ["--seed", "11", "--runs", str(len(FAULTS)), "--folder", str(tmp_path), *chosen]
    result = subprocess.run(
        [sys.executable, "-m", "dev.chaos", *command],
        cwd=ROOT,
        env={**os.environ, **UNMEASURED},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    last = result.stdout.splitlines()[-1]
    assert last.startswith(f"chaos: {len(FAULTS)} runs, ")
    assert last.endswith(" kills, 0 lost, 0 stale, 0 resurrected, 0 stuck")
