"""docs/reference/stats-http.md says what there is."""

from __future__ import annotations

from pillowtop.stats.http.described import PROBLEMS
from pillowtop.stats.http.formats import TYPES
from pillowtop.stats.http.parameters import CACHE_BUSTER, RowsAsked
from tests.project.pages import DOCS, names

PAGE = "reference/stats-http.md"


def test_parameters_are_documented():
    assert names(PAGE, "## Parameters") == {*RowsAsked.model_fields, CACHE_BUSTER}


def test_types_are_documented():
    text = (DOCS / PAGE).read_text()
    assert all(f"`{one}`" in text for types in TYPES.values() for one in types)


def test_statuses_of_errors_are_documented():
    text = (DOCS / PAGE).read_text().partition("\n## Errors\n")[2]
    assert all(f"| {status} | " in text for status in PROBLEMS)


def test_headers_are_documented(client, volume):
    response = client.get("/stats/volume-1m?count=true")
    ours = set(response.headers) - {"Content-Type", "Content-Length", "X-Content-Type-Options"}
    assert names(PAGE, "## Headers") == ours
