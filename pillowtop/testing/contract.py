"""What every pillow has to keep, as tests to inherit."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar, NoReturn

import msgspec
from django.test.utils import override_settings

from pillowtop.elastic.index import SeveralIndices
from pillowtop.listener import BasicPillow, ElasticPillow
from pillowtop.testing.couch import FakeDatabase
from pillowtop.testing.differences import differences, shared_state, shown
from pillowtop.testing.rehearsal import Rehearsal
from pillowtop.testing.search import FakeElasticsearch
from pillowtop.testing.settings import pointing_at

Document = Mapping[str, Any]


class ContractBroken(AssertionError):
    """A pillow does not keep a rule; the message says which, and what to do."""


class PillowContract:
    """Rules that a pillow must keep, each a test.

        class TestOrderPillow(PillowContract):
            pillow = OrderPillow
            documents = [{"_id": "a", "price": 5}, {"_id": "b", "price": 7}]
            refused = [{"_id": "c"}]

    They run the pillow's hooks, real packing and its transport; databases and Elasticsearch are
    fakes. A pillow that delivers elsewhere needs `state`. A rule that a pillow may break is
    switched off by its name: `test_order_does_not_matter = None`.
    """

    pillow: ClassVar[type[BasicPillow]]
    """The class to test."""

    documents: ClassVar[Sequence[Document]] = ()
    """Documents that it takes, two or more."""

    refused: ClassVar[Sequence[Document]] = ()
    """Documents that a filter refuses, or for which a hook returns None."""

    elasticsearch: FakeElasticsearch
    """Where an ElasticPillow writes to while a test runs."""

    def make_pillow(self) -> BasicPillow:
        """The pillow to test: override it to set options."""
        return self.pillow()

    def state(self) -> Any:
        """What the target holds, in a form that does not depend on the order of its writing."""
        if isinstance(self._pillow, ElasticPillow):
            target = self._pillow.get_target()
            if not isinstance(target, SeveralIndices):
                return self.elasticsearch.documents(target.write_alias)
            return {
                f"{index}/{doc_id}": source
                for index, aliases in self.elasticsearch.aliases().items()
                if target.index in aliases
                for doc_id, source in self.elasticsearch.documents(index).items()
            }
        raise ContractBroken(
            f"override state() in {type(self).__name__}: return what the target of "
            f"{self._pillow.name} holds, such as a dict of its rows by their ids"
        )

    # The rules.

    # The first one finds a target clean, whatever it says of the pillow.

    def test_deleted_documents_are_removed(self) -> None:
        for document in self.documents:
            with self._rehearsing() as rehearsal:
                others = [one for one in self.documents if one is not document]
                database = self._database(others)
                since = rehearsal.follow(database)
                without = self._state()
                database.put(document)
                since = rehearsal.follow(database, since)
                self._demand_other(without, document)
                database.delete(document["_id"])
                for again in (since, None):
                    rehearsal.follow(database, again)
                    self._demand_same(
                        without,
                        f"document {document['_id']!r} was deleted, and the target is not as it "
                        "was before it came",
                        "Implement change_delete(change): remove what change_transport wrote for "
                        "change.id, and bear that it is gone already",
                    )

    def test_documents_are_delivered(self) -> None:
        with self._rehearsing() as rehearsal:
            database = FakeDatabase()
            since, before = None, self._state()
            for document in self.documents:
                database.put(document)
                since = rehearsal.follow(database, since)
                self._demand_other(before, document)
                before = self._state()

    def test_the_same_change_twice_gives_the_same_state(self) -> None:
        with self._rehearsing() as rehearsal:
            database = self._database(self.documents)
            rehearsal.follow(database)
            once = self._state()
            rehearsal.follow(database)
            self._demand_same(
                once,
                "the same changes, delivered a second time, change the target",
                "Every change may come again: write by the document's id (update_or_create, PUT), "
                "and add nothing to what is there",
            )

    def test_a_replay_gives_the_same_state(self) -> None:
        with self._rehearsing() as rehearsal:
            database = self._database(self.documents)
            since = rehearsal.follow(database)
            database.delete(self.documents[0]["_id"])
            database.put(self.documents[-1])
            rehearsal.follow(database, since)
            once = self._state()
            rehearsal.follow(database)
            self._demand_same(
                once,
                "after updates and deletions, reading everything again from 0 changes the target",
                "A feed may go back to its beginning: have the target depend on each document's "
                "last state alone",
            )

    def test_refused_documents_are_removed(self) -> None:
        for document in self.refused:
            with self._rehearsing() as rehearsal:
                database = self._database(self.documents)
                since = rehearsal.follow(database)
                without = self._state()
                database.put(document)
                since = rehearsal.follow(database, since)
                self._demand_same(
                    without,
                    f"document {document['_id']!r} stands in `refused`, and it changes the target",
                    "Correct filter, python_filter or change_transform, or move the document to "
                    "`documents`",
                )
                if not rehearsal.pillow.selection_is_stable:
                    database.put({**self.documents[0], "_id": document["_id"]})
                    since = rehearsal.follow(database, since)
                    database.put(document)
                    since = rehearsal.follow(database, since)
                    self._demand_same(
                        without,
                        f"document {document['_id']!r} was taken before and is refused now, and "
                        "it still stands in the target",
                        "Have change_delete(change) remove it: it is called for live documents "
                        "too, by change.id. Where what is refused was never taken before, set "
                        "selection_is_stable = True",
                    )

    def test_order_does_not_matter(self) -> None:
        with self._rehearsing() as rehearsal:
            empty = self._state()
            first = None
            for order in _orders(list(self.documents)):
                database = self._database(order, shards=1)
                rehearsal.follow(database)
                first = self._state() if first is None else first
                names = ", ".join(repr(document["_id"]) for document in order)
                self._demand_same(
                    first,
                    f"the target is another when the documents come in the order {names}",
                    "Rows of different documents come in any order: have what is written for a "
                    "document depend on that document alone",
                )
                rehearsal.remove(document["_id"] for document in order)
                self._demand_same(
                    empty,
                    "all documents were deleted, and the target is not as it was before they came",
                    "Implement change_delete(change)",
                )

    def test_hooks_leave_shared_state_alone(self) -> None:
        with self._rehearsing() as rehearsal:
            before = shared_state(type(rehearsal.pillow))
            for _ in rehearsal.results([*self.documents, *self.refused]):
                pass
            after = shared_state(type(rehearsal.pillow))
            if after != before:
                _fail(
                    "a hook (filter, change_trigger or change_transform) changes what all "
                    f"documents share:\n{differences(before, after)}\nDocuments come in any order, "
                    "more than once, and to another process after a restart: keep nothing between "
                    "them"
                )

    def test_transforms_give_a_dict_or_none(self) -> None:
        with self._rehearsing() as rehearsal:
            for doc_id, result in rehearsal.results([*self.documents, *self.refused]):
                if result is not None and not isinstance(result, dict):
                    _fail(
                        f"change_transform gives {shown(result)} for document {doc_id!r}: return a "
                        "dict (one document becomes one document in the target), or None for "
                        "nothing"
                    )
                _demand_json(doc_id, result)

    def test_transforms_do_not_depend_on_order(self) -> None:
        with self._rehearsing() as rehearsal:
            documents = [*self.documents, *self.refused]
            first: dict[str, Any] = {}
            for order in (documents, documents[::-1], documents):
                for doc_id, result in rehearsal.results(order):
                    if result != first.setdefault(doc_id, copy.deepcopy(result)):
                        _fail(
                            f"change_transform gives {shown(first[doc_id])} for document "
                            f"{doc_id!r}, and {shown(result)} when others came before it: have it "
                            "look at its document alone, and not at the time, at chance or at what "
                            "came before"
                        )

    # Helping.

    @contextmanager
    def _rehearsing(self) -> Iterator[Rehearsal]:
        """A pillow, and an Elasticsearch of its own."""
        self._demand_definition()
        with (
            FakeElasticsearch() as self.elasticsearch,
            override_settings(PILLOWTOP=pointing_at(self.elasticsearch.url)),
        ):
            self._pillow = self.make_pillow()
            with closing(Rehearsal(self._pillow)) as rehearsal:
                yield rehearsal
                # A target of the pillow's own outlives this, and the next rule wants it clean.
                rehearsal.remove(one["_id"] for one in (*self.documents, *self.refused))

    def _database(self, documents: Sequence[Document], shards: int = 2) -> FakeDatabase:
        database = FakeDatabase(shards=shards)
        for document in documents:
            database.put(document)
        return database

    def _state(self) -> Any:
        return copy.deepcopy(self.state())

    def _demand_same(self, before: Any, words: str, advice: str) -> None:
        after = self._state()
        if after != before:
            _fail(f"{words}:\n{differences(before, after)}\n{advice}")

    def _demand_other(self, before: Any, document: Document) -> None:
        if self._state() == before:
            _fail(
                f"document {document['_id']!r} is delivered, and the target is as it was: correct "
                "filter, change_transform or change_transport, or move the document from "
                "`documents` to `refused`. (Or it stood there from before: then implement "
                "change_delete, or clean the target before each test)"
            )

    def _demand_definition(self) -> None:
        name = type(self).__name__
        kind = getattr(self, "pillow", None)
        if not (isinstance(kind, type) and issubclass(kind, BasicPillow)):
            _fail(f"set `pillow` in {name} to the class of a pillow, not to {kind!r}")
        ids = [one.get("_id") for one in (*self.documents, *self.refused)]
        if len(self.documents) < 2:  # noqa: PLR2004
            _fail(f"give {name} two or more `documents` that the pillow takes")
        if len(set(ids)) < len(ids) or not all(isinstance(one, str) for one in ids):
            _fail(f"give each of the documents of {name} an `_id` of its own, not {ids}")


def _orders(documents: list[Document]) -> list[list[Document]]:
    return [documents, documents[::-1], documents[1:] + documents[:1]]


def _demand_json(doc_id: str, result: Any) -> None:
    try:
        msgspec.json.encode(result)
    except (TypeError, ValueError) as error:
        _fail(
            f"what change_transform gives for document {doc_id!r} is no JSON: {error}. Return "
            "text, numbers, booleans, None, dates, and lists and dicts of them"
        )


def _fail(words: str) -> NoReturn:
    __tracebackhide__ = True
    raise ContractBroken(words)
