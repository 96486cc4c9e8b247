"""Delivers into the Django database, by the pillow's own hooks."""

from __future__ import annotations

from pillowtop.engine.items import Item
from pillowtop.transports.hooks import HookTransport


class SQLTransport(HookTransport):
    """Calls `transport(document)` and `delete(change)` where a transaction is open.

    The worker opens one for each batch, in its thread for the Django database, and moves the
    position within it.
    """

    def write(self, item: Item) -> None:
        """Write one item. Raises what the hooks raise."""
        self._write(item)
