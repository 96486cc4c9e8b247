"""A real Elasticsearch that comes and goes."""

from __future__ import annotations

import json

import psutil
import pytest
import urllib3

from dev.servers.process import answers
from tests.projects import wait_until
from tests.real_servers import delete_indices, request

BULK = {"Content-Type": "application/x-ndjson"}


def bulk(url, index, *versions):
    """Write the document "d" once a version; returns the statuses."""
    lines = []
    for version in versions:
        action = {"_index": index, "_id": "d", "version": version, "version_type": "external_gte"}
        lines += [{"index": action}, {"version": version}]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    reply = request("POST", f"{url}/_bulk?refresh=true", body, headers=BULK)
    return [item["index"]["status"] for item in reply.json()["items"]]


def stored_version(url, index):
    return request("GET", f"{url}/{index}/_doc/d").json()["_source"]["version"]


def test_says_which_it_is(elasticsearch_url):
    reply = request("GET", elasticsearch_url)

    assert reply.json()["version"]["number"].startswith("8.")
    assert reply.headers["X-Elastic-Product"] == "Elasticsearch"


def test_external_versions(elasticsearch_url, index_name):
    assert bulk(elasticsearch_url, index_name, 5, 5, 4, 6) == [201, 200, 409, 200]
    assert stored_version(elasticsearch_url, index_name) == 6


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_data_stays(search_server, how):
    index = f"kept-{how}"
    assert bulk(search_server.url, index, 1) == [201]
    pid = search_server.pid
    getattr(search_server, how)()
    assert not psutil.pid_exists(pid)
    search_server.start()

    assert stored_version(search_server.url, index) == 1


def test_paused_server_is_silent(search_server):
    search_server.pause()
    wait_until(lambda: psutil.Process(search_server.pid).status() == psutil.STATUS_STOPPED)
    with pytest.raises(urllib3.exceptions.TimeoutError):
        request("GET", search_server.url, timeout=0.2)
    search_server.resume()

    assert answers(search_server.url)


def test_indices_and_aliases_are_deleted_by_prefix(elasticsearch_url, index_name):
    for index in (f"{index_name}-1", f"other-{index_name}"):
        body = {"aliases": {f"{index_name}-alias": {}}}
        assert request("PUT", f"{elasticsearch_url}/{index}", body).status == 200

    delete_indices(elasticsearch_url, index_name)

    assert request("GET", f"{elasticsearch_url}/*{index_name}*").json() == {}
