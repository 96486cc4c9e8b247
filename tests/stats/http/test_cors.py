"""Pages of other hosts, by django-cors-headers as the documentation sets it up."""

from __future__ import annotations

import pytest
from corsheaders.defaults import default_headers
from django.test import Client

ORIGIN = "https://dashboard.example.org"


@pytest.fixture
def client(settings):
    settings.MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]
    settings.CORS_URLS_REGEX = r"^/stats/"
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    settings.CORS_ALLOW_METHODS = ["GET", "HEAD", "OPTIONS"]
    settings.CORS_ALLOW_HEADERS = [*default_headers, "if-none-match"]
    settings.CORS_EXPOSE_HEADERS = ["ETag", "Link", "X-Link-Count", "X-Link-Number"]
    return Client(headers={"Origin": ORIGIN})


def test_a_page_of_an_allowed_host_sees_rows_and_links(client, volume):
    response = client.get("/stats/volume-1m?rows_per_page=2&count=true")
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    exposed = response["Access-Control-Expose-Headers"].split(", ")
    assert all(name in response.headers for name in exposed)
    assert set(response["Vary"].lower().split(", ")) == {"accept", "cookie", "origin"}


def test_its_browser_may_ask_beforehand(client):
    asked = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    response = client.options("/stats/volume-1m", headers=asked)
    assert response.status_code == 200
    assert "if-none-match" in response["Access-Control-Allow-Headers"]
    assert "GET" in response["Access-Control-Allow-Methods"]


def test_nobody_else_may(client):
    response = client.get("/stats/volume-1m", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers
