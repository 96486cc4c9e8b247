"""Which format an answer has, and what goes with it."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from pillowtop.stats.models import Scalar
from tests.stats.http.conftest import minute

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
IMAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/json", "text/json"),
        ("text/csv", "text/csv"),
        ("application/csv", "application/csv"),
        ("text/html", "text/html"),
        ("image/svg+xml", "image/svg+xml"),
        ("image/*", "image/svg+xml"),
        ("application/*", "application/json"),
        (BROWSER, "text/html"),
        (IMAGE, "image/svg+xml"),
        ("text/csv, */*", "text/csv"),
        ("*/*;q=0.1, text/csv;q=0.2", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv;q=0.5, text/html;q=0.6", "text/html"),
        ("text/html, image/svg+xml", "text/html"),
        ("image/svg+xml, text/html", "image/svg+xml"),
        ("application/json;q=0, */*", "text/json"),
        ("text/*;q=0.1, text/json;q=0, application/json;q=0.05", "text/html"),
        ("TEXT/CSV", "text/csv"),
        ("text/csv;q=banana", "text/csv"),
        ("application/javascript, text/csv;q=0.1", "text/csv"),
    ],
)
def test_the_client_chooses(client, accept, content_type):
    headers = {} if accept is None else {"Accept": accept}
    response = client.get("/stats/volume-1m", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == f"{content_type}; charset=utf-8"
    assert response["Vary"] == "Accept, Cookie"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(
    "accept", ["image/png", "application/xml", "banana", "*/*;q=0", "application/json;q=0",
               "text/", "/", "application/javascript", ";;;", "text/csv;q=0, image/png"],
)  # fmt: skip
def test_what_nobody_has_is_not_acceptable(client, accept):
    response = client.get("/stats/volume-1m", headers={"Accept": accept})
    assert response.status_code == 406
    assert response["Content-Type"] == "application/problem+json"
    assert "application/json, text/json, text/html, text/csv" in response.json()["detail"]


def test_an_accept_header_that_cannot_be_read_is_a_bad_request(client):
    response = client.get("/stats/volume-1m", headers={"Accept": "text/csv;q*=utf-99'en'1"})
    assert (response.status_code, "Accept" in response.json()["detail"]) == (400, True)


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(
    ("suffix", "content_type"),
    [("json", "application/json"), ("csv", "text/csv"), ("html", "text/html"),
     ("svg", "image/svg+xml")],
)  # fmt: skip
def test_an_address_may_end_with_the_format(client, suffix, content_type):
    response = client.get(f"/stats/volume-1m.{suffix}", headers={"Accept": "image/png"})
    assert response["Content-Type"] == f"{content_type}; charset=utf-8"


@pytest.mark.usefixtures("volume")
def test_csv_has_a_header_and_the_time_first(client):
    response = client.get("/stats/volume-1m.csv?limit=2")
    assert response.content == (
        b"timestamp,scalar\r\n2015-08-08T00:09:00+00:00,9\r\n2015-08-08T00:08:00+00:00,8\r\n"
    )


@pytest.mark.usefixtures("categories")
def test_csv_of_categories_has_a_column_for_each(client):
    response = client.get("/stats/volume-by-category-1m.csv?order=asc&start=2015-08-08T00:02")
    assert list(csv.reader(io.StringIO(response.content.decode()))) == [
        ["timestamp", "git", "koji", "wiki"],
        ["2015-08-08T00:02:00+00:00", "20", "22", "21"],
        ["2015-08-08T00:03:00+00:00", "30", "0", "31"],
    ]


@pytest.mark.usefixtures("volume")
def test_the_page_has_the_chart_the_rows_and_where_to_go(client):
    response = client.get("/stats/volume-1m.html?rows_per_page=4")
    page = response.content.decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Messages in a minute</title>" in page
    assert page.count("<tr>") == 5
    assert page.count("<svg") == 1
    assert ">next</a>" in page
    assert 'href="http://testserver/stats/volume-1m.csv?rows_per_page=4"' in page
    assert "<script" not in page
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_what_a_plugin_says_is_escaped(client):
    page = client.get("/stats/open-1m.html").content.decode()
    assert "<h1>For &lt;everybody&gt; &amp; all</h1>" in page
    assert "<everybody>" not in page


@pytest.mark.usefixtures("categories")
@pytest.mark.parametrize("statistic", ["volume-1m", "volume-by-category-1m", "log-1m", "latest-1m"])
def test_a_chart_is_xml_without_scripts(client, statistic):
    response = client.get(f"/stats/{statistic}.svg")
    root = ET.fromstring(response.content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [one for one in root.iter() if one.tag.endswith(("script", "animate"))]
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_a_chart_has_as_many_rows_as_may_be(client, settings):
    settings.PILLOWTOP_STATS |= {"DEFAULT_ROWS": 2, "MAX_ROWS": 9}
    Scalar.objects.bulk_create(
        Scalar(statistic="volume-1m", timestamp=minute(number), scalar=1) for number in range(20)
    )
    assert client.get("/stats/volume-1m.html").content.decode().count("<tr>") == 10
    assert len(client.get("/stats/volume-1m.json").json()) == 2


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e308, -1e308, 5e-324])
@pytest.mark.parametrize("suffix", ["json", "csv", "html", "svg"])
def test_wild_numbers(client, value, suffix):
    for number, scalar in enumerate([1.5, value, 3.0]):
        Scalar.objects.create(statistic="volume-1m", timestamp=minute(number), scalar=scalar)
    response = client.get(f"/stats/volume-1m.{suffix}?order=asc")
    assert response.status_code == 200
    if suffix == "json":
        plain = None if value in (float("inf"), float("-inf")) else value
        strict = json.loads(response.content, parse_constant=pytest.fail)
        assert [row["scalar"] for row in strict] == [1.5, plain, 3]


# The answer that the client has already.


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("suffix", ["json", "csv", "html", "svg"])
def test_what_the_client_has_is_not_sent_again(client, suffix, monkeypatch):
    address = f"/stats/volume-1m.{suffix}"
    etag = client.get(address)["ETag"]
    monkeypatch.setattr(Scalar, f"to_{suffix}", lambda *_, **__: pytest.fail("is rendered"))
    for header in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        response = client.get(address, headers={"If-None-Match": header})
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == etag
        assert {"Cache-Control", "Vary", "Link"} <= set(response.headers)


@pytest.mark.parametrize("header", ['"other"', "", "W/", '"', "\\"])
def test_other_etags_get_an_answer(client, header):
    response = client.get("/stats/volume-1m", headers={"If-None-Match": header})
    assert response.status_code == 200


def test_an_etag_changes_with_the_rows_and_what_is_asked(client, volume):
    def etag(query="", accept="application/json"):
        return client.get(f"/stats/volume-1m?{query}", headers={"Accept": accept})["ETag"]

    first = etag()
    assert etag() == first
    assert etag("order=asc") != first
    assert etag("limit=4") != first
    assert etag(accept="text/csv") != first
    volume[3].scalar = 3.5
    volume[3].save()
    assert etag() != first


@pytest.mark.parametrize(("statistic", "cache"), [("volume-1m", "private, no-cache"),
                                                  ("open-1m", "no-cache")])  # fmt: skip
def test_only_what_is_public_may_be_shared(client, statistic, cache):
    assert client.get(f"/stats/{statistic}")["Cache-Control"] == cache


# JSONP.


@pytest.mark.parametrize("callback", ["f", "$", "_", "a.b.c", "jQuery351_1439", "show$it"])
@pytest.mark.parametrize("suffix", ["", ".json"])
def test_jsonp_of_what_is_public(client, callback, suffix):
    Scalar.objects.create(statistic="open-1m", timestamp=minute(1), scalar=5)
    response = client.get(f"/stats/open-1m{suffix}?callback={callback}")
    assert response["Content-Type"] == "application/javascript; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    body = response.content.decode()
    assert body.startswith(f"/**/{callback}([")
    assert json.loads(body[len(f"/**/{callback}(") : -2])[0]["scalar"] == 5
    assert f"callback={callback.replace('$', '%24')}" in response["Link"]


def test_jsonp_in_the_type_that_is_asked_for(client):
    response = client.get("/stats/open-1m?callback=f", headers={"Accept": "text/javascript"})
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert (
        client.get("/stats/open-1m?callback=f", headers={"Accept": "text/csv"}).status_code == 406
    )


def test_jsonp_of_what_is_not_public_is_forbidden(client):
    for address in ("/stats/volume-1m?callback=f", "/stats/volume-1m/layout?callback=f"):
        response = client.get(address)
        assert (response.status_code, "not public" in response.json()["detail"]) == (403, True)


def test_there_is_no_jsonp_of_other_formats(client):
    response = client.get("/stats/open-1m.csv?callback=f")
    assert (response.status_code, "callback" in response.json()["detail"]) == (400, True)


# Without a body.


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("path", ["", "volume-1m", "volume-1m.svg", "volume-1m/layout"])
def test_head_has_the_headers_of_get(client, path):
    head, get = client.head(f"/stats/{path}"), client.get(f"/stats/{path}")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "ETag", "Vary", "X-Content-Type-Options"):
        assert head[name] == get[name]
