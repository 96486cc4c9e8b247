"""One CouchDB database: what pillows, checkpoints and commands ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from pillowtop.changes import Document, Seq
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import ServerBusy
from pillowtop.feeds.couch_errors import (
    Answer,
    AnswerTooLarge,
    Request,
    foreign,
    names_missing_database,
)
from pillowtop.feeds.couch_lines import JSON_ERRORS
from pillowtop.feeds.couch_server import CouchServer, server_at
from pillowtop.feeds.couch_values import (
    AllDocs,
    Behind,
    BulkGot,
    DatabaseInfo,
    Described,
    ListedRow,
    Loaded,
    encode_seq,
    quote_id,
)

_T = TypeVar("_T")

PUT_ATTEMPTS = 5


class CouchDatabase:
    """A database on the server of `endpoint`.

    Raises `DatabaseMissing`, `AccessDenied`, `ConfigurationError`, or transient errors.
    """

    def __init__(self, endpoint: Endpoint, name: str, server: CouchServer | None = None) -> None:
        self.endpoint = endpoint
        self.name = name
        self.server = server or server_at(endpoint)
        self.path = f"/{quote(name, safe='')}"
        self._asked = Request(endpoint, name)
        self._local_revs: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<CouchDatabase {self.endpoint}{self.path}>"

    def __str__(self) -> str:
        return self._asked.place

    def info(self) -> DatabaseInfo:
        return self._said("", Described).info

    def pending(self, since: Seq) -> int:
        """How many changes there are behind `since` (CouchDB: about that many)."""
        query = {"limit": "0", "since": encode_seq(since)}
        return self._said("/_changes", Behind, query).pending or 0

    def has_changes(self, since: Seq) -> bool:
        """Whether there is any row behind `since`."""
        query = {"limit": "1", "since": encode_seq(since)}
        return bool(self._said("/_changes", Behind, query).results)

    def get(self, doc_id: str) -> Document | None:
        """The winning revision of a document; None where it is missing or deleted."""
        return self._document(f"/{quote_id(doc_id)}")

    def get_local(self, local_id: str) -> Document | None:
        """A `_local` document, by its id without `_local/`."""
        return self._document(_local_path(local_id))

    def put_local(self, local_id: str, document: Mapping[str, Any]) -> None:
        """Write a `_local` document, without `_rev`, over whatever is there.

        CouchDB itself checks no revisions of these; what is compatible with it may, so it is told
        the one that was written last.
        """
        for _ in range(PUT_ATTEMPTS):
            rev = self._local_revs.get(local_id)
            body = {**document, "_rev": rev} if rev else {**document}
            answer = self._request("PUT", _local_path(local_id), body=body)
            if answer.status != HTTPStatus.CONFLICT:
                self._local_revs[local_id] = self._checked(answer).get("rev")
                return
            self._local_revs[local_id] = (self.get_local(local_id) or {}).get("_rev")
        raise ServerBusy(f"{self}: {_local_path(local_id)} changes all the time")

    def load(self, doc_ids: Iterable[str], at_most: int | None = None) -> dict[str, Loaded]:
        """The newest revisions of documents, undecoded; an entry for each id asked for.

        With `at_most`, a number of bytes, the last ones have none where all are more than that;
        the first always has one.
        """
        asked = list(dict.fromkeys(doc_ids))
        while asked:
            try:
                found = self._loaded(asked, at_most if len(asked) > 1 else None)
            except AnswerTooLarge:
                asked = asked[: len(asked) // 2]
            else:
                loaded = {doc_id: Loaded(doc_id, reason="missing") for doc_id in asked}
                return loaded | {one.id: one for one in found}
        return {}

    def gone(self, doc_ids: Sequence[str]) -> set[str]:
        """Those of the ids of which the database says that they are not there, or deleted.

        Raises `ServerBusy` unless it says of each either that or that it is there: something is
        about to be removed on its word.
        """
        return {row.key for row in self.rows_of(doc_ids) if row.is_gone}

    def rows_of(self, doc_ids: Sequence[str]) -> list[ListedRow]:
        """What the database says of each of these ids: that it is there, or gone.

        Raises `ServerBusy` where it says anything else of one.
        """
        if not doc_ids:
            return []
        answer = self._request("POST", "/_all_docs", body={"keys": list(doc_ids)})
        self._check_status(answer)
        rows = {row.key: row for row in self._decoded(answer, AllDocs).rows}
        for doc_id in doc_ids:
            row = rows.get(doc_id)
            if row is None or not (row.is_gone or row.is_there):
                said = row.error if row else "nothing"
                raise ServerBusy(f"{self._asked.place} says {said!r} of document {doc_id!r}")
        return [rows[doc_id] for doc_id in dict.fromkeys(doc_ids)]

    def rows(
        self,
        first: str,
        last: str,
        limit: int,
        *,
        include_docs: bool = False,
        at_most: int | None = None,
    ) -> list[ListedRow]:
        """Live documents in the order of their ids, from `first` to `last` (if given).

        Raises `AnswerTooLarge` where they are more than `at_most` bytes.
        """
        bounds = {"startkey": first} | ({"endkey": last} if last else {})
        query = {key: msgspec.json.encode(value).decode() for key, value in bounds.items()}
        query["limit"] = str(limit)
        if include_docs:
            query["include_docs"] = "true"
        answer = self.server.request("GET", f"{self.path}/_all_docs", query, at_most=at_most)
        self._check_status(answer)
        return self._decoded(answer, AllDocs).rows

    def ids_with_prefix(self, prefix: str) -> list[str]:
        """Up to 1,000 ids of live documents that begin so."""
        return [row.id for row in self.rows(prefix, prefix + "\ufff0", 1000)]

    def _loaded(self, doc_ids: Sequence[str], at_most: int | None) -> list[Loaded]:
        """Ask in ever smaller requests while one of the documents spoils the answer."""
        body = {"docs": [{"id": doc_id} for doc_id in doc_ids]}
        answer = self.server.request("POST", f"{self.path}/_bulk_get", body=body, at_most=at_most)
        if answer.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or len(doc_ids) == 1:
            self._check_status(answer)
            try:
                return BulkGot.loaded(answer.body)
            except JSON_ERRORS as error:
                if not BulkGot.begins(answer.body):
                    raise foreign(answer, self.endpoint) from error
                if len(doc_ids) == 1:
                    return [Loaded(doc_ids[0], reason=f"what was sent cannot be decoded: {error}")]
        middle = len(doc_ids) // 2
        halves = (doc_ids[:middle], doc_ids[middle:])
        return [one for half in halves for one in self._loaded(half, at_most)]

    def _document(self, path: str) -> Document | None:
        answer = self._request("GET", path)
        missing = answer.status == HTTPStatus.NOT_FOUND and answer.complaint[0] == "not_found"
        if missing and not names_missing_database(answer):
            return None
        return self._checked(answer)

    def _said(self, path: str, kind: type[_T], query: Mapping[str, str] | None = None) -> _T:
        answer = self._request("GET", path, query)
        self._check_status(answer)
        return self._decoded(answer, kind)

    def _request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Answer:
        return self.server.request(method, self.path + path, query, body)

    def _check_status(self, answer: Answer) -> None:
        if not answer.succeeded:
            raise self.server.explain(answer, self._asked)

    def _checked(self, answer: Answer) -> dict[str, Any]:
        said = self.server.checked(answer, self._asked)
        if not isinstance(said, dict):
            raise foreign(answer, self.endpoint)
        return said

    def _decoded(self, answer: Answer, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except JSON_ERRORS as error:
            raise foreign(answer, self.endpoint) from error


def _local_path(local_id: str) -> str:
    return f"/_local/{quote(local_id.removeprefix('_local/'), safe='')}"
