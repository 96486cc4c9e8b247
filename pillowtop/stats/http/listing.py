"""The rows that a request asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from itertools import chain
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.http.answers import answer, etag_of
from pillowtop.stats.http.formats import Format
from pillowtop.stats.http.links import Links, link_header
from pillowtop.stats.http.parameters import RowsAsked
from pillowtop.stats.http.problems import Problem, bad_parameters
from pillowtop.stats.http.times import written
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.records.pages import Book, Page, Place

CHARTED = frozenset({"svg", "html"})
"""Formats with a chart: a short page is no picture, so by default theirs is as long as may be."""


class Listing:
    """One request for rows of a statistic. Raises `Problem` where it cannot be met."""

    def __init__(
        self, request: HttpRequest, kind: type[Plugin], asked: RowsAsked, chosen: Format
    ) -> None:
        self._request = request
        self._kind = kind
        self._asked = asked
        self._chosen = chosen
        stop = asked.stop or datetime.now(UTC)
        self._links = Links(request, request.GET.get("stop") or written(stop))
        self._book = Book(
            self._rows(),
            asked.start,
            stop,
            descending=asked.order == "desc",
            size=self._size(),
            limit=asked.limit,
            whole=chosen.name in kind.model.needs_whole_windows,
        )

    def answer(self) -> HttpResponse:
        page = self._book.page(self._place())
        links, columns = self._links.of_pages(page), self._kind.model.columns()
        # Not kept: what lives as long as a page makes Python look for garbage everywhere.
        values = ([getattr(row, name) for name in columns] for row in page.rows)
        about = self._chosen, self._asked, self._kind.summary, page.fewer, page.more
        response = answer(
            self._request,
            self._chosen,
            lambda: self._rendered(page, links),
            etag_of(chain(about, values)),
            public=self._kind.public,
            callback=self._asked.callback,
        )
        response["Link"] = link_header(links)
        self._number(response, page)
        return response

    def _rows(self) -> Any:
        rows = self._kind.rows()
        if self._asked.category is not None:
            if "category" not in self._kind.model.columns():
                words = f"{self._kind.ident()} has no categories"
                raise bad_parameters([("category", words)])
            rows = rows.filter(category=self._asked.category)
        return rows

    def _size(self) -> int:
        configuration = stats_configuration()
        most = configuration.MAX_ROWS
        asked = self._asked.rows_per_page
        if asked is None:
            return most if self._chosen.name in CHARTED else configuration.DEFAULT_ROWS
        if asked > most:
            words = f"a page has {most} rows at most (PILLOWTOP_STATS['MAX_ROWS'])"
            raise bad_parameters([("rows_per_page", words)])
        return asked

    def _place(self) -> Place | None:
        """The cursor's, if this model's ids are such."""
        place = self._asked.cursor
        if place is not None:
            try:
                self._kind.model._meta.pk.to_python(place.row)  # noqa: SLF001
            except ValidationError:
                words = "this cursor is of another statistic"
                raise bad_parameters([("cursor", words)]) from None
        return place

    def _rendered(self, page: Page, links: dict[str, str]) -> str:
        model, title = self._kind.model, self._kind.summary
        if self._chosen.name == "csv":
            return str(model.to_csv(page.rows))
        if self._chosen.name == "svg":
            return str(model.to_svg(page.rows, title=title))
        if self._chosen.name == "html":
            around = links | self._links.of_formats(self._kind.ident())
            described = self._kind.description
            return str(model.to_html(page.rows, title=title, description=described, links=around))
        return str(model.to_json(page.rows))

    def _number(self, response: HttpResponse, page: Page) -> None:
        """Pages of whole windows have no number: nobody knows how many lie before them."""
        whole = self._book.whole
        if not whole:
            response["X-Link-Number"] = str(page.offset // self._book.size + 1)
        if not self._asked.count:
            return
        if whole:
            words = f"pages of {self._chosen.name} end with a window, so nobody knows how many"
            raise Problem(HTTPStatus.BAD_REQUEST, words, [("count", words)])
        response["X-Link-Count"] = str(self._book.count_pages())
