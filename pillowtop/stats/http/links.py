"""Addresses: of other pages with the same filters, and of other formats."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpRequest, QueryDict
from django.utils.encoding import escape_uri_path

from pillowtop.stats.http.cursors import write_cursor
from pillowtop.stats.http.formats import SUFFIXES
from pillowtop.stats.http.parameters import CACHE_BUSTER
from pillowtop.stats.records.pages import Page, Place


class Links:
    """Those of one request for rows. `stop` of the first page holds for all."""

    def __init__(self, request: HttpRequest, stop: str) -> None:
        self._request = request
        self._stop = stop

    def of_pages(self, page: Page) -> dict[str, str]:
        """By their relation."""
        links = {"first": self.at(None)}
        if page.fewer and (start := page.start):
            links["previous"] = self.at(start)
        if page.more and (end := page.end):
            links["next"] = self.at(end)
        return links

    def at(self, place: Place | None) -> str:
        """This address, at another place."""
        query = self._kept()
        query["stop"] = self._stop
        query.pop("cursor", None)
        if place is not None:
            query["cursor"] = write_cursor(place)
        return self._absolute(self._request.path, query)

    def of_formats(self, ident: str) -> dict[str, str]:
        """The same rows in each format."""
        query = self._kept()
        query.pop("callback", None)
        folder = self._request.path.rpartition("/")[0]
        return {
            suffix.upper(): self._absolute(f"{folder}/{ident}.{suffix}", query)
            for suffix in SUFFIXES
        }

    def _kept(self) -> QueryDict:
        query = self._request.GET.copy()
        query.pop(CACHE_BUSTER, None)
        return query

    def _absolute(self, path: str, query: QueryDict) -> str:
        asked = query.urlencode()
        return self._request.build_absolute_uri(escape_uri_path(path) + (asked and f"?{asked}"))


def link_header(links: dict[str, str]) -> str:
    return ", ".join(f'<{address}>; rel="{relation}"' for relation, address in links.items())


def addresses_of(request: HttpRequest, ident: str, *, layout: bool) -> dict[str, str]:
    """Where a statistic is found, as the index says it."""
    base = request.build_absolute_uri(f"./{quote(ident, safe='')}")
    found = {"rows": base}
    if layout:
        found["layout"] = f"{base}/layout"
    return found | {suffix: f"{base}.{suffix}" for suffix in SUFFIXES}
