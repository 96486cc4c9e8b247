"""The statistics that there are, as one client may see them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html

from pillowtop.conf import suggestion
from pillowtop.stats import intervals
from pillowtop.stats.http.access import demand_access, refusal
from pillowtop.stats.http.links import addresses_of
from pillowtop.stats.http.problems import Problem
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.registry import plugins
from pillowtop.stats.rendering import as_html
from pillowtop.stats.rendering.values import utc


def readable_plugins(request: HttpRequest, callback: str | None) -> dict[str, type[Plugin]]:
    """By their idents; to JSONP there are only those that are public. Raises `Problem`."""
    known = plugins()
    public = {ident: kind for ident, kind in known.items() if kind.public}
    if callback is not None:
        return public
    words = refusal(request)
    if words and not public:
        raise Problem(HTTPStatus.FORBIDDEN, words)
    return public if words else known


def readable_plugin(request: HttpRequest, ident: str, callback: str | None) -> type[Plugin]:
    """Raises `Problem`; whoever may not read learns nothing of what there is."""
    known = plugins()
    kind = known.get(ident)
    demand_access(request, kind)
    if kind is None:
        words = f"no statistic is called {ident!r}{suggestion(ident, list(known))}"
        raise Problem(HTTPStatus.NOT_FOUND, words)
    if callback is not None and not kind.public:
        words = (
            f"{ident} is not public, so pages of other hosts may not read it: leave callback out"
        )
        raise Problem(HTTPStatus.FORBIDDEN, words)
    return kind


def entry_of(request: HttpRequest, ident: str, kind: type[Plugin]) -> dict[str, Any]:
    """What the index says of a statistic."""
    newest = kind.latest()
    return {
        "ident": ident,
        "name": kind.name,
        "summary": kind.summary,
        "description": kind.description,
        "interval": intervals.shown(kind.interval),
        "interval_seconds": kind.interval.total_seconds(),
        "columns": kind.model.columns(),
        "public": bool(kind.public),
        "newest": None if newest is None else utc(newest),
        "addresses": addresses_of(request, ident, layout=kind.layout is not None),
    }


def index_page(entries: list[dict[str, Any]]) -> str:
    """The index for people."""
    lines = (
        (
            format_html('<a href="{}">{}</a>', one["addresses"]["html"], one["ident"]),
            one["summary"],
            one["interval"],
            one["newest"],
        )
        for one in entries
    )
    table = as_html.table(["statistic", "what it shows", "interval", "newest"], lines)
    return as_html.page("Statistics", table)
