"""What an answer of CouchDB other than the expected one means. No I/O."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    AccessDenied,
    ConfigurationError,
    DatabaseMissing,
    PillowtopError,
    SequenceRefused,
    ServerBusy,
)
from pillowtop.feeds.couch_lines import JSON_ERRORS, words_of

LOCKED_OUT = "temporarily locked"
DATABASE_MISSING = ("Database does not exist.", "no_db_file")


class AnswerTooLarge(Exception):
    """An answer has more bytes than its asker wants to hold at once."""


class Answer(msgspec.Struct):
    """One HTTP answer; the names of `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body; None where it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except JSON_ERRORS:
            return None

    @property
    def succeeded(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def denied(self) -> bool:
        return self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

    @property
    def complaint(self) -> tuple[str, str]:
        """CouchDB's `error` and `reason`; empty where the answer is not CouchDB's.

        Elasticsearch gives a text as `error`, too, but no `reason` beside it.
        """
        said = self.json()
        if not isinstance(said, dict) or "reason" not in said:
            return "", ""
        error, reason = said.get("error"), said["reason"]
        if not isinstance(error, str):
            return "", ""
        return error, reason if isinstance(reason, str) else json.dumps(reason)

    @property
    def words(self) -> str:
        return words_of(*self.complaint)


class Request(msgspec.Struct, frozen=True):
    """What was asked for, as far as it helps to say what is wrong.

    `database` is empty for requests to the server; `filter` names a feed's filter.
    """

    endpoint: Endpoint
    database: str = ""
    filter: str = ""

    @property
    def place(self) -> str:
        server = f"CouchDB at {self.endpoint}"
        return f"database {self.database!r} of {server}" if self.database else server


def asks_for_sign_in(answer: Answer) -> bool:
    """Whether a new session may help: the cookie has expired, or is not accepted any more."""
    if answer.status == HTTPStatus.BAD_REQUEST:
        return "cookie" in answer.complaint[1].lower()
    return answer.status == HTTPStatus.UNAUTHORIZED


def names_missing_database(answer: Answer) -> bool:
    return answer.status == HTTPStatus.NOT_FOUND and answer.complaint[1] in DATABASE_MISSING


def error_of(answer: Answer, request: Request) -> PillowtopError:
    """The error that an unexpected answer stands for; its message says what to do."""
    if answer.denied:
        return _denied(answer, request)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_5xx(answer, request)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _busy(answer, request)
    if answer.status < HTTPStatus.BAD_REQUEST and "location" in answer.headers:
        return _redirected(answer, request)
    if not answer.complaint[0]:
        return foreign(answer, request.endpoint)
    return _of_4xx(answer, request)


def foreign(answer: Answer, endpoint: Endpoint) -> ServerBusy:
    """Something else answers, perhaps for the time of a maintenance: worth another look."""
    return ServerBusy(
        f"something else than CouchDB listens at {endpoint.host}:{endpoint.port}: it answers "
        f"{answer.status} with {_excerpt(answer)}; look at COUCHDB_URL, or at what stands in front"
    )


def _redirected(answer: Answer, request: Request) -> ConfigurationError:
    return ConfigurationError(
        f"{request.place} redirects to {_target(answer)}: "
        "set COUCHDB_URL to where CouchDB itself is"
    )


def _target(answer: Answer) -> str:
    """Where an answer redirects to, without a password."""
    try:
        target = urlsplit(answer.headers["location"])
    except ValueError:
        return "what is no URL"
    return f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}"


def _locked_out(request: Request) -> ServerBusy:
    """Source: https://docs.couchdb.org/en/stable/config/auth.html (chttpd_auth_lockout)"""
    return ServerBusy(
        f"{request.place} has locked user {request.endpoint.username!r} out for some minutes, as "
        "somebody at this address gave a wrong password several times: look at COUCHDB_PASSWORD, "
        "here and wherever else this user signs in"
    )


def _denied(answer: Answer, request: Request) -> PillowtopError:
    if LOCKED_OUT in answer.complaint[1]:
        return _locked_out(request)
    user = request.endpoint.username
    who = f"user {user!r}" if user else "an anonymous user"
    what = (
        "look at COUCHDB_USERNAME and COUCHDB_PASSWORD"
        if answer.status == HTTPStatus.UNAUTHORIZED
        else "make the user a member of the database (its _security), or set another "
        "COUCHDB_USERNAME"
    )
    words = answer.words or f"status {answer.status}"
    return AccessDenied(f"{request.place} refuses {who} ({words}): {what}")


def _of_5xx(answer: Answer, request: Request) -> PillowtopError:
    if request.filter and answer.complaint[1].startswith("missing"):
        return _no_filter(answer, request)
    return _busy(answer, request)


def _busy(answer: Answer, request: Request) -> ServerBusy:
    words = answer.words or _excerpt(answer)
    filtered = f" with filter {request.filter!r}" if request.filter else ""
    return ServerBusy(f"{request.place} answered {answer.status}{filtered}: {words}")


def _of_4xx(answer: Answer, request: Request) -> PillowtopError:
    reason = answer.complaint[1].lower()
    if answer.status == HTTPStatus.NOT_FOUND:
        if request.filter and not names_missing_database(answer):
            return _no_filter(answer, request)
        hint = (
            f", or correct the server's URL, in which {request.endpoint.path!r} may be too much"
            if request.endpoint.path
            else ""
        )
        return DatabaseMissing(
            f"{request.place} does not exist ({answer.words}); make it, and it is followed within "
            f"seconds{hint}"
        )
    if answer.status != HTTPStatus.BAD_REQUEST:
        return _busy(answer, request)
    if "sequence" in reason or "'since'" in reason:
        return SequenceRefused(f"{request.place} does not accept the checkpoint: {answer.words}")
    return _malformed(answer, request)


def _no_filter(answer: Answer, request: Request) -> ConfigurationError:
    return ConfigurationError(
        f"{request.place} has no filter {request.filter!r} ({answer.words}): "
        "look at couch_filter and at the design document"
    )


def _malformed(answer: Answer, request: Request) -> ConfigurationError:
    what = f"couch_filter {request.filter!r} and extra_args" if request.filter else "couch_db"
    return ConfigurationError(
        f"{request.place} refuses the request ({answer.words}): look at {what}"
    )


def _excerpt(answer: Answer) -> str:
    text = answer.body[:80].decode("utf-8", "replace")
    return repr(text) if text else "no body"
