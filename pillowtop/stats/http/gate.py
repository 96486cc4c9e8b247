"""What every request passes, before and behind the views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from pillowtop.stats.http.problems import Problem, answer_problem, on_suspicious

METHODS = ("GET", "HEAD")


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view, for the methods that there are, with the headers that all answers have."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _refusal(request) or view(request, *args, **kwargs)
        response["X-Content-Type-Options"] = "nosniff"
        patch_vary_headers(response, ["Accept", "Cookie"])
        return response

    return answer


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    try:
        # Parameters are UTF-8, whatever charset the type of a body names.
        request.encoding = "utf-8"
    except SuspiciousOperation as error:
        return on_suspicious(request, error)
    if request.method in METHODS:
        return None
    words = f"statistics are only read: {' and '.join(METHODS)} are allowed"
    response = answer_problem(Problem(HTTPStatus.METHOD_NOT_ALLOWED, words))
    response["Allow"] = ", ".join(METHODS)
    return response
