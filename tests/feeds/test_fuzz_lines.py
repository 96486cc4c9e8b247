"""The rules of the parser, for what hypothesis makes; `make fuzz` has a fuzzer make it."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dev.fuzz import cases, examples, rules
from tests.fuzzing import cut, json_values, mutated, nested, objects

PAGES = list(examples.pages())
STREAMS = list(examples.streams())
KEYS = ["seq", "id", "changes", "deleted", "doc", "last_seq", "pending", "results", "error"]
REVISIONS = st.lists(objects(["rev"], st.text(max_size=4)), max_size=2)


def check(blocks, enveloped):
    smaller = [piece for block in blocks for piece in rules.pieces(block)]
    rules.check(smaller, enveloped=enveloped)


@pytest.mark.parametrize("case", list(cases.seeds()))
def test_what_the_fuzzer_starts_from(case):
    cases.Case.read(case).check()


@given(cut(mutated(PAGES)))
@example([b'{"results":[{"results":[{"id":"a"}],"last_seq":"5-g","pending":0}\n'])
@settings(deadline=None, max_examples=100)
def test_mutated_pages(blocks):
    check(blocks, enveloped=True)


@given(cut(mutated(STREAMS)))
@settings(deadline=None, max_examples=100)
def test_mutated_streams(blocks):
    check(blocks, enveloped=False)


@given(cut(st.binary()), st.booleans())
@settings(deadline=None)
def test_any_bytes(blocks, enveloped):
    check(blocks, enveloped)


@given(st.lists(objects(KEYS), min_size=1, max_size=4), st.sampled_from([",\n", ",", "\n"]))
@settings(deadline=None, max_examples=100)
def test_objects_of_any_form(rows, separator):
    body = separator.join(rows).encode(errors="surrogatepass")
    check([body], enveloped=False)
    check([b'{"results":[\n%b\n],\n"last_seq":1,"pending":0}\n' % body], enveloped=True)


@given(json_values, json_values, json_values)
@settings(deadline=None)
def test_rows_with_values_of_any_type(seq, deleted, doc):
    row = {"seq": seq, "id": "a", "changes": [], "deleted": deleted, "doc": doc}
    check([json.dumps(row).encode() + b"\n"], enveloped=False)


@pytest.mark.parametrize("depth", range(100, 1600, 100))
def test_rows_nested_deep(depth):
    for key in ("seq", "doc", "x"):
        row = f'{{"id":"a","{key}":{nested(depth)}}}\n'
        check([row.encode()], enveloped=False)
