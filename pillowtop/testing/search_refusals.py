"""How Elasticsearch says no."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request or an item is refused with this status and error."""

    def __init__(self, status: int, kind: str, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.status = status
        self.error = {"type": kind, "reason": reason, **details}

    @property
    def body(self) -> dict[str, Any]:
        """The reply to a request that is refused."""
        return {"error": {"root_cause": [self.error], **self.error}, "status": self.status}


def no_such_index(name: str, why: str = "") -> Refusal:
    reason = f"no such index [{name}]{why}"
    return Refusal(404, "index_not_found_exception", reason, index_uuid="_na_", index=name)


def bad_argument(reason: str) -> Refusal:
    return Refusal(400, "illegal_argument_exception", reason)
