"""The pillows of the benchmark, as a project would write them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev.bench.indices import MAPPING, SETTINGS
from dev.bench.material import FEED
from pillowtop.elastic import bulk
from pillowtop.elastic.index import AliasedIndex
from pillowtop.elastic.transport import ElasticTransport
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import DELIVERED, Item, Outcome, Transport
from pillowtop.feeds.http_stream import BLOCK_BYTES
from pillowtop.feeds.recorded import RecordedFeed
from pillowtop.listener import AliasedElasticPillow, BasicPillow, PythonPillow


class OrderPillow(AliasedElasticPillow):
    default_mapping = MAPPING
    es_meta = SETTINGS


class TotalPillow(OrderPillow):
    def change_transform(self, document: Any) -> Any:
        return _with_total(document)


class NotingPillow(OrderPillow):
    """Notes when each document was delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: dict[str, float] = {}

    def get_transport(self) -> Transport:
        transport = super().get_transport()
        deliver = transport.deliver

        def noting(items: Sequence[Item]) -> list[Outcome]:
            outcomes = deliver(items)
            now = time.perf_counter()
            self.delivered |= {item.doc_id: now for item in items}
            return outcomes

        transport.deliver = noting  # type: ignore[method-assign]
        return transport


class ChoosingPillow(PythonPillow, BasicPillow):
    """Looks at every document, and takes none."""

    selection_is_stable = True

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()
        self.seen = 0

    def python_filter(self, document: Any) -> bool:
        self.seen += 1
        return bool(document["state"] == "never")

    def change_transport(self, document: Any) -> None:
        raise AssertionError("nothing is taken")


class Discarding(ElasticTransport):
    """Makes the bodies that Elasticsearch would get, and drops them."""

    def __init__(self) -> None:
        nowhere = Endpoint.parse("http://127.0.0.1:9")
        super().__init__(nowhere, AliasedIndex("nowhere"), "RecordedPillow")
        self.discarded = 0

    def prepare(self) -> str:
        return "nowhere"

    def look(self) -> None:
        """Nobody else serves here."""

    def identity(self) -> str:
        return "nowhere"

    def deliver(self, items: Sequence[Item]) -> list[Outcome]:
        bulk.body(items)
        self.discarded += len(items)
        return [Outcome(item, DELIVERED) for item in items]


class DiscardedPillow(BasicPillow):
    """Follows CouchDB, into a transport that discards. Under a new name it has no checkpoint."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()
        self._transport = Discarding()

    @property
    def discarded(self) -> int:
        return self._transport.discarded

    def get_transport(self) -> Discarding:
        return self._transport


class RecordedPillow(DiscardedPillow):
    """Follows the recorded feed of a folder instead."""

    def __init__(self, material: Path) -> None:
        super().__init__("recorded")
        self._feed = RecordedFeed(material / FEED, "orders", read_bytes=BLOCK_BYTES)

    def get_feed(self) -> RecordedFeed:
        return self._feed


class RecordedTotalPillow(RecordedPillow):
    def change_transform(self, document: Any) -> Any:
        return _with_total(document)


def _with_total(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "total": sum(line["price"] for line in document["lines"])}
