from __future__ import annotations

from types import SimpleNamespace

import pytest

from pillowtop.engine.comparing import Sight, Standing
from pillowtop.verification import verifier as module
from pillowtop.verification.verifier import Verifier


def missing(doc_id):
    return Sight(doc_id, Standing(doc_id, "1-a", doc_id), ())


def there(doc_id):
    standing = Standing(doc_id, "1-a", doc_id)
    return Sight(doc_id, standing, (standing,))


class Scripted:
    """Sides, scope and standpoint: `b` is delivered late, and `a` goes through meanwhile."""

    pillow = SimpleNamespace(name="OrderPillow", on_error="letter")
    transport = SimpleNamespace(identity=lambda: "index")
    holdings = SimpleNamespace(refresh=lambda: None)
    expectations = SimpleNamespace(design_documents=0)
    is_filtered = False

    def __init__(self):
        self.looks = 0

    def unequal(self, _sides):
        return [missing("a"), missing("b")]

    def sights_of(self, doc_ids):
        self.looks += 1
        return [missing(one) if self.looks == 1 else there(one) for one in doc_ids]

    def changed_since(self, _seq):
        return [[SimpleNamespace(id="b")]] if self.looks == 1 else []

    def delivered_to(self, _target):
        return "1"

    def is_run(self):
        return True

    def have_letters(self, doc_ids):
        return {"a"} & set(doc_ids) if self.looks == 1 else set()


@pytest.fixture
def scripted(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    return Scripted()


def test_what_has_a_letter_when_it_differs_is_no_difference_later(scripted):
    with Verifier(scripted, scripted, 5.0) as verifier:
        verifier.compare(scripted)
        verdict = verifier.verdict(2)
    assert (verdict.differences, verdict.letters, verdict.backlog) == (0, 1, 0)
