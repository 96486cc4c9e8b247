"""The parameters of requests: their types, for the views and for the OpenAPI description."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Schema
from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from pillowtop.conf import suggestion
from pillowtop.stats.http.cursors import read_cursor
from pillowtop.stats.http.problems import bad_parameters
from pillowtop.stats.http.times import parse_time
from pillowtop.stats.records.pages import Place

MOST = 2**31 - 1
CACHE_BUSTER = "_"
"""jQuery adds it to JSONP."""

OUR_WAY = {
    "page": "pages are turned by the addresses in the Link header",
    "paginate": "all answers are paged: rows_per_page says how long a page is",
}
"""What statscache had, and where it went."""

TIME_SCHEMA = {
    "anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}],
    "examples": [1438992000.5, "2015-08-08T00:00:00Z"],
}

Time = Annotated[datetime, PlainValidator(parse_time), WithJsonSchema(TIME_SCHEMA)]
Cursor = Annotated[
    Place, PlainValidator(read_cursor), WithJsonSchema({"type": "string", "format": "cursor"})
]
Name = r"[A-Za-z_$][A-Za-z0-9_$]*"
Callback = Annotated[str, StringConstraints(pattern=rf"^{Name}(\.{Name})*$", max_length=100)]
Category = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1000)]


class CallbackAsked(Schema):
    """What an answer in JSON may be wrapped in."""

    callback: Callback | None = Field(
        None, description="JSONP: the function that gets the answer; for public statistics only"
    )


class RowsAsked(CallbackAsked):
    """Which rows, in which order, how many at a time."""

    order: Literal["asc", "desc"] = Field("desc", description="by time; newest first by default")
    start: Time | None = Field(None, description="rows whose windows end then, or later")
    stop: Time | None = Field(
        None, description="rows whose windows end then, or earlier; now by default"
    )
    category: Category | None = Field(None, description="rows of this category alone")
    rows_per_page: int | None = Field(
        None, ge=1, le=MOST, description="the setting MAX_ROWS says how many there may be"
    )
    limit: int | None = Field(None, ge=1, le=MOST, description="so many rows on all pages at most")
    cursor: Cursor | None = Field(None, description="a place among the rows, from a Link header")
    count: bool = Field(False, description="say in X-Link-Count how many pages there are")


def demand_known(request: HttpRequest, known: Collection[str]) -> None:
    """Raise `Problem` for a parameter that nobody looks at, and for one that is given twice."""
    given: Mapping[str, Any] = dict(request.GET.lists())
    errors = []
    for name, values in given.items():
        if name == CACHE_BUSTER:
            continue
        if name not in known:
            errors.append((name, _unknown(name, known)))
        elif len(values) > 1:
            errors.append((name, "is given more than once"))
    if errors:
        raise bad_parameters(errors)


def _unknown(name: str, known: Collection[str]) -> str:
    if name in OUR_WAY and "cursor" in known:
        return f"there is no such parameter: {OUR_WAY[name]}"
    there_are = f"there are {', '.join(sorted(known))}"
    return f"there is no such parameter{suggestion(name, list(known))}; {there_are}"
