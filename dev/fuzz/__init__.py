"""What is fuzzed, and what has to hold of it. The hypothesis tests use the same rules."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
