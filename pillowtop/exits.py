"""The exit codes of the commands."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    """All that was asked for is done, or a stop was drained."""

    UNEXPECTED = 1
    """Something that should not happen: the log has a traceback."""

    USAGE = 2
    """The command line is wrong."""

    CONFIGURATION = 3
    """Settings, credentials, a database or an index need somebody's hand: the log says which."""

    UNHEALTHY = 4
    """Dead letters remain, a pillow stands by, or something is wrong with one."""

    DIFFERS = 5
    """`ptop_verify` has found differences between a database and a target."""

    LEASE = 6
    """Another process writes for the pillow."""

    UNDRAINED = 7
    """A stop ran out of time; what was under way is read again at the next start."""
