"""Pages: each row once, in order, whatever arrives meanwhile."""

from __future__ import annotations

import gc
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import F
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pillowtop.stats.models import Categorized, Scalar
from pillowtop.stats.records.pages import Book, Rows
from tests.stats.http.conftest import START, minute


def links(response):
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', response["Link"])
    return {relation: address for address, relation in found}


def scalars(response):
    assert response.status_code == 200, response.content
    return [row["scalar"] for row in response.json()]


def follow(client, address, relation="next"):
    """All pages from an address on."""
    pages = []
    while address:
        response = client.get(address)
        pages.append(scalars(response))
        address = links(response).get(relation)
    return pages


@pytest.mark.usefixtures("volume")
def test_there_and_back(client):
    address = "/stats/volume-1m?rows_per_page=4"
    assert follow(client, address) == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]
    last = links(client.get(links(client.get(address))["next"]))["next"]
    assert follow(client, last, "previous") == [[1, 0], [5, 4, 3, 2], [9, 8, 7, 6]]


@pytest.mark.usefixtures("volume")
def test_pages_are_numbered(client):
    response = client.get("/stats/volume-1m?rows_per_page=4&order=asc")
    numbers = [response["X-Link-Number"]]
    while address := links(response).get("next"):
        response = client.get(address)
        numbers.append(response["X-Link-Number"])
    assert numbers == ["1", "2", "3"]
    back = client.get(links(response)["previous"])
    assert back["X-Link-Number"] == "2"
    assert client.get(links(back)["previous"])["X-Link-Number"] == "1"
    assert client.get(links(back)["first"])["X-Link-Number"] == "1"


@pytest.mark.usefixtures("volume")
def test_pages_are_counted_only_when_asked(client, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert "X-Link-Count" not in client.get("/stats/volume-1m?rows_per_page=4").headers
    counts = {
        "rows_per_page=4": "3",
        "rows_per_page=5": "2",
        "rows_per_page=4&limit=8": "2",
        "rows_per_page=4&limit=100": "3",
        "stop=1": "0",
    }
    for query, count in counts.items():
        assert client.get(f"/stats/volume-1m?count=true&{query}")["X-Link-Count"] == count


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(
    ("limit", "pages"),
    [
        (3, [[0, 1, 2]]),
        (4, [[0, 1, 2, 3]]),
        (6, [[0, 1, 2, 3], [4, 5]]),
        (8, [[0, 1, 2, 3], [4, 5, 6, 7]]),
        (99, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
    ],
)
def test_a_limit_holds_for_all_pages(client, limit, pages):
    assert follow(client, f"/stats/volume-1m?order=asc&rows_per_page=4&limit={limit}") == pages


@pytest.mark.usefixtures("volume")
def test_links_keep_the_filters_and_fix_the_end(client):
    response = client.get("/stats/volume-1m?rows_per_page=2&start=2015-08-08&limit=9&_=77")
    for address in links(response).values():
        asked = parse_qs(urlsplit(address).query)
        assert address.startswith("http://testserver/stats/volume-1m?")
        assert asked["start"] == ["2015-08-08"]
        assert asked["limit"] == ["9"]
        assert asked["rows_per_page"] == ["2"]
        assert abs(datetime.fromisoformat(asked["stop"][0]) - datetime.now(UTC)) < timedelta(
            hours=1
        )
        assert "_" not in asked
    assert "cursor" not in parse_qs(urlsplit(links(response)["first"]).query)


@pytest.mark.usefixtures("volume")
def test_an_end_that_is_given_stays_as_it_is_written(client):
    response = client.get("/stats/volume-1m?rows_per_page=2&stop=1438992180.5")
    assert parse_qs(urlsplit(links(response)["next"]).query)["stop"] == ["1438992180.5"]
    assert follow(client, links(response)["first"]) == [[3, 2], [1, 0]]


def test_new_rows_do_not_move_pages(client, volume):
    first = client.get("/stats/volume-1m?rows_per_page=4")
    Scalar.objects.create(statistic="volume-1m", timestamp=minute(11), scalar=11)
    Scalar.objects.create(statistic="volume-1m", timestamp=volume[9].timestamp, scalar=12)
    assert scalars(client.get(links(first)["next"])) == [5, 4, 3, 2]


def test_rows_of_one_time_are_in_the_order_of_their_ids(client):
    Scalar.objects.bulk_create(
        Scalar(statistic="volume-1m", timestamp=minute(0), scalar=number) for number in range(7)
    )
    assert follow(client, "/stats/volume-1m?rows_per_page=3") == [[6, 5, 4], [3, 2, 1], [0]]
    assert follow(client, "/stats/volume-1m?rows_per_page=3&order=asc")[1] == [3, 4, 5]


def test_the_row_of_a_cursor_may_go(client, volume):
    first = client.get("/stats/volume-1m?rows_per_page=4")
    volume[6].delete()
    assert scalars(client.get(links(first)["next"])) == [5, 4, 3, 2]


def test_a_page_of_which_all_rows_have_gone_is_empty(client, volume):
    first = client.get("/stats/volume-1m?rows_per_page=4")
    Scalar.objects.all().delete()
    response = client.get(links(first)["next"])
    assert scalars(response) == []
    assert list(links(response)) == ["first"]


def test_csv_and_charts_have_whole_windows(client, categories):
    response = client.get("/stats/volume-by-category-1m.csv?rows_per_page=4&order=asc")
    lines = []
    while True:
        lines += response.content.decode().splitlines()
        assert "X-Link-Number" not in response.headers
        if "next" not in links(response):
            break
        response = client.get(links(response)["next"])
    assert lines == [
        "timestamp,git,koji,wiki", "2015-08-08T00:00:00+00:00,0,2,1",
        "timestamp,git,koji,wiki", "2015-08-08T00:01:00+00:00,10,12,11",
        "timestamp,git,koji,wiki", "2015-08-08T00:02:00+00:00,20,22,21",
        "timestamp,git,wiki", "2015-08-08T00:03:00+00:00,30,31",
    ]  # fmt: skip
    previous = client.get(links(response)["previous"])
    assert previous.content.decode().splitlines() == lines[4:6]


@pytest.mark.usefixtures("categories")
def test_a_window_is_whole_even_where_it_is_longer_than_a_page(client):
    response = client.get("/stats/volume-by-category-1m.csv?rows_per_page=2")
    assert response.content.decode().splitlines()[1] == "2015-08-08T00:03:00+00:00,30,31"
    response = client.get(links(response)["next"])
    assert response.content.decode().splitlines()[1] == "2015-08-08T00:02:00+00:00,20,22,21"


@pytest.mark.usefixtures("categories")
@pytest.mark.parametrize(("limit", "windows"), [(1, 1), (2, 1), (4, 1), (5, 2), (6, 2), (99, 4)])
def test_a_limit_ends_with_a_whole_window(client, limit, windows):
    address = f"/stats/volume-by-category-1m.csv?rows_per_page=2&limit={limit}"
    found = 0
    while address:
        response = client.get(address)
        found += len(response.content.decode().splitlines()) - 1
        address = links(response).get("next")
    assert found == windows


@pytest.mark.usefixtures("categories")
def test_pages_of_whole_windows_cannot_be_counted(client):
    response = client.get("/stats/volume-by-category-1m.csv?count=true")
    assert (response.status_code, response.json()["errors"][0]["parameter"]) == (400, "count")


moments = st.integers(0, 6)


@given(
    standing=st.lists(moments, max_size=30),
    arriving=st.lists(st.lists(moments, max_size=4), max_size=12),
    size=st.integers(1, 7),
    order=st.sampled_from(["asc", "desc"]),
)
@settings(max_examples=60, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_each_row_is_met_once_and_in_order_while_others_arrive(standing, arriving, size, order):
    Scalar.objects.all().delete()
    before = make(standing)
    client, met, pages = Client(), [], []
    address = f"/stats/volume-1m?rows_per_page={size}&order={order}&stop=2100-01-01"
    for new in [*arriving, *[[]] * 60]:
        response = client.get(address)
        pages.append(response)
        met += scalars(response)
        address = links(response).get("next")
        if address is None:
            break
        make(new)
    assert address is None
    assert len(met) == len(set(met))
    assert {row.pk for row in before} <= set(met)
    keys = [(Scalar.objects.get(pk=pk).timestamp, pk) for pk in met]
    assert keys == sorted(keys, reverse=order == "desc")


@given(
    standing=st.lists(moments, min_size=1, max_size=30),
    size=st.integers(1, 7),
    order=st.sampled_from(["asc", "desc"]),
)
@settings(max_examples=40, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_the_way_back_has_the_same_pages(standing, size, order):
    Scalar.objects.all().delete()
    make(standing)
    client = Client()
    address = f"/stats/volume-1m?rows_per_page={size}&order={order}"
    there, last = [], address
    while last:
        response = client.get(last)
        there.append(scalars(response))
        last, end = links(response).get("next"), last
    back = follow(client, end, "previous")
    assert back == there[::-1]


def make(offsets):
    """Rows at some minutes; each has its id for a number."""
    rows = [
        Scalar.objects.create(
            statistic="volume-1m", timestamp=START + timedelta(minutes=offset), scalar=0
        )
        for offset in offsets
    ]
    for row in rows:
        row.scalar = row.pk
    Scalar.objects.bulk_update(rows, ["scalar"])
    return rows


@given(
    windows=st.lists(st.integers(1, 9), max_size=8),
    size=st.integers(1, 12),
    order=st.sampled_from(["asc", "desc"]),
)
@settings(max_examples=40, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_pages_of_whole_windows_have_each_window_once_and_whole(windows, size, order):
    Categorized.objects.all().delete()
    Categorized.objects.bulk_create(
        Categorized(statistic="volume-by-category-1m", timestamp=minute(number),
                    category=f"c{place}", scalar=1)
        for number, count in enumerate(windows) for place in range(count)
    )  # fmt: skip
    client, found = Client(), []
    address = f"/stats/volume-by-category-1m.csv?rows_per_page={size}&order={order}"
    while address:
        response = client.get(address)
        for line in response.content.decode().splitlines()[1:]:
            time, *cells = line.split(",")
            found.append((time, sum(int(cell) for cell in cells)))
        address = links(response).get("next")
    expected = [(minute(number).isoformat(), count) for number, count in enumerate(windows)]
    assert found == (expected if order == "asc" else expected[::-1])


@pytest.mark.usefixtures("volume")
def test_no_row_of_a_page_lives_longer_than_somebody_looks_at_it():
    before = alive(Scalar)
    rows = Scalar.objects.filter(statistic="volume-1m")
    page = Book(rows, None, minute(100), descending=False, size=7).page(None)
    assert [row.scalar for row in page.rows] == [0, 1, 2, 3, 4, 5, 6]
    assert page.more
    assert page.end.row == page.rows[-1].pk
    assert alive(Scalar) == before


def alive(kind):
    return sum(type(one) is kind for one in gc.get_objects())


@pytest.mark.usefixtures("volume")
def test_rows_are_whole_models_of_the_database_they_come_from():
    (row,) = Rows.of(Scalar.objects.filter(scalar=3))
    assert row == Scalar.objects.get(scalar=3)
    assert not row._state.adding
    assert row._state.db == "default"
    row.scalar = 30
    row.save()
    assert Scalar.objects.filter(scalar=30).exists()


@pytest.mark.usefixtures("volume")
def test_what_a_query_set_adds_to_its_rows_stays():
    rows = Rows.of(Scalar.objects.annotate(double=F("scalar") * 2).order_by("scalar"))
    assert [row.double for row in rows] == [2 * number for number in range(10)]
