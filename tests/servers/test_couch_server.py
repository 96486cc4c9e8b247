"""Databases, documents, credentials, and a server that comes and goes."""

from __future__ import annotations

import time

import pytest
import urllib3

from dev.servers import CouchServer
from tests.real_servers import request, running
from tests.servers.feed import OpenFeed


class TestInformation:
    def test_instance_start_time_is_the_second_of_creation(self, couch_server):
        before = int(time.time())
        request("PUT", f"{couch_server.url}/db")
        start_time = request("GET", f"{couch_server.url}/db").json()["instance_start_time"]
        couch_server.restart()

        assert before <= int(start_time) <= time.time()
        reply = request("GET", f"{couch_server.url}/db").json()
        assert reply["instance_start_time"] == start_time

    def test_instance_start_time_differs_for_a_database_made_again(self, couch_database):
        first = request("GET", couch_database).json()["instance_start_time"]
        deadline = time.monotonic() + 10
        second = first
        while second == first:
            assert time.monotonic() < deadline
            request("DELETE", couch_database)
            request("PUT", couch_database)
            second = request("GET", couch_database).json()["instance_start_time"]

        assert int(second) > int(first)

    def test_sizes_tell_the_mean_document(self, couch_server):
        url = f"{couch_server.url}/db"
        request("PUT", url)
        docs = [{"text": "x" * 1000} for _ in range(200)]
        request("POST", f"{url}/_bulk_docs", {"docs": docs})
        assert 1000 < mean_bytes(url) < 1200
        couch_server.kill()
        couch_server.start()

        assert 1000 < mean_bytes(url) < 1200

    def test_of_many(self, couch_url, couch_database):
        name = couch_database.rsplit("/", 1)[1]

        found, missing = request("POST", f"{couch_url}/_dbs_info", {"keys": [name, "zz"]}).json()

        assert found["info"]["db_name"] == name
        assert missing == {"key": "zz", "error": "not_found"}


def mean_bytes(url):
    info = request("GET", url).json()
    assert info["sizes"]["active"] > 0
    assert info["sizes"]["file"] > 0
    return info["sizes"]["external"] / info["doc_count"]


class TestDocuments:
    def test_local_docs_stay_out_of_the_feed(self, couch_database):
        assert request("PUT", f"{couch_database}/_local/x", {"a": 1}).status == 201

        assert request("GET", f"{couch_database}/_local/x").json()["a"] == 1
        assert request("GET", f"{couch_database}/_changes").json()["results"] == []

    def test_bulk_get(self, ten_docs):
        rev = request("GET", f"{ten_docs}/d1").json()["_rev"]
        gone = request("GET", f"{ten_docs}/d2").json()["_rev"]
        request("DELETE", f"{ten_docs}/d2?rev={gone}")
        wanted = [{"id": "d0"}, {"id": "d1", "rev": rev}, {"id": "d2"}, {"id": "none"}]

        reply = request("POST", f"{ten_docs}/_bulk_get", {"docs": wanted}).json()

        d0, d1, d2, none = (result["docs"][0] for result in reply["results"])
        assert list(d0["ok"])[:3] == ["_id", "_rev", "number"]  # as CouchDB writes them
        assert d0["ok"]["number"] == 0
        assert d1["ok"]["_rev"] == rev
        assert d2["ok"]["_deleted"] is True
        assert none["error"]["error"] == "not_found"

    @pytest.mark.parametrize("content_type", [None, "text/plain"])
    def test_put_is_json_whatever_its_content_type(self, couch_database, content_type):
        headers = {"Content-Type": content_type} if content_type else {}
        url = f"{couch_database}/d"

        assert request("PUT", url, b'{"a": 1}', headers=headers).status == 201
        assert request("GET", url).json()["a"] == 1

    @pytest.mark.parametrize("path", ["", "/_bulk_docs", "/_changes", "/_all_docs"])
    def test_post_insists_on_its_content_type(self, couch_database, path):
        reply = request("POST", couch_database + path, b'{"docs": []}')

        assert reply.status == 415
        assert reply.json()["error"] == "bad_content_type"

    def test_attachments_keep_their_content_type(self, couch_database):
        rev = request("PUT", f"{couch_database}/d", {}).json()["rev"]
        url = f"{couch_database}/d/note.txt"
        headers = {"Content-Type": "text/plain"}
        assert request("PUT", f"{url}?rev={rev}", b"hello", headers=headers).status == 201

        reply = request("GET", url)

        assert reply.data == b"hello"
        assert reply.headers["Content-Type"].startswith("text/plain")


def test_illegal_database_name(couch_url):
    reply = request("PUT", f"{couch_url}/Capital")

    assert reply.status == 400
    assert reply.json()["error"] == "illegal_database_name"


def test_refused_database_leaves_nothing(couch_url):
    assert request("DELETE", f"{couch_url}/missing").status == 404
    assert "missing" not in request("GET", f"{couch_url}/_all_dbs").json()


@pytest.fixture(scope="module")
def locked_server():
    with running(CouchServer(admin="me:secret")) as server:
        yield server


class TestCredentials:
    def test_anonymous_is_refused(self, locked_server):
        reply = request("GET", f"{locked_server.url}/_all_dbs")

        assert reply.status == 401
        assert reply.json()["error"] == "unauthorized"

    def test_wrong_password_is_refused(self, locked_server):
        url = locked_server.url.replace("//", "//me:wrong@")

        assert request("GET", f"{url}/_all_dbs").status == 401

    def test_basic(self, locked_server):
        url = locked_server.url.replace("//", "//me:secret@")

        assert request("PUT", f"{url}/db").status == 201
        assert request("GET", f"{url}/db/_changes").status == 200

    def test_cookie(self, locked_server):
        login = request(
            "POST", f"{locked_server.url}/_session", {"name": "me", "password": "secret"}
        )
        cookie = login.headers["Set-Cookie"].split(";")[0]

        reply = request("GET", f"{locked_server.url}/_all_dbs", headers={"Cookie": cookie})

        assert reply.status == 200


class TestComingAndGoing:
    def write(self, server):
        request("PUT", f"{server.url}/db")
        assert request("PUT", f"{server.url}/db/d", {"a": 1}).status == 201
        return request("GET", f"{server.url}/db/_changes").json()["last_seq"]

    @pytest.mark.parametrize("how", ["stop", "kill"])
    def test_data_and_seqs_stay(self, couch_server, how):
        seq = self.write(couch_server)
        getattr(couch_server, how)()
        couch_server.start()

        assert request("GET", f"{couch_server.url}/db/d").json()["a"] == 1
        reply = request("GET", f"{couch_server.url}/db/_changes?since={seq}").json()
        assert reply["results"] == []

    def test_kill_cuts_its_feeds(self, couch_server):
        self.write(couch_server)
        with OpenFeed(f"{couch_server.url}/db/_changes?feed=continuous") as feed:
            feed.read_until(b"}\n")
            couch_server.kill()

            with pytest.raises(urllib3.exceptions.HTTPError):
                feed.read_to_end()

    def test_paused_server_is_silent(self, couch_server):
        couch_server.pause()
        with pytest.raises(urllib3.exceptions.TimeoutError):
            request("GET", f"{couch_server.url}/_up", timeout=0.2)
        couch_server.resume()

        assert request("GET", f"{couch_server.url}/_up").status == 200

    def test_paused_server_can_be_stopped(self, couch_server):
        couch_server.pause()
        couch_server.stop()

        assert couch_server.pid is None
