"""Delivers lines of JSON over one TCP connection, which is kept."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from pillowtop.awaited import answer_of
from pillowtop.changes import Change, Document
from pillowtop.endpoints import Address
from pillowtop.engine.items import DELIVERED, Item, Outcome, Verdict
from pillowtop.exceptions import ServerUnreachable, TransientError
from pillowtop.transports import json_lines
from pillowtop.transports.acknowledged import AcknowledgedConnection, connect


class NetworkTransport:
    """Takes batches to what listens at an address. An item's payload is its line, as bytes.

    Delivered is what the peer's kernel has acknowledged. `patience_seconds` is for how long a
    peer may take nothing.
    """

    batches_in_flight = 1  # they go one after the other: a log has an order
    decodes = False

    def __init__(self, address: Address, patience_seconds: float = 60.0) -> None:
        self._address = address
        self._patience_seconds = patience_seconds
        self._connection: AcknowledgedConnection | None = None
        self._lock = threading.Lock()

    def pack(self, change: Change, document: Document, version: int) -> Item:
        """Raises `TypeError` or `ValueError` where a document is no dict, or is not JSON."""
        line = json_lines.from_document(document, change.id, change.rev)
        return _item(change, version, line)

    def pack_bytes(self, change: Change, version: int) -> Item:
        return _item(change, version, json_lines.from_bytes(change))

    def pack_deletion(self, change: Change, version: int) -> Item:
        return _item(change, version, json_lines.deletion(change), deletion=True)

    def prepare(self) -> str:
        """Connect: a wrong address or certificate shows at the start."""
        with self._lock:
            self._connected()
        return self.identity()

    def identity(self) -> str:
        """Empty: a listener holds nothing that a checkpoint could be about."""
        return ""

    def deliver(self, items: Sequence[Item]) -> list[Outcome]:
        """What was acknowledged before a connection broke is delivered, the rest to be repeated.

        Raises what broke it where that is all of them.
        """
        lines = [item.payload for item in items]
        acknowledged, error = self._send(b"".join(lines))
        if error is None:
            return [Outcome(item, DELIVERED) for item in items]
        count = bisect_right(list(accumulate(map(len, lines))), acknowledged)
        if count == 0:
            raise error
        kind, words = type(error).__name__, str(error)
        return [
            *(Outcome(item, DELIVERED) for item in items[:count]),
            *(Outcome(item, Verdict.AGAIN, kind, words) for item in items[count:]),
        ]

    def write_one(self, line: bytes) -> None:
        """Send one line at once and outside of any batch. Raises what `deliver` raises."""
        _, error = self._send(line)
        if error is not None:
            raise error

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _send(self, data: bytes) -> tuple[int, TransientError | None]:
        """How many bytes were acknowledged, and what has kept the others from it."""
        with self._lock:
            was_kept = self._connection is not None
            acknowledged, error = self._send_once(data)
            if was_kept and not acknowledged and isinstance(error, ServerUnreachable):
                # It had ended while there was nothing to send: no reason to wait, or to worry.
                acknowledged, error = self._send_once(data)
            return acknowledged, error

    def _send_once(self, data: bytes) -> tuple[int, TransientError | None]:
        connection = self._connected()
        try:
            connection.deliver(data)
        except TransientError as error:
            self._drop(connection)
            return connection.acknowledged, error
        except BaseException:
            # Perhaps in the middle of a line: nothing may follow there.
            self._drop(connection)
            raise
        return connection.acknowledged, None

    def _connected(self) -> AcknowledgedConnection:
        if self._connection is None:
            with answer_of(f"what listens at {self._address}"):
                self._connection = connect(self._address, self._patience_seconds)
        return self._connection

    def _drop(self, connection: AcknowledgedConnection) -> None:
        self._connection = None
        connection.abort()


def _item(change: Change, version: int, line: bytes, *, deletion: bool = False) -> Item:
    return Item(change.id, change.id, version, deletion, line, len(line), change.rev, change.seq)
