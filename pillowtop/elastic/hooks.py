"""Delivers through the hooks of a pillow which write to an index, one document at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pillowtop.changes import Change
from pillowtop.transports.hooks import HookTransport

if TYPE_CHECKING:
    from pillowtop.elastic.transport import ElasticTransport


class ElasticHooks(HookTransport):
    """The hooks deliver; index and mirror are those of the transport behind them."""

    def __init__(
        self,
        transport: Callable[[Any], None],
        delete: Callable[[Change], None],
        elastic: ElasticTransport,
    ) -> None:
        super().__init__(transport, delete, elastic.prepare, elastic.identity)
        self.index = elastic.index
        self.look = elastic.look
        self.write_to_both = elastic.write_to_both
        self._elastic = elastic

    @property
    def lost(self) -> str:
        return self._elastic.lost
