"""`PillowContract`: what it lets through, and what it says of pillows with mistakes."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from typing import Any

import pytest

from airports.pillows import AirportPillow, FrenchAirportPillow
from pillowtop.changes import Change
from pillowtop.exceptions import TransientError
from pillowtop.listener import AliasedElasticPillow, BasicPillow, ElasticPillow, PythonPillow
from pillowtop.testing import PillowContract
from pillowtop.testing.differences import differences, shared_state

PARIS = {"_id": "CDG", "iata": "CDG", "name": "Charles de Gaulle", "country": "FR",
         "lat": 49.0128, "lon": 2.55, "elevation": 392}  # fmt: skip
NICE = {**PARIS, "_id": "NCE", "iata": "NCE", "name": "Nice", "lat": 43.66, "elevation": 12}
BERLIN = {**PARIS, "_id": "BER", "iata": "BER", "name": "Brandenburg", "country": "DE"}


class TestAirportPillow(PillowContract):
    pillow = AirportPillow
    documents = (PARIS, NICE, BERLIN)


class TestFrenchAirportPillow(PillowContract):
    pillow = FrenchAirportPillow
    documents = (PARIS, NICE)
    refused = (BERLIN,)


ROWS: dict[str, Any] = {}
SEEN: list[str] = []


class RowPillow(BasicPillow):
    """Delivers into a dict that stands for somebody's table."""

    couch_db = "orders"

    def change_transform(self, document):
        return {**document, "total": document["n"] * 2} if "n" in document else None

    def change_transport(self, document):
        ROWS[document["_id"]] = document["total"]

    def change_delete(self, change):
        ROWS.pop(change.id, None)


class OfRows(PillowContract):
    pillow = RowPillow
    documents = ({"_id": "a", "n": 1}, {"_id": "b", "n": 2}, {"_id": "c", "n": 3})
    refused = ({"_id": "x"},)

    def state(self):
        return ROWS


class TestRowPillow(OfRows):
    pass


class LoadingPillow(RowPillow):
    include_docs = False


class TestPillowThatLoads(OfRows):
    pillow = LoadingPillow


class PlainPillow(ElasticPillow):
    couch_db = "orders"
    es_index = "orders"


class TestElasticPillow(PillowContract):
    pillow = PlainPillow
    documents = ({"_id": "a", "n": 1}, {"_id": "b", "n": 2})


class SinglePillow(PlainPillow):
    """Delivers one at a time, through a hook of its own."""

    def change_transport(self, document):
        super().change_transport({**document, "more": 1})


class TestElasticPillowWithAHook(TestElasticPillow):
    pillow = SinglePillow


class StablePillow(PythonPillow, PlainPillow):
    selection_is_stable = True

    def python_filter(self, document):
        return document["n"] > 0


class TestStableSelection(TestElasticPillow):
    pillow = StablePillow
    refused = ({"_id": "c", "n": 0},)


class TestOptions(TestElasticPillow):
    def make_pillow(self):
        pillow = super().make_pillow()
        pillow.es_index = "another"
        return pillow

    def test_it_is_made_as_asked_for(self):
        with self._rehearsing():
            assert list(self.elasticsearch.aliases()) == ["another"]


class MonthPillow(PythonPillow, PlainPillow):
    es_routing = "n"

    def python_filter(self, document):
        return document["n"] > 0

    def change_transform(self, document):
        document["in"] = document.pop("month")
        return document

    def target_for(self, change):
        return f"orders_{change.document['month']}", None


class TestSeveralIndices(PillowContract):
    pillow = MonthPillow
    documents = ({"_id": "a", "n": 1, "month": "10"}, {"_id": "b", "n": 2, "month": "11"})
    refused = ({"_id": "c", "n": 0, "month": "10"},)

    def test_a_document_that_moves_stands_once(self):
        with self._rehearsing() as rehearsal:
            database = self._database(self.documents)
            rehearsal.follow(database)
            database.put({"_id": "a", "n": 1, "month": "11"})
            rehearsal.follow(database)
            assert self.state().keys() == {"orders_11/a", "orders_11/b"}


# Pillows with mistakes.


@pytest.fixture(autouse=True)
def clean():
    yield
    ROWS.clear()
    SEEN.clear()


def broken(rule, **attributes):
    """What is said of a RowPillow whose hooks are replaced."""
    of_contract = {key: attributes.pop(key) for key in list(attributes)
                   if key in ("documents", "refused", "state", "pillow")}  # fmt: skip
    kind = type("RowPillow", (RowPillow,), {**attributes, "__module__": __name__})
    contract = type("TestRows", (OfRows,), {"pillow": kind, **of_contract})()
    with pytest.raises(AssertionError) as raised:
        getattr(contract, rule)()
    return str(raised.value)


def append(_self, document):
    ROWS.setdefault(document["_id"], []).append(document["total"])


def test_a_transport_that_adds():
    words = broken("test_the_same_change_twice_gives_the_same_state", change_transport=append)
    assert "delivered a second time, change the target:\n    'a': [2] became [2, 2]\n" in words
    assert "write by the document's id" in words


def test_a_transport_that_adds_is_found_by_a_replay():
    words = broken("test_a_replay_gives_the_same_state", change_transport=append)
    assert "from 0 changes the target" in words
    assert "last state alone" in words


def test_a_change_delete_that_was_forgotten():
    words = broken("test_deleted_documents_are_removed", change_delete=BasicPillow.change_delete)
    assert "document 'a' was deleted" in words
    assert "'a': nothing became 2" in words
    assert "Implement change_delete(change)" in words


def test_a_change_delete_that_does_not_bear_repetition():
    words = broken(
        "test_deleted_documents_are_removed",
        change_delete=lambda _self, change: ROWS.pop(change.id),
    )
    assert "document 'a' would become a dead letter: KeyError: 'a'" in words
    assert "Traceback" in words


def test_a_change_delete_that_goes_by_the_row():
    """It removes what is deleted, and not what is refused."""

    def change_delete(_self, change):
        if change.deleted:
            ROWS.pop(change.id, None)

    words = broken("test_refused_documents_are_removed", change_delete=change_delete)
    assert "document 'x' was taken before and is refused now" in words
    assert "selection_is_stable" in words


def test_a_document_that_is_not_refused():
    words = broken("test_refused_documents_are_removed", refused=({"_id": "x", "n": 1},))
    assert "document 'x' stands in `refused`, and it changes the target" in words


def test_a_document_that_is_not_taken():
    words = broken("test_documents_are_delivered", filter=lambda _self, change: change.id != "b")
    assert "document 'b' is delivered, and the target is as it was" in words


def test_a_target_where_the_last_one_wins():
    words = broken(
        "test_order_does_not_matter",
        change_transport=lambda _self, document: ROWS.update(last=document["total"]),
        change_delete=lambda _self, change: ROWS.clear(),
    )
    assert "in the order 'c', 'b', 'a'" in words
    assert "'last': 6 became 2" in words


def test_a_target_where_the_first_one_wins():
    words = broken(
        "test_order_does_not_matter",
        change_transport=lambda _self, document: ROWS.setdefault("first", document["total"]),
        change_delete=lambda _self, change: ROWS.clear(),
    )
    assert "'first': 2 became 6" in words


def test_deletions_that_leave_something_behind():
    words = broken(
        "test_order_does_not_matter", change_delete=lambda _self, change: ROWS.update(gone=True)
    )
    assert "all documents were deleted" in words


def test_a_transform_that_fills_a_list_of_the_module():
    def change_transform(_self, document):
        SEEN.append(document["_id"])
        return document

    words = broken("test_hooks_leave_shared_state_alone", change_transform=change_transform)
    assert "'tests.testing.test_contract.SEEN': [] became ['a', 'b', 'c', 'x']" in words
    assert "keep nothing between" in words


def test_a_filter_that_fills_a_set_of_the_class():
    def filter_(self, change):
        self.known.add(change.id)
        return True

    words = broken("test_hooks_leave_shared_state_alone", filter=filter_, known=set())
    assert "RowPillow.known': set() became {" in words


def test_a_transform_that_gives_a_list():
    words = broken(
        "test_transforms_give_a_dict_or_none", change_transform=lambda _self, document: [document]
    )
    assert "change_transform gives [{" in words
    assert "for document 'a': return a dict" in words


@pytest.mark.parametrize("value", [object(), {1, 2, object()}, {object(): 1}])
def test_a_transform_that_gives_no_json(value):
    words = broken(
        "test_transforms_give_a_dict_or_none", change_transform=lambda _self, document: {"x": value}
    )
    assert "for document 'a' is no JSON" in words


def test_a_transform_that_counts():
    numbers = itertools.count()
    words = broken(
        "test_transforms_do_not_depend_on_order",
        change_transform=lambda _self, document: {"n": next(numbers)},
    )
    assert "look at its document alone" in words


def test_a_transform_that_raises():
    words = broken(
        "test_documents_are_delivered", change_transform=lambda _self, document: document["missing"]
    )
    assert words == "document 'a' fails at transform: KeyError: 'missing'"


def test_a_filter_that_raises():
    words = broken(
        "test_transforms_give_a_dict_or_none", filter=lambda _self, change: change.document["no"]
    )
    assert words == "document 'a' fails at filter: KeyError: 'no'"


def test_a_transport_that_waits_for_ever():
    def change_transport(_self, document):
        raise TransientError("the shop is closed")

    words = broken("test_documents_are_delivered", change_transport=change_transport)
    assert "'a' is tried again and again: TransientError: the shop is closed" in words


def test_a_target_that_is_down():
    def deliver(items):
        raise TransientError("down")

    class Pillow(RowPillow):
        def get_transport(self):
            transport = super().get_transport()
            transport.deliver = deliver
            return transport

    assert "again and again: down" in broken("test_documents_are_delivered", pillow=Pillow)


def test_a_document_that_the_index_refuses():
    class Pillow(AliasedElasticPillow):
        couch_db = es_alias = "orders"
        default_mapping = {"properties": {"n": {"type": "long"}}}  # noqa: RUF012

    words = broken(
        "test_documents_are_delivered", pillow=Pillow,
        documents=({"_id": "a", "n": 1}, {"_id": "b", "n": "two"}), state=PillowContract.state,
    )  # fmt: skip
    assert "'b' would become a dead letter: document_parsing_exception" in words
    assert "[n]" in words


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"pillow": None}, "set `pillow` in TestRows to the class of a pillow, not to None"),
        ({"pillow": Change}, "set `pillow`"),
        ({"documents": ({"_id": "a"},)}, "two or more `documents`"),
        ({"documents": ({"_id": "a"}, {"_id": "a"})}, "an `_id` of its own, not ['a', 'a', 'x']"),
        ({"documents": ({"_id": "a"}, {})}, "`_id`"),
        ({"state": PillowContract.state}, "override state() in TestRows"),
    ],
)
def test_mistakes_in_the_contract_itself(attributes, words):
    assert words in broken("test_documents_are_delivered", **attributes)


def test_dates_are_json():
    class Dated(RowPillow):
        def change_transform(self, document):
            return {"day": dt.date(2020, 1, 1)}

    contract = type("TestRows", (OfRows,), {"pillow": Dated})()
    contract.test_transforms_give_a_dict_or_none()


def test_differences_are_short():
    words = differences(dict.fromkeys(range(9)), {"x": "y" * 400, **dict.fromkeys(range(1))})
    assert len(words.splitlines()) == 6
    assert words.endswith("and 4 more")
    assert differences([1], [2]) == "    [1]\n    became [2]"
    assert len(differences(["x" * 400], [])) < 400


def test_what_cannot_be_copied_is_not_compared():
    class Holder(RowPillow):
        locks = [threading.Lock()]  # noqa: RUF012
        names = ["a"]  # noqa: RUF012

    names = {name.rpartition(".")[2] for name in shared_state(Holder)}
    assert "names" in names
    assert "locks" not in names


def test_a_document_that_stands_in_the_target_from_before():
    """Or a deletion that does nothing would look as if it had worked."""
    ROWS.update(a=2)
    words = broken("test_deleted_documents_are_removed", change_delete=BasicPillow.change_delete)
    assert "document 'a' is delivered, and the target is as it was" in words
    assert "stood there from before" in words
