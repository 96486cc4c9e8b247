"""The example's project; which release of it is deployed, the environment says."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403

RELEASE = os.environ.get("REINDEX_DEMO_RELEASE", "SecondRelease")
PILLOWTOPS = [f"dev.reindex_demo.pillows.{RELEASE}"]
