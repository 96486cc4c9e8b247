from __future__ import annotations

import msgspec
import pytest

from pillowtop.changes import Change
from pillowtop.engine.items import Item
from pillowtop.engine.way import HookError, Packer, Way
from pillowtop.listener import BasicPillow, PythonPillow


class Target:
    """Packs into tuples that say what was packed."""

    batches_in_flight = 1
    decodes = False

    def pack(self, change, document, version):
        return Item(change.id, change.id, version, False, ("document", document), 1)

    def pack_bytes(self, change, version):
        return Item(change.id, change.id, version, False, ("bytes", bytes(change.doc)), 1)

    def pack_deletion(self, change, version):
        return Item(change.id, change.id, version, True, ("deletion",), 0)


def change(rev="2-b", doc=None, *, deleted=False, doc_id="a"):
    document = {"_id": doc_id, "_rev": rev, **(doc or {})}
    row = {"seq": "1-x", "id": doc_id, "changes": [{"rev": rev}], "doc": document}
    if deleted:
        row["deleted"] = True
    return msgspec.json.decode(msgspec.json.encode(row), type=Change)


def made(pillow, one):
    item = Packer(Way(pillow, BasicPillow), Target()).item(one, 7)
    return item.payload if item else None


class Plain(BasicPillow):
    pass


class Transforming(BasicPillow):
    def change_transform(self, document):
        return {**document, "total": 5} if document.get("keep", True) else None


class Filtering(BasicPillow):
    def filter(self, change):
        return change.id != "a"


class PythonFiltering(PythonPillow, BasicPillow):
    def python_filter(self, document):
        return document.get("country") == "FR"


class Triggering(BasicPillow):
    def change_trigger(self, change):
        return {"from": change.id}


class Stable(Filtering):
    selection_is_stable = True


def test_untouched_documents_stay_bytes():
    one = change()
    assert made(Plain(), one) == ("bytes", bytes(one.doc))


def test_a_transform_is_applied():
    document = made(Transforming(), change())[1]
    assert document == {"_id": "a", "_rev": "2-b", "total": 5}


def test_a_trigger_gives_the_document():
    assert made(Triggering(), change()) == ("document", {"from": "a"})


def test_a_python_filter_leaves_the_bytes_alone():
    one = change(doc={"country": "FR"})
    assert made(PythonFiltering(), one) == ("bytes", bytes(one.doc))


@pytest.mark.parametrize(
    ("pillow", "doc"),
    [(Filtering(), {}), (PythonFiltering(), {"country": "DE"}), (Transforming(), {"keep": False})],
)
def test_what_is_refused_may_stand_in_the_target_from_before(pillow, doc):
    assert made(pillow, change("2-b", doc)) == ("deletion",)


def test_a_first_revision_may_have_a_past_too():
    """After a conflict, under another filter, or in a database made again."""
    assert made(Filtering(), change("1-a")) == ("deletion",)


def test_a_stable_selection_has_none():
    assert made(Stable(), change("2-b")) is None


class StableInBoth(PythonFiltering):
    selection_is_stable = True

    def filter(self, change):
        return change.id != "b"

    def change_transform(self, document):
        document["seen"] = True
        return document


def test_a_stable_selection_can_be_asked_about_many_changes_at_once():
    way = Way(StableInBoth(), BasicPillow)
    assert way.leaves_out
    french = {"country": "FR"}
    changes = [
        change(doc_id="a", doc=french),
        change(doc_id="b", doc=french),
        change(doc_id="c"),
        change(doc_id="d", deleted=True),
        Change("not loaded"),
    ]
    assert [one.id for one in way.accepted(changes)] == ["a", "d", "not loaded"]


def test_who_was_accepted_is_not_asked_again():
    packer = Packer(Way(StableInBoth(), BasicPillow), Target())
    british = change(doc={"country": "GB"})
    assert packer.item(british, 7) is None
    assert packer.item(british, 7, accepted=True).payload[1]["country"] == "GB"


@pytest.mark.parametrize("kind", [PythonFiltering, Triggering, Plain])
def test_of_others_each_change_is_asked_about_by_itself(kind):
    assert not Way(kind(), BasicPillow).leaves_out


def test_a_document_that_others_see_too_is_not_changed():
    one = change(doc={"country": "FR"})
    item = Packer(Way(StableInBoth(), BasicPillow), Target(), shared=True).item(one, 7)
    assert item.payload[1]["seen"]
    assert "seen" not in one.document


@pytest.mark.parametrize("pillow", [Filtering(), PythonFiltering(), Stable(), Triggering()])
def test_deletions_are_not_asked_about(pillow):
    assert made(pillow, change("1-a", deleted=True)) == ("deletion",)


def test_design_documents_are_skipped_unless_asked_for():
    design = change(doc_id="_design/orders")
    assert Way(Plain(), BasicPillow).wanted([design]) == []

    class WithDesign(BasicPillow):
        include_design_docs = True

    assert Way(WithDesign(), BasicPillow).wanted([design]) == [design]


class Wrapped:
    def __init__(self, document):
        self.document = document

    @classmethod
    def wrap(cls, document):
        return cls(document)

    def to_json(self):
        return {**self.document, "wrapped": True}


def test_a_document_class_wraps_for_the_hooks_and_is_unwrapped_after_them():
    class Pillow(BasicPillow):
        document_class = Wrapped

        def change_transform(self, document):
            assert isinstance(document, Wrapped)
            return document

    assert made(Pillow(), change())[1]["wrapped"] is True


class Broken(PythonPillow, BasicPillow):
    stage = ""

    def _perhaps(self, stage):
        if self.stage == stage:
            raise ValueError(stage)

    def filter(self, change):
        self._perhaps("filter")
        return True

    def python_filter(self, document):
        self._perhaps("python_filter")
        return True

    def change_trigger(self, change):
        self._perhaps("trigger")
        return change.document

    def change_transform(self, document):
        self._perhaps("transform")
        return document


@pytest.mark.parametrize(
    ("broken", "stage"),
    [
        ("filter", "filter"),
        ("python_filter", "filter"),
        ("trigger", "trigger"),
        ("transform", "transform"),
    ],
)
def test_a_hook_that_raises_is_named(broken, stage):
    pillow = Broken()
    pillow.stage = broken
    with pytest.raises(HookError) as caught:
        made(pillow, change())
    assert caught.value.stage == stage
    assert isinstance(caught.value.cause, ValueError)
    assert caught.value.change.id == "a"


class Recording(BasicPillow):
    def __init__(self):
        super().__init__()
        self.calls = []

    def filter(self, change):
        return change.id != "refused"

    def change_transform(self, document):
        return {**document, "seen": True}

    def change_transport(self, document):
        self.calls.append(("transport", document))

    def change_delete(self, change):
        self.calls.append(("delete", change.id))


def test_process_change_is_the_whole_way():
    pillow = Recording()
    row = {"seq": "1", "id": "a", "changes": [{"rev": "1-a"}], "doc": {"_id": "a"}}
    pillow.process_change(row)
    pillow.process_change({**row, "deleted": True})
    pillow.process_change({**row, "id": "refused"})
    assert pillow.calls == [
        ("transport", {"_id": "a", "seen": True}),
        ("delete", "a"),
        ("delete", "refused"),
    ]


def test_process_change_raises_what_a_hook_raises():
    pillow = Broken()
    pillow.stage = "transform"
    with pytest.raises(ValueError, match="transform"):
        pillow.process_change(change())
