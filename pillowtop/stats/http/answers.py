"""Answers: their bodies, and the headers that go with a format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from pillowtop.stats.http.formats import Format

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
FOR_BROWSERS = frozenset({"html", "svg"})


def etag_of(parts: Iterable[Any]) -> str:
    """Stands for what an answer is made of; weak, as it is known before the answer is rendered."""
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(repr(part).encode("utf-8", "backslashreplace") + b"\n")
    return f'W/"{digest.hexdigest()}"'


def answer(
    request: HttpRequest,
    chosen: Format,
    render: Callable[[], str],
    etag: str,
    *,
    public: bool,
    callback: str | None = None,
) -> HttpResponse:
    """The rendered body; or 304, without one, where the client has it already."""
    if _is_known(request, etag):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        body = render() if callback is None else f"/**/{callback}({_as_script(render())});"
        response = HttpResponse(
            body.encode("utf-8", "replace"), content_type=f"{chosen.content_type}; charset=utf-8"
        )
        if chosen.name in FOR_BROWSERS:
            response["Content-Security-Policy"] = POLICY
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache" if public else "private, no-cache"
    return response


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag.removeprefix("W/") in [one.removeprefix("W/") for one in known]


def _as_script(text: str) -> str:
    """JSON has two characters that end a line in older JavaScript."""
    return text.replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")
