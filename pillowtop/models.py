"""Django looks for models here; they live in the room that uses them."""

from pillowtop.records.models import (
    DeadLetter,
    OperatorRequest,
    PastPosition,
    PillowRecord,
    PillowStatus,
    Position,
    Rerun,
)

__all__ = [
    "DeadLetter",
    "OperatorRequest",
    "PastPosition",
    "PillowRecord",
    "PillowStatus",
    "Position",
    "Rerun",
]
