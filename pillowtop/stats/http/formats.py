"""Which format an answer has: by the end of the address, or by the Accept header."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest
from django.http.request import MediaType

from pillowtop.stats.http.problems import Problem

TYPES = {
    "json": ("application/json", "text/json"),
    "html": ("text/html",),
    "csv": ("text/csv", "application/csv"),
    "svg": ("image/svg+xml",),
    "jsonp": ("application/javascript", "text/javascript"),
}
SUFFIXES = ("json", "csv", "html", "svg")


class Format(NamedTuple):
    name: str
    content_type: str


def offered_formats(formats: Sequence[str], callback: str | None) -> Sequence[str]:
    """With a callback, JSON becomes JSONP, and there is nothing else."""
    return formats if callback is None else ["jsonp"]


def split_suffix(address: str) -> tuple[str, str | None]:
    """`volume-1m.csv` is `volume-1m` as CSV."""
    ident, _, suffix = address.rpartition(".")
    return (ident, suffix) if ident and suffix in SUFFIXES else (address, None)


def choose_format(request: HttpRequest, offered: Sequence[str], suffix: str | None) -> Format:
    """Raises `Problem` where there is none that fits."""
    if suffix is None:
        return _negotiated(request, offered)
    name = "jsonp" if suffix == "json" and offered == ["jsonp"] else suffix
    if name not in offered:
        raise Problem(HTTPStatus.BAD_REQUEST, f"callback is for JSON: leave it out of .{suffix}")
    return Format(name, TYPES[name][0])


def _negotiated(request: HttpRequest, offered: Sequence[str]) -> Format:
    ranges = _accepted(request)
    best, chosen = (0.0, 0, 0), None
    for name in offered:
        for content_type in TYPES[name]:
            worth = _worth(content_type, ranges)
            if worth[0] > 0 and (chosen is None or worth > best):
                best, chosen = worth, Format(name, content_type)
    if chosen is None:
        there_are = ", ".join(one for name in offered for one in TYPES[name])
        raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"there is no type that you accept: {there_are}")
    return chosen


def _accepted(request: HttpRequest) -> list[MediaType]:
    header = request.headers.get("Accept", "").strip() or "*/*"
    try:
        ranges = [MediaType(part) for part in header.split(",") if part.strip()]
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the Accept header is unreadable: {error}") from None
    return [one for one in ranges if one.main_type]


def _worth(content_type: str, ranges: Sequence[MediaType]) -> tuple[float, int, int]:
    """Its quality, which the most specific range says; then that, then the order of the header."""
    matching = [
        (one.specificity, -place, one.quality)
        for place, one in enumerate(ranges)
        if one.match(content_type)
    ]
    specificity, place, quality = max(matching, default=(0, 0, 0.0))
    return quality, specificity, place
