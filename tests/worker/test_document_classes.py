"""A couchdbkit database, its document class, and the letters of what is none: in a process."""

from __future__ import annotations

from tests.worker.test_bad_input import letters

WRAPPING = """
import couchdbkit
from jsonobject import DecimalProperty, JsonObject
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class Line(JsonObject):
    price = DecimalProperty(required=True)

class Order(couchdbkit.Document):
    number = couchdbkit.IntegerProperty(required=True)
    lines = couchdbkit.ListProperty(Line)

class OrderPillow(PythonPillow, AliasedElasticPillow):
    couch_db = couchdbkit.Server({server!r})[{database!r}]
    es_alias = {alias!r}
    document_class = Order
    include_docs = False

    def python_filter(self, order):
        return order.number != 5

    def change_transform(self, order):
        order.total = sum(line.price for line in order.lines)
        return order
"""


def test_wrapped_documents_are_delivered_and_the_others_are_letters(setup, database):
    pillow = WRAPPING.replace("{server!r}", repr(database.server))
    one = setup(pillow, COUCHDB_URL="http://127.0.0.1:9")
    line = {"price": "1.25"}
    database.put("good", doc_type="Order", number=1, lines=[line, line])
    database.put("refused", doc_type="Order", number=5)
    database.put("wrong", doc_type="Order", number="one")
    database.put("deep", doc_type="Order", number=2, lines=[line, {"price": "much"}])
    database.put("empty", doc_type="Order", lines=[])
    log = one.project.catch_up(code=4)
    documents = one.index.documents()
    assert documents.keys() == {"good"}
    assert documents["good"]["total"] == "2.50"
    found = {row["doc_id"]: row for row in letters(one)}
    assert found.keys() == {"wrong", "deep", "empty"}
    assert {row["stage"] for row in found.values()} == {"transform"}
    assert found["wrong"]["reason"].startswith("field 'number' of Order: 'one' not of type")
    assert found["deep"]["reason"].startswith("field 'lines[1].price' of Order: ")
    assert found["deep"]["error_type"] == "InvalidOperation"
    assert found["empty"]["reason"].startswith("field 'number' of Order: Property number is")
    assert "document 'wrong' failed at transform" in log
    assert "field 'number' of Order" in log
    database.put("wrong", doc_type="Order", number=3)
    one.project.catch_up(code=4)
    assert {row["doc_id"] for row in letters(one)} == {"deep", "empty"}
