"""Processes that a demo has started, known by a mark in their environment."""

from __future__ import annotations

import psutil


def marked(mark):
    """Those that still run."""
    return [one for one in psutil.process_iter() if _is_marked(one, mark)]


def _is_marked(process, mark):
    try:
        return process.environ().get("DEMO_TEST") == mark
    except psutil.Error:
        return False
