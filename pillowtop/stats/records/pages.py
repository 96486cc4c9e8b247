"""Pages of rows: in a total order, from a place on; rows that arrive meanwhile move nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload


@dataclass(frozen=True)
class Place:
    """Behind a row, or before it, in the order asked for. `offset` rows lie before the place."""

    timestamp: datetime
    row: Any
    offset: int
    before: bool = False


class Rows(Sequence[Any]):
    """The rows of a query set, each made anew whenever it is looked at.

    A thousand that all live until their page is sent would make Python look for garbage
    everywhere, 40 ms each time; what databases give of them, tuples of numbers and words, it
    leaves alone.
    """

    def __init__(self, model: Any, database: str, values: Sequence[tuple[Any, ...]]) -> None:
        self._model = model
        self._database = database
        self._values = values
        self._names = _columns(model)

    @classmethod
    def of(cls, rows: Any) -> Sequence[Any]:
        """Read them."""
        if rows.query.annotations or rows.query.select_related:
            return list(rows)  # more than the columns of the model
        return cls(rows.model, rows.db, list(rows.values_list(*_columns(rows.model))))

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return map(self._made, self._values)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return Rows(self._model, self._database, self._values[at])
        return self._made(self._values[at])

    def _made(self, values: tuple[Any, ...]) -> Any:
        return self._model.from_db(self._database, self._names, values)


@dataclass(frozen=True)
class Page:
    """`offset` is the number of the first row; `fewer` and `more` say whether there are others."""

    rows: Sequence[Any]
    offset: int
    fewer: bool
    more: bool

    @property
    def start(self) -> Place | None:
        """Before its first row."""
        if not self.rows:
            return None
        first = self.rows[0]
        return Place(first.timestamp, first.pk, self.offset, before=True)

    @property
    def end(self) -> Place | None:
        """Behind its last row."""
        if not self.rows:
            return None
        last = self.rows[-1]
        return Place(last.timestamp, last.pk, self.offset + len(self.rows))


@dataclass(frozen=True)
class Book:
    """Rows from `start` to `stop`, both included, and how they are laid on pages.

    `whole` pages end where a window does: they have fewer rows than `size`, unless that is not
    enough for one window. Not more than `limit` rows are shown on all pages.
    """

    rows: Any
    start: datetime | None
    stop: datetime
    descending: bool
    size: int
    limit: int | None = None
    whole: bool = False

    def count_pages(self) -> int:
        """Reads all of the rows' index."""
        count: int = self._between(self.start, self.stop).count()
        return -(-(count if self.limit is None else min(count, self.limit)) // self.size)

    def page(self, place: Place | None) -> Page:
        """The page at a place, or the first one."""
        if place is not None and place.before:
            return self._page_before(place)
        return self._page_behind(place)

    def _page_behind(self, place: Place | None) -> Page:
        offset = 0 if place is None else place.offset
        size, last = self.size, False
        if self.limit is not None:
            left = max(self.limit - offset, 0)
            size, last = min(size, left), left <= size
        ordered = self._ordered(place, descending=self.descending)
        rows, more = self._cut(ordered, size, ends=last and offset > 0)
        return Page(rows, offset, fewer=place is not None, more=more and not last)

    def _page_before(self, place: Place) -> Page:
        found, fewer = self._cut(self._ordered(place, descending=not self.descending), self.size)
        rows = found[::-1]
        offset = max(place.offset - len(rows), 0) if fewer else 0
        return Page(rows, offset, fewer, more=True)

    def _cut(self, ordered: Any, size: int, *, ends: bool = False) -> tuple[Sequence[Any], bool]:
        """The first rows, and whether there are others. A window that is too long for the page is
        left to the next one, or taken whole where it would be the only one; not where all `ends`.
        """
        rows = Rows.of(ordered[: size + 1])
        rows, rest = rows[:size], rows[size:]
        if not (self.whole and rows and rest and rest[0].timestamp == rows[-1].timestamp):
            return rows, bool(rest)
        cut = rest[0].timestamp
        kept = len(rows) - 1
        while kept and rows[kept - 1].timestamp == cut:
            kept -= 1
        if kept or ends:
            return rows[:kept], True
        rows = Rows.of(ordered.filter(timestamp=cut))
        return rows, ordered.exclude(timestamp=cut).exists()

    def _ordered(self, place: Place | None, *, descending: bool) -> Any:
        """The rows behind a place. Neither an `OR` nor a second limit on the same side: either
        would keep a database from going straight to the place in its index."""
        if place is None:
            return self._between(self.start, self.stop).order_by(*_order(descending))
        if descending:
            rows = self._between(self.start, min(self.stop, place.timestamp))
            rows = rows.exclude(timestamp=place.timestamp, pk__gte=place.row)
        else:
            start = place.timestamp if self.start is None else max(self.start, place.timestamp)
            rows = self._between(start, self.stop)
            rows = rows.exclude(timestamp=place.timestamp, pk__lte=place.row)
        return rows.order_by(*_order(descending))

    def _between(self, start: datetime | None, stop: datetime) -> Any:
        rows = self.rows.filter(timestamp__lte=stop)
        return rows if start is None else rows.filter(timestamp__gte=start)


def _order(descending: bool) -> tuple[str, str]:
    return ("-timestamp", "-pk") if descending else ("timestamp", "pk")


def _columns(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001
