"""The two sides of a verification: what should stand in the target, and what does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pillowtop.changes import Change, Seq
from pillowtop.engine.comparing import Sight, Standing, unequal
from pillowtop.engine.items import Held, Listing
from pillowtop.exceptions import ConfigurationError, TransientError
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_listing import DocumentListing
from pillowtop.listener import BasicPillow
from pillowtop.verification.ahead import ahead
from pillowtop.verification.expecting import Expectations
from pillowtop.verification.insisting import Insistence, insist
from pillowtop.verification.shelf import Sorted

START: Seq = "0"


class Sides:
    """Both sides of one pillow. `told` is called with how many documents were compared.

    Raises `ConfigurationError` for a pillow whose target cannot say what it holds, and what the
    two servers raise where they do not answer for a minute.
    """

    def __init__(self, pillow: BasicPillow, told: Callable[[int], None]) -> None:
        transport = pillow.get_transport()
        if not isinstance(transport, Listing):
            raise ConfigurationError(
                f"{pillow.name}: its target cannot say what it holds: only indices that "
                "ElasticPillow and AliasedElasticPillow write in bulks can be compared"
            )
        self.pillow = pillow
        self.database = pillow.get_database()
        self.transport = transport
        self.holdings = transport.holdings
        self.expectations = Expectations(pillow, transport)
        self._listing = DocumentListing(
            self.database, include_docs=self.expectations.needs_documents
        )
        self.told = told

    @property
    def is_filtered(self) -> bool:
        """Whether a filter in CouchDB chooses, which cannot be asked about a document."""
        return self.pillow.couch_filter is not None

    def measure(self) -> int:
        """Demand that both sides are there. Returns how many documents the database has."""
        insist(self.transport.identity)
        insist(self.holdings.refresh)
        return insist(self._listing.measure)

    def all_unequal(self) -> Iterator[Sight]:
        """All documents on which the sides differ."""
        if not self.is_filtered:
            yield from unequal(self._wanted(), self._found())
            return
        with Sorted() as passing:
            self._collect(passing)
            yield from unequal(passing, self._found())

    def unequal_in(self, after: str, count: int) -> Iterator[Sight]:
        """The same among so many documents behind an id."""
        changes = insist(lambda: self._listing.page(after, at_most=count))
        upto = changes[-1].id if len(changes) == count else ""
        self.told(len(changes))
        yield from unequal(self.expectations.of(changes), self._found(after, upto))

    def sights_of(self, doc_ids: Sequence[str]) -> list[Sight]:
        """How both sides have these documents now, of which there are some thousand at most.

        A filter in CouchDB is not asked.
        """
        return insist(lambda: self._look(doc_ids))

    def changed_since(self, seq: Seq) -> Iterator[list[Change]]:
        """What the pillow's feed has behind a seq, to its end, without the documents."""
        return self._changes(seq, include_docs=False)

    def _look(self, doc_ids: Sequence[str]) -> list[Sight]:
        # First what should be there: what comes later is newer, and will be looked at again.
        wanted = {
            one.doc_id: one
            for change in self._listing.of(doc_ids)
            for one in self.expectations.of([change])
        }
        found: dict[str, list[Standing]] = {}
        for held in self.holdings.of(self.database.name, doc_ids):
            found.setdefault(held.doc_id, []).append(_standing(held))
        return [Sight.of(doc_id, wanted.get(doc_id), found.get(doc_id, ())) for doc_id in doc_ids]

    def _wanted(self) -> Iterator[Standing]:
        for changes in ahead(self._pages()):
            self.told(len(changes))
            yield from self.expectations.of(changes)

    def _pages(self) -> Iterator[list[Change]]:
        last = ""
        while changes := insist(lambda: self._listing.page(last)):  # noqa: B023  (called at once)
            yield changes
            last = changes[-1].id

    def _found(self, after: str = "", upto: str = "") -> Iterator[Standing]:
        for page in ahead(self._holdings_pages(after, upto)):
            yield from map(_standing, page)

    def _holdings_pages(self, after: str, upto: str) -> Iterator[list[Held]]:
        name = self.database.name
        while page := insist(lambda: self.holdings.page(name, after, upto)):  # noqa: B023
            yield page
            after = page[-1].doc_id

    def _collect(self, passing: Sorted) -> None:
        """What a filter in CouchDB lets pass comes in the order of the feed."""
        for changes in self._changes(START, include_docs=self.expectations.needs_documents):
            self.told(len(changes))
            passing.remove(one.id for one in changes)
            passing.add(self.expectations.of(one for one in changes if not one.deleted))

    def _changes(self, seq: Seq, *, include_docs: bool) -> Iterator[list[Change]]:
        pillow, insistence = self.pillow, Insistence()
        feed = CouchFeed(
            self.database,
            include_docs=include_docs,
            filter=pillow.couch_filter,
            filter_parameters=dict(pillow.extra_args),
        )
        while True:
            try:
                for read in feed.read(seq, follow=False):
                    insistence.succeeded()
                    yield read.changes
                    seq = seq if read.seq is None else read.seq
            except TransientError as error:
                insistence.endure(error)
            else:
                return


def _standing(held: Held) -> Standing:
    return Standing(held.doc_id, held.rev, held.target_id, held.place)
