"""What can go wrong with a request to Elasticsearch.

es.fail_next(reject("bad-id"))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pillowtop.testing.scripted import Connection
from pillowtop.testing.search_refusals import Refusal

BUSY = "rejected execution of coordinating operation"

Reply = tuple[int, Any]


class Exchange(Protocol):
    """A request that a fault has to see to."""

    connection: Connection
    refusals: dict[str, Refusal]
    """By document id, what is said of items that are not to be carried out; `*` for all."""

    def carry_out(self) -> Reply:
        """Do what was asked; the status and the body to reply with."""

    def reply(self, reply: Reply) -> None: ...
    def put_off(self) -> None:
        """Have it carried out later, when the test says so."""


@dataclass(frozen=True)
class SearchFault:
    """What happens to one request: `suffer` replies to it, or does not."""

    suffer: Callable[[Exchange], None]


def reject(
    *doc_ids: str,
    status: int = 400,
    error_type: str = "mapper_parsing_exception",
    reason: str = "failed to parse",
) -> SearchFault:
    """Items are refused and the others written; without ids, all items are refused."""

    @SearchFault
    def fault(exchange: Exchange) -> None:
        for doc_id in doc_ids or ("*",):
            exchange.refusals[doc_id] = Refusal(status, error_type, reason)
        exchange.reply(exchange.carry_out())

    return fault


def busy(*doc_ids: str) -> SearchFault:
    """Items, or all of them, are put off with 429."""
    return reject(*doc_ids, status=429, error_type="es_rejected_execution_exception", reason=BUSY)


def blocked(*doc_ids: str) -> SearchFault:
    """Items, or all of them, meet a server whose disk is full."""
    reason = "index [fake] blocked by: [FORBIDDEN/12/disk usage exceeded flood-stage watermark]"
    return reject(*doc_ids, status=403, error_type="cluster_block_exception", reason=reason)


def answer_with(status: int, error_type: str = "", reason: str = "") -> SearchFault:
    """The request is refused and nothing written: 401, 403, 413, 429, 503, …

    Without an `error_type` the body is empty, as those of proxies are.
    """

    @SearchFault
    def fault(exchange: Exchange) -> None:
        body = Refusal(status, error_type, reason).body if error_type else b""
        exchange.reply((status, body))

    return fault


def shortened(by: int = 1) -> SearchFault:
    """All is written, and the reply to a bulk says nothing of the last items."""
    return _altered(lambda items: items[:-by])


def disordered() -> SearchFault:
    """All is written, and the reply to a bulk has its items in another order."""
    return _altered(lambda items: items[::-1])


def truncated() -> SearchFault:
    """All is written, and the connection ends in the middle of the reply."""

    @SearchFault
    def fault(exchange: Exchange) -> None:
        exchange.carry_out()
        exchange.connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"errors":fal')
        exchange.connection.close()

    return fault


def reset(*, written: bool = True) -> SearchFault:
    """The connection is reset in place of a reply, after all was written or before."""

    @SearchFault
    def fault(exchange: Exchange) -> None:
        if written:
            exchange.carry_out()
        exchange.connection.reset()

    return fault


def late() -> SearchFault:
    """The connection is reset, and the request is carried out by `apply_late`, over newer ones."""

    @SearchFault
    def fault(exchange: Exchange) -> None:
        exchange.put_off()
        exchange.connection.reset()

    return fault


def _altered(alter: Callable[[list[Any]], list[Any]]) -> SearchFault:
    @SearchFault
    def fault(exchange: Exchange) -> None:
        status, body = exchange.carry_out()
        exchange.reply((status, {**body, "items": alter(body["items"])}))

    return fault
