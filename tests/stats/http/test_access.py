"""Who may read: closed by default, by Django's own means."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.stats.http.conftest import MIDDLEWARE
from tests.stats.http.plugins import ALL

PATHS = ("volume-1m", "volume-1m.csv", "volume-1m/layout")


class User:
    """As django.contrib.auth has them."""

    is_active = True

    def __init__(self, *, is_authenticated=True, is_staff=False):
        self.is_authenticated = is_authenticated
        self.is_staff = is_staff


NOBODY = User(is_authenticated=False)


@pytest.fixture
def sign_in(settings, monkeypatch):
    """Have all requests come from a user."""

    def sign(user):
        settings.MIDDLEWARE = ["tests.stats.http.test_access.with_user"]
        monkeypatch.setattr("tests.stats.http.test_access.CURRENT", user)
        return Client()

    return sign


CURRENT = NOBODY


def with_user(answer):
    def middleware(request):
        request.user = CURRENT
        return answer(request)

    return middleware


@pytest.fixture(autouse=True)
def closed(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": ALL}


def statuses(client, paths=PATHS):
    return {client.get(f"/stats/{path}").status_code for path in paths}


def test_by_default_users_of_the_project_read(sign_in):
    assert statuses(sign_in(NOBODY)) == {403}
    assert statuses(sign_in(User())) == {200}


def test_staff(sign_in, settings):
    settings.PILLOWTOP_STATS |= {"ACCESS": "staff"}
    assert statuses(sign_in(NOBODY)) == {403}
    assert statuses(sign_in(User())) == {403}
    assert statuses(sign_in(User(is_staff=True))) == {200}
    assert "staff" in sign_in(User()).get("/stats/volume-1m").json()["detail"]


def test_everybody(client, settings):
    settings.PILLOWTOP_STATS |= {"ACCESS": "public"}
    assert statuses(client) == {200}


def test_debug_opens(client, settings):
    settings.DEBUG = True
    assert statuses(client) == {200}


def test_without_users_nobody_reads(client):
    response = client.get("/stats/volume-1m")
    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert "AuthenticationMiddleware is not installed" in response.json()["detail"]


def test_what_is_public_is_read_by_everybody(client):
    assert statuses(client, ["open-1m", "open-1m.svg", "open-1m/layout", "openapi.json"]) == {200}


def test_the_refusal_says_where_to_sign_in(sign_in, settings):
    settings.LOGIN_URL = "/sign-in/"
    assert sign_in(NOBODY).get("/stats/volume-1m").json()["detail"] == "sign in first at /sign-in/"
    settings.LOGIN_URL = "no-such-name"
    assert sign_in(NOBODY).get("/stats/volume-1m").json()["detail"] == "sign in first"


def test_the_index_has_what_may_be_read(sign_in, settings):
    assert [one["ident"] for one in sign_in(NOBODY).get("/stats/").json()] == ["open-1m"]
    assert len(sign_in(User()).get("/stats/").json()) == len(ALL)
    settings.PILLOWTOP_STATS |= {"PLUGINS": ALL[:-1]}
    assert sign_in(NOBODY).get("/stats/").status_code == 403


def test_whoever_may_not_read_does_not_learn_what_there_is(client):
    there, absent = client.get("/stats/volume-1m"), client.get("/stats/banana-1m")
    assert (there.status_code, there.content) == (absent.status_code, absent.content)


def test_jsonp_is_for_what_is_public_even_for_users(sign_in):
    client = sign_in(User())
    assert client.get("/stats/volume-1m?callback=f").status_code == 403
    assert client.get("/stats/open-1m?callback=f").status_code == 200
    assert b"volume" not in client.get("/stats/?callback=f").content


def test_by_the_middleware_of_django(settings):
    """Sessions of signed cookies: the tests have no table of users."""
    settings.INSTALLED_APPS = [
        *settings.INSTALLED_APPS,
        "django.contrib.auth",
        "django.contrib.contenttypes",
    ]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = MIDDLEWARE
    assert statuses(Client()) == {403}
