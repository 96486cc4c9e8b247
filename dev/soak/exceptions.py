"""What ends a soak before its time."""

from __future__ import annotations


class SoakError(Exception):
    """The message says what has gone wrong."""


class EndedWrongly(SoakError):
    """A process ended by itself, or not as it was asked to."""


class WriterFailed(SoakError):
    """A mistake of the soak's own."""
