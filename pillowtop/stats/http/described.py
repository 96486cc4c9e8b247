"""What the OpenAPI description says of answers; parameters it takes from their types."""

from __future__ import annotations

from typing import Any

from pillowtop.stats.http.formats import TYPES
from pillowtop.stats.http.problems import PROBLEM

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "string", "pattern": "^[0-9]+$"}

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["parameter", "detail"],
                "properties": {"parameter": TEXT, "detail": TEXT},
            },
        },
    },
}

ENTRY_SCHEMA: dict[str, Any] = {
    "title": "Statistic",
    "type": "object",
    "required": ["ident", "name", "summary", "interval", "newest", "addresses"],
    "properties": {
        "ident": TEXT,
        "name": TEXT,
        "summary": TEXT,
        "description": TEXT,
        "interval": TEXT,
        "interval_seconds": {"type": "number"},
        "columns": {"type": "array", "items": TEXT},
        "public": {"type": "boolean"},
        "newest": {"type": ["string", "null"], "format": "date-time"},
        "addresses": {"type": "object", "additionalProperties": TEXT},
    },
}

ROW_SCHEMA: dict[str, Any] = {
    "title": "Row",
    "description": "All columns of the statistic's model; timestamp is the end of the window.",
    "type": "object",
    "required": ["timestamp"],
    "properties": {"timestamp": {"type": "string", "format": "date-time"}},
}

ETAG = {"ETag": {"description": "For If-None-Match.", "schema": TEXT}}
PAGING = {
    "Link": {"description": "first, previous, next; they keep all filters.", "schema": TEXT},
    "X-Link-Number": {"description": "The number of this page.", "schema": NUMBER},
    "X-Link-Count": {"description": "How many pages there are, with count.", "schema": NUMBER},
}

PROBLEMS = {
    400: "A parameter is wrong.",
    403: "You may not read this.",
    404: "There is no such thing.",
    405: "Statistics are only read.",
    406: "There is none of the types that you accept.",
    503: "The database does not answer.",
}


def _answers(
    schema: dict[str, Any],
    formats: tuple[str, ...],
    *,
    headers: dict[str, Any] | None = None,
    absent: tuple[int, ...] = (),
) -> dict[str, Any]:
    """All answers of a route, as `openapi_extra`."""
    content = {
        one: {"schema": schema if name == "json" else TEXT}
        for name in formats
        for one in TYPES[name]
    }
    found = {200: {"description": "OK", "content": content, "headers": ETAG | (headers or {})}}
    return {
        "responses": {**found, 304: {"description": "You have it already."}} | _problems(absent)
    }


def _problems(absent: tuple[int, ...]) -> dict[int, Any]:
    content = {PROBLEM: {"schema": PROBLEM_SCHEMA}}
    return {
        status: {"description": words, "content": content}
        for status, words in PROBLEMS.items()
        if status not in absent
    }


INDEX = _answers({"type": "array", "items": ENTRY_SCHEMA}, ("json", "html", "jsonp"), absent=(404,))
ROWS = _answers(
    {"type": "array", "items": ROW_SCHEMA},
    ("json", "html", "csv", "svg", "jsonp"),
    headers=PAGING,
)
LAYOUT = _answers({"description": "Any JSON."}, ("json", "jsonp"))
