from __future__ import annotations

import traceback

import pytest

from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import ConfigurationError


def test_credentials_are_taken_out_of_the_url():
    endpoint = Endpoint.parse("http://ann:s%40crt@host:5984/prefix/")
    assert endpoint.url == "http://host:5984/prefix"
    assert (endpoint.username, endpoint.password) == ("ann", "s@crt")
    assert (endpoint.host, endpoint.port, endpoint.path) == ("host", 5984, "/prefix")


def test_those_given_separately_go_first():
    endpoint = Endpoint.parse("http://ann:old@host", username="bob", password="new")
    assert (endpoint.username, endpoint.password) == ("bob", "new")


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint.parse("http://ann:s3cret@host"),
        Endpoint.parse("http://host", username="ann", password="s3cret"),
        Endpoint.parse("http://host", api_key="s3cret"),
    ],
)
def test_no_secret_is_shown(endpoint):
    assert "s3cret" not in repr(endpoint)
    assert "s3cret" not in str(endpoint)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:5984",
        "ftp://host",
        "http://",
        "http://host:notaport",
        "http://host:99999",
        "http://[::1",
        "http://ho st",
        "http://h\u2192st",
        "http://host/\u2192",
        "http://host/a b",
        "http://\ud800",
    ],
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ConfigurationError):
        Endpoint.parse(url)


def test_a_refusal_shows_no_secret():
    with pytest.raises(ConfigurationError) as caught:
        Endpoint.parse("ftp://ann:s3cret@host")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("start", ["hunter2", "4711"])
@pytest.mark.parametrize("sign", ["/", "?", "#"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_password_that_is_not_escaped(scheme, sign, start):
    with pytest.raises(ConfigurationError, match="escape the password") as caught:
        Endpoint.parse(f"{scheme}://admin:{start}{sign}x9y@host:5984/below")
    message = str(caught.value)
    assert f"{scheme}://" in message
    assert "…_USERNAME and …_PASSWORD" in message
    assert not any(part in message for part in ("admin", start, "x9y", "host:", "below"))


@pytest.mark.parametrize(
    "url",
    [
        "http://admin:hunter2",
        "http://admin:hunter2/x",
        "http://ann:hunter2@[host",
        "http://ann:hunter2\u2100@host",
        "admin:hunter2/x@host",
        "ftp://admin:hunter2/x@host",
        "http:///admin:hunter2@host",
        "http://ann:hunter2%0A@host",
    ],
)
def test_no_refusal_shows_what_may_be_a_password(url):
    with pytest.raises(ConfigurationError) as caught:
        Endpoint.parse(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value, limit=0))


def test_an_escaped_password_may_have_anything_in_it():
    endpoint = Endpoint.parse("http://ann:%2F%3F%23%40%3A@host:5984/be%40low")
    assert (endpoint.password, endpoint.url) == ("/?#@:", "http://host:5984/be%40low")


def test_an_api_key_from_a_file():
    endpoint = Endpoint.parse("http://host", api_key="abc\r\n")
    assert endpoint.authorization() == {"authorization": "ApiKey abc"}


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x7f", "\x85"])
@pytest.mark.parametrize(
    ("option", "words"),
    [("username", "username"), ("password", "password"), ("api_key", "API key")],
)
def test_control_characters_are_refused_unseen(option, words, character):
    with pytest.raises(ConfigurationError, match=f"the {words} ") as caught:
        Endpoint.parse("http://host", **{option: f"hunter2{character}more"})
    assert "hunter2" not in str(caught.value)
    assert "more" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [("http://host", 80, False), ("https://host", 443, True), ("http://[::1]:5984", 5984, False)],
)
def test_ports(url, port, tls):
    endpoint = Endpoint.parse(url)
    assert (endpoint.port, endpoint.tls) == (port, tls)


def test_headers():
    assert Endpoint.parse("http://host").authorization() == {}
    assert Endpoint.parse("http://host", api_key="abc").authorization() == {
        "authorization": "ApiKey abc"
    }
    assert Endpoint.parse("http://Aladdin:open sesame@host").authorization() == {
        "authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    }
    cookie = Endpoint.parse("http://ann:x@host", authentication="cookie")
    assert cookie.authorization() == {}


@pytest.mark.parametrize("credentials", [{"password": "\ud800"}, {"api_key": "ü"}])
def test_credentials_that_no_request_can_carry(credentials):
    """They were a `UnicodeEncodeError` in each request."""
    with pytest.raises(ConfigurationError):
        Endpoint.parse("http://host", **credentials)
