from __future__ import annotations

import pytest

from pillowtop.elastic.mappings import field_types, missing_properties
from pillowtop.exceptions import TargetUnusable

LONG, TEXT, KEYWORD = ({"type": kind} for kind in ("long", "text", "keyword"))


def fields(**properties):
    return {"properties": properties}


def missing(declared, existing):
    return missing_properties("orders", declared, existing)


def test_field_types():
    mapping = fields(a=fields(**{"b.c": LONG}), n={"type": "nested", **fields(x=TEXT)})
    assert dict(field_types(mapping)) == {
        "a": "object",
        "a.b": "object",
        "a.b.c": "long",
        "n": "nested",
        "n.x": "text",
    }


@pytest.mark.parametrize(
    ("declared", "existing"),
    [
        (fields(), {}),
        (fields(a=LONG), fields(a=LONG, b=TEXT)),
        (fields(**{"a.b": LONG}), fields(a=fields(b=LONG))),
        (fields(a={"type": "object", "enabled": False}), fields(a={"enabled": False})),
        (fields(_rev=KEYWORD), fields(_rev=TEXT)),
    ],
)
def test_nothing_is_missing(declared, existing):
    assert missing(declared, existing) == {}


@pytest.mark.parametrize(
    ("declared", "existing"),
    [
        (fields(a=LONG), {}),
        (fields(a=LONG, b=TEXT), fields(a=LONG)),
        (fields(a=fields(b=LONG)), fields(a=fields(c=LONG))),
    ],
)
def test_something_is_missing(declared, existing):
    assert missing(declared, existing) == declared["properties"]


def test_a_rev_that_is_there_is_not_put_again():
    assert missing(fields(_rev=KEYWORD, a=LONG), fields(_rev=TEXT)) == {"a": LONG}


@pytest.mark.parametrize(
    ("declared", "existing", "words"),
    [
        (fields(a=LONG), fields(a=TEXT), "'a' of index 'orders' has the type text, .*long"),
        (fields(a=LONG), fields(a=fields(b=LONG)), "'a' .*object, .*long"),
        (fields(**{"a.b": LONG}), fields(a=fields(b=TEXT)), r"'a\.b' .*text, .*long"),
    ],
)
def test_contradictions(declared, existing, words):
    with pytest.raises(TargetUnusable, match=words):
        missing(declared, existing)
