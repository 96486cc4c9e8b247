"""The routes."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from django.apps import apps
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Path, Query
from ninja.errors import ValidationError

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.http import problems
from pillowtop.stats.http.answers import answer, etag_of
from pillowtop.stats.http.catalogue import (
    entry_of,
    index_page,
    readable_plugin,
    readable_plugins,
)
from pillowtop.stats.http.described import INDEX, LAYOUT, ROWS
from pillowtop.stats.http.formats import choose_format, offered_formats, split_suffix
from pillowtop.stats.http.listing import Listing
from pillowtop.stats.http.parameters import CallbackAsked, RowsAsked, demand_known
from pillowtop.stats.rendering.as_json import to_json

api = NinjaAPI(
    title="Statistics",
    description="Statistics by windows of time. Rows are labelled by the end of their window.",
    version="1",
    urls_namespace="pillowtop_stats",
    openapi_url="openapi.json",
    # The page comes from another host, unless "ninja" is installed and brings what it needs.
    docs_url="docs" if apps.is_installed("ninja") else None,
)
HANDLERS: dict[type[Exception], Any] = {
    problems.Problem: problems.on_problem,
    ValidationError: problems.on_invalid,
    SuspiciousOperation: problems.on_suspicious,
    DatabaseError: problems.on_database_error,
    InterfaceError: problems.on_database_error,
    ConfigurationError: problems.on_misconfigured,
}
for _error, _handler in HANDLERS.items():
    api.add_exception_handler(_error, _handler)


class View(Protocol):
    __name__: str

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse: ...


def _read(path: str, described: dict[str, Any]) -> Callable[[View], View]:
    """A route for GET, which the description shows, and for HEAD."""

    def add(view: View) -> View:
        api.get(path, operation_id=view.__name__, openapi_extra=described)(view)
        api.api_operation(["HEAD"], path, include_in_schema=False)(view)
        return view

    return add


@_read("", INDEX)
def index(request: HttpRequest, asked: Query[CallbackAsked]) -> HttpResponse:
    """The statistics that you may read: what they are, how new, and where."""
    demand_known(request, CallbackAsked.model_fields)
    readable = readable_plugins(request, asked.callback)
    chosen = choose_format(request, offered_formats(["json", "html"], asked.callback), None)
    entries = [entry_of(request, ident, kind) for ident, kind in readable.items()]
    return answer(
        request,
        chosen,
        lambda: index_page(entries) if chosen.name == "html" else to_json(entries),
        etag_of((chosen, asked, entries)),
        public=False,
        callback=asked.callback,
    )


@_read("{ident}", ROWS)
def rows(request: HttpRequest, ident: Path[str], asked: Query[RowsAsked]) -> HttpResponse:
    """The rows of a statistic, a page at a time: Link headers say where the others are."""
    ident, suffix = split_suffix(ident)
    kind = readable_plugin(request, ident, asked.callback)
    demand_known(request, RowsAsked.model_fields)
    offered = offered_formats(["json", "html", "csv", "svg"], asked.callback)
    return Listing(request, kind, asked, choose_format(request, offered, suffix)).answer()


@_read("{ident}/layout", LAYOUT)
def layout(request: HttpRequest, ident: Path[str], asked: Query[CallbackAsked]) -> HttpResponse:
    """How to show a statistic, as its plugin says it: any JSON."""
    kind = readable_plugin(request, ident, asked.callback)
    demand_known(request, CallbackAsked.model_fields)
    if kind.layout is None:
        raise problems.Problem(HTTPStatus.NOT_FOUND, f"{ident} has no layout")
    chosen = choose_format(request, offered_formats(["json"], asked.callback), None)
    body = to_json(kind.layout)
    return answer(
        request,
        chosen,
        lambda: body,
        etag_of((chosen, asked, body)),
        public=kind.public,
        callback=asked.callback,
    )
