"""Errors as clients get them: problem details (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from ninja.errors import ValidationError

from pillowtop.stats.rendering.as_json import to_json

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
RETRY_SECONDS = 10


class Problem(Exception):
    """Ends a request. `errors` names the parameters that are wrong, and what is wrong with each."""

    def __init__(
        self, status: HTTPStatus, detail: str, errors: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def bad_parameters(errors: Sequence[tuple[str, str]]) -> Problem:
    detail = "; ".join(f"{parameter}: {words}" for parameter, words in errors)
    return Problem(HTTPStatus.BAD_REQUEST, detail, errors)


def answer_problem(problem: Problem) -> HttpResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"parameter": one, "detail": words} for one, words in problem.errors]
    response = HttpResponse(to_json(body), content_type=PROBLEM, status=problem.status)
    response["Cache-Control"] = "no-store"
    if problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return answer_problem(problem)


def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A parameter has a value that it cannot have."""
    errors = [(str(one["loc"][-1]), _words(one)) for one in error.errors]
    return answer_problem(bad_parameters(errors))


def _words(error: dict[str, Any]) -> str:
    """What pydantic says of a value; of what we raise ourselves it says `Value error, …`."""
    words = str(error["msg"]).removeprefix("Value error, ")
    return words[:1].lower() + words[1:]


def on_suspicious(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    """Django does not take the request: too many parameters, or a host it does not know."""
    return answer_problem(Problem(HTTPStatus.BAD_REQUEST, str(error)))


def on_database_error(request: HttpRequest, error: Exception) -> HttpResponse:
    kind = type(error).__name__
    logger.error(
        "the database cannot answer %s: %s",
        request.path,
        error,
        extra={"action": "stats_database_error"},
    )
    return answer_problem(
        Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"the database cannot answer ({kind}; the server's log says more): where its tables "
            "are missing, run manage.py migrate; where it is down, ask again later",
        )
    )


def on_misconfigured(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("%s", error, extra={"action": "stats_misconfigured"})
    return answer_problem(
        Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the statistics of this project are not set up as they must be: manage.py check, "
            "and the server's log, say what is wrong",
        )
    )
