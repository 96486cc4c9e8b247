"""The documents of a real database, in the order of their ids."""

from __future__ import annotations

import json
import random

import pytest

from pillowtop.endpoints import Endpoint
from pillowtop.feeds import couch_listing
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_listing import DocumentListing
from tests.couch import Database

IDS = ["A", "a", "a b", "a/b", "aa", "b\0c", "z", "ä", "я", "\u2028", "中", "\U0001f600"]


@pytest.fixture
def writer(couch_database):
    return Database(couch_database)


@pytest.fixture
def listing(writer):
    database = CouchDatabase(Endpoint.parse(writer.server), writer.name)
    return lambda include_docs=False: DocumentListing(database, include_docs=include_docs)


def listed(listing, **options):
    """Pages of changes to the end."""
    pages, after = [], ""
    while page := listing.page(after, **options):
        pages.append(page)
        after = page[-1].id
    return pages


def ids(pages):
    return [change.id for page in pages for change in page]


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_all_documents_in_the_order_of_bytes(writer, listing, rows):
    shuffled = random.Random(rows).sample(IDS, len(IDS))
    writer.put_many([{"_id": doc_id} for doc_id in shuffled])
    pages = listed(listing(), at_most=rows)
    assert ids(pages) == sorted(IDS, key=str.encode)
    assert max(map(len, pages)) <= rows
    assert {change.id: change.rev for page in pages for change in page} == writer.revs()


def test_the_document_where_a_page_ended_may_be_gone(writer, listing):
    writer.fill(5)
    (first, *_) = listed(listing(), at_most=2)
    writer.delete(first[-1].id)
    assert [one.id for one in listing().page(first[-1].id, at_most=2)] == ["doc000002", "doc000003"]


def test_to_an_id(writer, listing):
    writer.fill(5)
    assert ids([listing().page("doc000000", upto="doc000002")]) == ["doc000001", "doc000002"]


def test_large_documents_come_in_fewer(writer, listing, monkeypatch):
    monkeypatch.setattr(couch_listing, "PAGE_BYTES_AT_MOST", 10_000)
    writer.fill(20, text="x" * 100)
    writer.put("large", text="x" * 30_000)
    pages = listed(listing(include_docs=True))
    assert ids(pages) == [f"doc{number:06}" for number in range(20)] + ["large"]
    assert len(pages) > 1
    assert all(json.loads(bytes(one.doc))["_id"] == one.id for page in pages for one in page)


def test_some_by_their_ids(writer, listing):
    writer.fill(5, text="x")
    writer.delete("doc000003")
    wanted = ["doc000001", "doc000003", "none such"]
    assert [one.id for one in listing().of(wanted)] == ["doc000001"]
    (one,) = listing(include_docs=True).of(wanted)
    assert one.document["text"] == "x"
    assert one.rev == writer.revs()["doc000001"]


def test_how_many_there_are(writer, listing):
    writer.fill(5)
    assert listing().measure() == listing(include_docs=True).measure() == 5
