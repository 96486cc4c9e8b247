"""What rows there are to an address: order, filters, and what is wrong with parameters."""

from __future__ import annotations

import base64
import json

import pytest

from pillowtop.stats.models import CategorizedLog, Scalar
from tests.stats.http.conftest import minute


def scalars(client, address):
    response = client.get(address)
    assert response.status_code == 200, response.content
    return [row["scalar"] for row in response.json()]


@pytest.mark.usefixtures("volume")
def test_the_newest_are_first(client):
    assert scalars(client, "/stats/volume-1m") == list(range(9, -1, -1))
    assert scalars(client, "/stats/volume-1m?order=desc") == list(range(9, -1, -1))
    assert scalars(client, "/stats/volume-1m?order=asc") == list(range(10))


@pytest.mark.usefixtures("volume")
def test_rows_have_all_columns_but_id_and_statistic(client):
    (row,) = client.get("/stats/volume-1m?limit=1").json()
    assert row == {"timestamp": "2015-08-08T00:09:00+00:00", "scalar": 9}


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("start=2015-08-08T00:07:00Z", [7, 8, 9]),
        ("stop=2015-08-08T00:02:00Z", [0, 1, 2]),
        ("start=2015-08-08T00:02:00Z&stop=2015-08-08T00:04:00Z", [2, 3, 4]),
        ("start=2015-08-08T00:02:00.000001Z&stop=2015-08-08T00:03:59.999999Z", [3]),
        ("start=2015-08-08T02:08:00%2B02:00", [8, 9]),
        ("start=2015-08-08T02:08:00+02:00", [8, 9]),
        ("start=2015-08-08T00:08", [8, 9]),
        ("start=2015-08-08", list(range(10))),
        ("start=1438992480&stop=1438992480.0", [8]),
        ("start=1.43899248e9", [8, 9]),
        ("start=1438992480.000001", [9]),
        ("stop=1", []),
        ("start=9000-01-01", []),
        ("start=2015-08-08T00:04:00Z&stop=2015-08-08T00:02:00Z", []),
        ("limit=3", [0, 1, 2]),
        ("limit=100", list(range(10))),
        ("rows_per_page=4", [0, 1, 2, 3]),
        ("rows_per_page=4&limit=2", [0, 1]),
        ("_=1438992480", list(range(10))),
    ],
)
def test_filters(client, filters, expected):
    assert scalars(client, f"/stats/volume-1m?order=asc&{filters}") == expected


def test_what_ends_later_than_now_comes_only_when_asked_for(client):
    Scalar.objects.create(statistic="volume-1m", timestamp="2200-01-01T00:00Z", scalar=5)
    assert scalars(client, "/stats/volume-1m") == []
    assert scalars(client, "/stats/volume-1m?stop=2200-01-01") == [5]


def test_rows_of_other_statistics_are_not_among_them(client):
    Scalar.objects.create(statistic="volume-1h", timestamp=minute(0), scalar=5)
    assert scalars(client, "/stats/volume-1m") == []


@pytest.mark.usefixtures("categories")
def test_rows_of_a_category(client):
    rows = client.get("/stats/volume-by-category-1m?category=wiki&order=asc").json()
    assert [(row["category"], row["scalar"]) for row in rows] == [
        ("wiki", 1), ("wiki", 11), ("wiki", 21), ("wiki", 31),
    ]  # fmt: skip
    assert client.get("/stats/volume-by-category-1m?category=none").json() == []


def test_logs_have_words(client):
    CategorizedLog.objects.create(
        statistic="log-1m", timestamp=minute(1), category="git", message='so "quoted"'
    )
    assert client.get("/stats/log-1m").json() == [
        {"timestamp": "2015-08-08T00:01:00+00:00", "category": "git", "message": 'so "quoted"'}
    ]


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("order=up", "order", "'asc' or 'desc'"),
        ("order=", "order", "'asc' or 'desc'"),
        ("start=yesterday", "start", "2015-08-08T00:00:00Z"),
        ("start=", "start", "is no time"),
        ("start=nan", "start", "is no time"),
        ("start=inf", "start", "is no time"),
        ("start=1e999", "start", "no time"),
        ("start=1e300", "start", "no time"),
        ("start=99999999999999", "start", "no time"),
        ("start=0001-01-01T00:00:00%2B14:00", "start", "no time"),
        ("start=2015-13-01", "start", "is no time"),
        ("stop=%00", "stop", "is no time"),
        ("stop=-1e17", "stop", "no time"),
        ("rows_per_page=0", "rows_per_page", "greater than or equal to 1"),
        ("rows_per_page=-1", "rows_per_page", "greater than or equal to 1"),
        ("rows_per_page=ten", "rows_per_page", "valid integer"),
        ("rows_per_page=1.5", "rows_per_page", "valid integer"),
        ("rows_per_page=1001", "rows_per_page", "1000 rows at most"),
        (f"rows_per_page={'9' * 5000}", "rows_per_page", "integer"),
        ("limit=0", "limit", "greater than or equal to 1"),
        (f"limit={10**30}", "limit", "less than or equal"),
        ("cursor=banana!", "cursor", "no cursor of ours"),
        ("cursor=", "cursor", "no cursor of ours"),
        ("cursor=AAAA", "cursor", "no cursor of ours"),
        ("count=perhaps", "count", "valid boolean"),
        ("category=git", "category", "has no categories"),
        ("category=%00", "category", "should match pattern"),
        (f"category={'x' * 1001}", "category", "at most 1000"),
        ("callback=alert(1)", "callback", "should match pattern"),
        ("callback=a%0Ab", "callback", "should match pattern"),
        (f"callback={'x' * 101}", "callback", "at most 100"),
        ("page=2", "page", "Link header"),
        ("paginate=yes", "paginate", "rows_per_page"),
        ("ordr=asc", "ordr", "did you mean 'order'?"),
        ("colour=red", "colour", "there are callback, category"),
        ("order=asc&order=desc", "order", "more than once"),
    ],
)
def test_a_bad_parameter_is_named(client, query, parameter, words):
    response = client.get(f"/stats/open-1m?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert words in problem["errors"][0]["detail"]
    assert problem["detail"].startswith(f"{parameter}: ")


def test_all_bad_parameters_are_named_at_once(client):
    problem = client.get("/stats/volume-1m?order=up&limit=x").json()
    assert [error["parameter"] for error in problem["errors"]] == ["order", "limit"]


def test_a_cursor_of_another_kind_of_row_is_refused(client):
    token = base64.urlsafe_b64encode(json.dumps([False, 0, "uuid", 0]).encode()).decode()
    problem = client.get(f"/stats/volume-1m?cursor={token.rstrip('=')}").json()
    assert problem["detail"] == "cursor: this cursor is of another statistic"


def test_the_setting_says_how_long_a_page_is(client, volume, settings):
    settings.PILLOWTOP_STATS |= {"DEFAULT_ROWS": 2, "MAX_ROWS": 5}
    assert scalars(client, "/stats/volume-1m") == [9, 8]
    assert len(scalars(client, "/stats/volume-1m?rows_per_page=5")) == 5
    assert client.get("/stats/volume-1m?rows_per_page=6").status_code == 400


def test_too_many_parameters_are_a_bad_request(client):
    query = "&".join(f"a{number}=1" for number in range(2000))
    response = client.get(f"/stats/volume-1m?{query}")
    assert (response.status_code, response.json()["title"]) == (400, "Bad Request")


def test_parameters_are_utf_8_whatever_a_body_would_be(client, categories):
    response = client.generic(
        "GET",
        "/stats/volume-by-category-1m?category=%67it",
        content_type="text/plain; charset=base64",
    )
    assert len(response.json()) == 4
