"""The other addresses, and those that there are not."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from pillowtop.stats.models import Scalar
from tests.stats.http.conftest import minute
from tests.stats.http.plugins import Volume


@pytest.mark.usefixtures("volume")
def test_the_index_says_what_there_is(client):
    found = {one["ident"]: one for one in client.get("/stats/").json()}
    assert set(found) == {"volume-1m", "volume-by-category-1m", "log-1m", "latest-1m", "open-1m"}
    assert found["volume-1m"] == {
        "ident": "volume-1m",
        "name": "volume",
        "summary": "Messages in a minute",
        "description": "How many messages there were.",
        "interval": "1m",
        "interval_seconds": 60,
        "columns": ["timestamp", "scalar"],
        "public": False,
        "newest": "2015-08-08T00:09:00+00:00",
        "addresses": {
            "rows": "http://testserver/stats/volume-1m",
            "layout": "http://testserver/stats/volume-1m/layout",
            "json": "http://testserver/stats/volume-1m.json",
            "csv": "http://testserver/stats/volume-1m.csv",
            "html": "http://testserver/stats/volume-1m.html",
            "svg": "http://testserver/stats/volume-1m.svg",
        },
    }
    by_category = found["volume-by-category-1m"]
    assert by_category["newest"] is None
    assert "layout" not in by_category["addresses"]


def test_addresses_of_the_index_lead_there(client):
    for one in client.get("/stats/").json():
        for address in one["addresses"].values():
            assert client.get(address).status_code == 200


def test_the_index_for_people(client):
    page = client.get("/stats/", headers={"Accept": "text/html"}).content.decode()
    assert '<a href="http://testserver/stats/open-1m.html">open-1m</a>' in page
    assert "For &lt;everybody&gt; &amp; all" in page


def test_the_index_by_jsonp_has_what_is_public(client):
    body = client.get("/stats/?callback=f").content.decode()
    assert body.startswith('/**/f([{"ident":"open-1m"')
    assert "volume" not in body


def test_the_index_has_no_other_parameters(client):
    response = client.get("/stats/?order=asc")
    assert response.json()["errors"][0]["detail"].startswith("there is no such parameter")


def test_the_index_is_known_by_its_etag(client, volume):
    etag = client.get("/stats/")["ETag"]
    assert client.get("/stats/", headers={"If-None-Match": etag}).status_code == 304
    Scalar.objects.create(statistic="volume-1m", timestamp=minute(99), scalar=1)
    assert client.get("/stats/", headers={"If-None-Match": etag}).status_code == 200


def test_a_layout_is_what_the_plugin_says(client):
    response = client.get("/stats/volume-1m/layout")
    assert response.json() == {"groups": [{"id": 1, "name": "all"}], "since": None}
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert client.get("/stats/open-1m/layout?callback=f").content.startswith(b"/**/f({")
    assert client.get("/stats/open-1m/layout", headers={"Accept": "text/csv"}).status_code == 406
    assert client.get("/stats/open-1m/layout?limit=1").status_code == 400


def test_a_layout_that_is_false_is_one(client, monkeypatch):
    monkeypatch.setattr(Volume, "layout", [])
    assert client.get("/stats/volume-1m/layout").json() == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("volume-by-category-1m/layout", "volume-by-category-1m has no layout"),
        ("volume", "no statistic is called 'volume' (did you mean 'volume-1m'?)"),
        ("volume-1m.xml", "did you mean 'volume-1m'?"),
        ("volum-1m.csv", "no statistic is called 'volum-1m' (did you mean 'volume-1m'?)"),
        ("banana/layout", "no statistic is called 'banana'"),
        (".json", "no statistic is called '.json'"),
        ("%00", "no statistic is called '\\x00'"),
        ("%ff%fe", "no statistic is called"),
        ("%F0%9F%92%A9", "no statistic is called '💩'"),
    ],
)
def test_what_is_not_there(client, path, words):
    response = client.get(f"/stats/{path}")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert words in response.json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["", "volume-1m", "volume-1m/layout", "openapi.json"])
def test_statistics_are_only_read(client, method, path):
    response = client.generic(method, f"/stats/{path}")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response["Content-Type"] == "application/problem+json"


def test_an_unknown_host_is_a_bad_request(client, settings):
    for debug in (False, True):
        settings.DEBUG = debug
        response = client.get("/stats/volume-1m", headers={"Host": "evil.example"})
        assert (response.status_code, response.json()["title"]) == (400, "Bad Request")


def test_a_missing_table_is_said(client, caplog):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE pillowtop_stats_scalar")
    for path in ("", "volume-1m"):
        response = client.get(f"/stats/{path}")
        assert (response.status_code, response["Retry-After"]) == (503, "10")
        assert "manage.py migrate" in response.json()["detail"]
    assert caplog.records[0].action == "stats_database_error"


def test_a_database_that_does_not_answer_is_said(client, monkeypatch):
    def fail():
        raise OperationalError("connection refused by db.example:5432")

    monkeypatch.setattr(Volume, "rows", staticmethod(fail))
    response = client.get("/stats/volume-1m")
    assert (response.status_code, "db.example" in response.content.decode()) == (503, False)


def test_settings_that_cannot_be_are_said(client, settings, caplog):
    settings.PILLOWTOP_STATS = {"ACESS": "public"}
    response = client.get("/stats/volume-1m")
    assert (response.status_code, "manage.py check" in response.json()["detail"]) == (503, True)
    assert "did you mean 'ACCESS'?" in caplog.text


def test_all_of_it_is_described(client):
    response = client.get("/stats/openapi.json")
    described = response.json()
    assert set(described["paths"]) == {"/stats/", "/stats/{ident}", "/stats/{ident}/layout"}
    rows = described["paths"]["/stats/{ident}"]["get"]
    assert {one["name"] for one in rows["parameters"]} == {
        "ident", "callback", "order", "start", "stop", "category", "rows_per_page", "limit",
        "cursor", "count",
    }  # fmt: skip
    assert set(rows["responses"]) == {"200", "304", "400", "403", "404", "405", "406", "503"}
    assert set(rows["responses"]["200"]["content"]) == {
        "application/json", "text/json", "text/html", "text/csv", "application/csv",
        "image/svg+xml", "application/javascript", "text/javascript",
    }  # fmt: skip
