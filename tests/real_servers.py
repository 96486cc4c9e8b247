"""Fixtures with real servers, started here or yours: `COUCHDB_URL`, `ELASTICSEARCH_URL`,
`POSTGRESQL_URL` (as `postgresql://user:password@host:5432`).

A server that cannot start fails the test where `CI` is set, and skips it elsewhere. Tests that ask
for `search_url` run on each kind of search server in `SEARCH_KINDS`.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from urllib3.util import make_headers, parse_url

from dev.servers import CouchServer, PostgresServer, SearchServer, ServerError
from dev.servers.postgres_database import new_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dev.servers.process import Server

REQUEST_SECONDS = 30
SEARCH_KINDS = os.environ.get("SEARCH_KINDS", "es8,os3").split(",")


def request(
    method: str,
    url: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    timeout: float = REQUEST_SECONDS,
) -> urllib3.BaseHTTPResponse:
    """Send `body`, as JSON unless it is bytes; credentials in the URL are used."""
    credentials = parse_url(url).auth
    sent = make_headers(basic_auth=credentials) if credentials else {}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    sent.update(headers or {})
    return urllib3.request(method, url, body=body, headers=sent, timeout=timeout, retries=False)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run a server for the tests, or say why it does not."""
    try:
        server.start()
    except ServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def couch_url() -> Iterator[str]:
    """The CouchDB that all tests share: never stop it."""
    if configured := os.environ.get("COUCHDB_URL"):
        yield configured.rstrip("/")
        return
    with running(CouchServer()) as server:
        yield server.url


@pytest.fixture(scope="session")
def search_url_of() -> Iterator[Callable[[str], str]]:
    """Says where the server of a kind is that all tests share: never stop it.

    It is started when the first test asks for it. `ELASTICSEARCH_URL` stands for es8.
    """
    urls = {}
    if configured := os.environ.get("ELASTICSEARCH_URL"):
        urls["es8"] = configured.rstrip("/")
    with ExitStack() as servers:

        def url_of(kind: str) -> str:
            if kind not in urls:
                urls[kind] = servers.enter_context(running(SearchServer(kind=kind))).url
            return urls[kind]

        yield url_of


@pytest.fixture(scope="session")
def elasticsearch_url(search_url_of: Callable[[str], str]) -> str:
    """The Elasticsearch that all tests share: never stop it."""
    return search_url_of("es8")


@pytest.fixture(scope="session", params=SEARCH_KINDS)
def search_kind(request: pytest.FixtureRequest) -> str:
    """One kind of search server after the other."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def search_url(search_kind: str, search_url_of: Callable[[str], str]) -> str:
    """A server of each kind in turn, shared by all tests: never stop it."""
    return search_url_of(search_kind)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The PostgreSQL that all tests share."""
    if configured := os.environ.get("POSTGRESQL_URL"):
        yield configured.rstrip("/")
        return
    with running(PostgresServer()) as server:
        yield server.url


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[dict[str, Any]]:
    """A new database, as an entry of Django's `DATABASES`."""
    with new_database(postgresql_url, "test") as books:
        yield books


@pytest.fixture
def couch_server(tmp_path: Path) -> Iterator[Server]:
    """A CouchDB of the test's own, on disk, to be killed or paused."""
    with running(CouchServer(tmp_path / "couch")) as server:
        yield server


@pytest.fixture(scope="module")
def module_search_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What `search_server` is made of: a start takes seconds, so a module shares one."""
    with running(SearchServer(tmp_path_factory.mktemp("search"))) as server:
        yield server


@pytest.fixture
def search_server(module_search_server: Server) -> Iterator[Server]:
    """An Elasticsearch of the module's own, to be killed or paused; runs when a test begins."""
    if module_search_server.pid is None:
        module_search_server.start()
    yield module_search_server
    module_search_server.resume()


@pytest.fixture
def couch_database(couch_url: str) -> Iterator[str]:
    """The URL of a new database on the shared server."""
    url = f"{couch_url}/test-{uuid.uuid4().hex}"
    reply = request("PUT", url)
    assert reply.status in (201, 202), reply.data
    yield url
    request("DELETE", url)


@pytest.fixture
def index_name(elasticsearch_url: str) -> Iterator[str]:
    """A new name: indices and aliases that begin with it are deleted after the test."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    delete_indices(elasticsearch_url, name)


def delete_indices(url: str, prefix: str) -> None:
    """Delete indices whose name, or an alias of which, begins with `prefix`."""
    # One by one: servers refuse to delete by wildcard.
    for index in request("GET", f"{url}/{prefix}*?expand_wildcards=all").json():
        request("DELETE", f"{url}/{index}")
