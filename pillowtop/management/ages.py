"""Lengths of time as somebody types them."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DAYS_AT_MOST = 36500


def age(text: str) -> timedelta:
    """`90s`, `30m`, `2h` or `7d`. Raises `ArgumentTypeError` for anything else."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    if not found:
        raise ArgumentTypeError(f"{text!r} is no length of time: say 90s, 30m, 2h or 7d")
    length = timedelta(**{UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=DAYS_AT_MOST):
        raise ArgumentTypeError(f"{text!r} is more than {DAYS_AT_MOST} days")
    return length


def seconds_to_wait(text: str) -> float:
    """Seconds to wait, from 0 on. Raises `ArgumentTypeError` for anything else."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < sys.maxsize:
        raise ArgumentTypeError(f"{text!r} is no number of seconds from 0 on")
    return seconds
