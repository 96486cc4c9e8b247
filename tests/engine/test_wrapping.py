"""Documents of real classes, and the letters of those that are none."""

from __future__ import annotations

import datetime as dt
import warnings
from decimal import Decimal

import msgspec
import pytest
from jsonobject import (
    DateProperty,
    DateTimeProperty,
    DecimalProperty,
    DictProperty,
    IntegerProperty,
    JsonObject,
    ListProperty,
    ObjectProperty,
    StringProperty,
)

from pillowtop.changes import Change
from pillowtop.engine.way import HookError, Way
from pillowtop.listener import BasicPillow, PythonPillow

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the client below it
    from couchdbkit import Document, DocumentSchema


class Line(JsonObject):
    _allow_dynamic_properties = False
    price = DecimalProperty(required=True)


class Address(JsonObject):
    town = StringProperty(required=True)


class Invoice(JsonObject):
    _allow_dynamic_properties = False
    amount = IntegerProperty(required=True)
    paid_at = DateTimeProperty()
    day = DateProperty()
    total = DecimalProperty()
    lines = ListProperty(Line)
    prices = DictProperty(Line)
    state = StringProperty(choices=["open", "paid"], name="status")
    address = ObjectProperty(Address)

    @property
    def doubled(self):
        return self.amount * 2


class Customer(DocumentSchema):
    name = StringProperty(required=True)


class Order(Document):
    amount = IntegerProperty(required=True)
    customer = ObjectProperty(Customer)


class Paid(Order):
    class Meta:
        pass

    @classmethod
    def wrap(cls, document):
        return super().wrap(document) if document.get("doc_type") == "Paid" else None


class Moody(JsonObject):
    @classmethod
    def wrap(cls, document):
        raise LookupError("not today")


GOOD = {"_id": "a", "_rev": "1-a", "amount": 1, "address": {"town": "Leeds"}}


def delivered(kind, document, *, transform=None, python_filter=None):
    class Pillow(PythonPillow, BasicPillow):
        document_class = kind

        def python_filter(self, document):
            return python_filter(document) if python_filter else True

        def change_transform(self, document):
            return transform(document) if transform else document

    row = {"id": "a", "changes": [{"rev": "1-a"}], "doc": document}
    change = msgspec.json.decode(msgspec.json.encode(row), type=Change)
    return Way(Pillow(), BasicPillow).document(change)


def refusal(kind, document, **options):
    with pytest.raises(HookError) as caught:
        delivered(kind, document, **options)
    assert caught.value.stage == "transform"
    return str(caught.value)


def test_hooks_get_the_class_and_its_json_is_delivered():
    def transform(invoice):
        assert isinstance(invoice, Invoice)
        assert invoice.paid_at == dt.datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001
        assert invoice.day == dt.date(2024, 1, 2)
        assert invoice.lines[0].price == Decimal("1.50")
        invoice.total = invoice.lines[0].price * 2
        return invoice

    given = {
        **GOOD,
        "paid_at": "2024-01-02T03:04:05Z",
        "day": "2024-01-02",
        "lines": [{"price": "1.50"}],
        "status": "paid",
    }
    got = delivered(Invoice, given, transform=transform, python_filter=lambda one: one.amount == 1)
    assert got == {**given, "total": "3.00", "prices": {}}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": None}, "field 'amount' of Invoice: Property amount is required."),
        ({"amount": "x"}, "field 'amount' of Invoice: 'x' not of type"),
        ({"amount": 1.5}, "field 'amount' of Invoice: 1.5 not of type"),
        ({"odd": 1}, "field 'odd' of Invoice: Invoice has no such property"),
        ({"doubled": 1}, "field 'doubled' of Invoice: Invoice has no such property"),
        ({"paid_at": "soon"}, "field 'paid_at' of Invoice: 'soon' is not a datetime-formatted"),
        ({"day": 5}, "field 'day' of Invoice: 5 is not a date-formatted string"),
        ({"total": "x"}, "field 'total' of Invoice: [<class 'decimal.ConversionSyntax'>] (it is"),
        ({"status": "z"}, "field 'status' of Invoice: 'z' not in choices"),
        ({"lines": [{"price": 1}, {"price": "x"}]}, "field 'lines[1].price' of Invoice: "),
        ({"lines": [{}]}, "field 'lines[0].price' of Invoice: Property price is required."),
        (
            {"lines": [{"price": "1", "odd": 1}]},
            "field 'lines[0].odd' of Invoice: Line has no such property",
        ),
        ({"lines": 5}, "field 'lines' of Invoice: JsonArray must wrap a list or None. Found"),
        ({"prices": {"x": {"price": []}}}, "field 'prices.x.price' of Invoice: "),
        ({"address": {}}, "field 'address.town' of Invoice: Property town is required."),
        ({"address": "Leeds"}, "field 'address' of Invoice: JsonObject must wrap a dict or None."),
    ],
)
def test_the_field_that_is_refused_is_named(fields, words):
    assert refusal(Invoice, {**GOOD, **fields}).startswith(words)


@pytest.mark.parametrize(("missing", "field"), [("amount", "amount"), ("address", "address.town")])
def test_a_missing_field_is_named(missing, field):
    given = {key: value for key, value in GOOD.items() if key != missing}
    assert refusal(Invoice, given).startswith(f"field {field!r} of Invoice: Property ")


def test_of_two_that_are_wrong_it_is_the_one_that_was_refused():
    given = {"lines": [{"price": "1"}], "day": "soon", **GOOD, "amount": "x"}
    assert "field 'day' of Invoice: 'soon'" in refusal(Invoice, given)


def test_couchdbkits_documents():
    given = {"_id": "a", "_rev": "1-a", "doc_type": "Order", "amount": 1, "free": [1]}
    got = delivered(Order, {**given, "customer": {"name": "N"}})
    assert got == {**given, "customer": {"doc_type": "Customer", "name": "N"}}
    # It asks for what is required only when it writes the document: so do we.
    assert refusal(Order, {**given, "customer": {}}).startswith(
        "field 'customer.name' of Order: Property name is required."
    )
    assert refusal(Order, {**given, "amount": "x"}).startswith("field 'amount' of Order: 'x'")


def test_a_required_field_may_be_filled_in_by_a_hook():
    def transform(order):
        order.amount, order.customer.name = 5, "N"
        return order

    assert delivered(Order, {"_id": "a"}, transform=transform)["amount"] == 5


def test_another_doc_type_is_wrapped_as_couchdbkit_wraps_it():
    got = delivered(Order, {"doc_type": "Car", "amount": 1, "customer": {"name": "N"}})
    assert got["doc_type"] == "Car"


def test_a_class_may_answer_none():
    def unasked(_):
        raise AssertionError

    assert delivered(Paid, {"doc_type": "Order"}, python_filter=unasked, transform=unasked) is None
    assert delivered(Paid, {"doc_type": "Paid", "amount": 1, "customer": {"name": "N"}})


def test_an_error_that_is_no_fields_names_the_class():
    assert refusal(Moody, {"_id": "a"}) == "Moody: not today"


def test_what_a_hook_spoils_is_named():
    def transform(invoice):
        invoice.lines[0]._obj["price"] = None
        invoice.lines[0]._wrapped["price"] = None
        return invoice

    words = refusal(Invoice, {**GOOD, "lines": [{"price": "1"}]}, transform=transform)
    assert words.startswith("field 'lines[0].price' of Invoice: Property price is required.")
