from __future__ import annotations

import asyncio
import gzip
import http.client
import ssl
import urllib.error

import django.db
import elasticsearch
import greenlet
import pytest
import requests
import urllib3.exceptions

from pillowtop.engine.transience import demand_about_document, is_transient
from pillowtop.exceptions import ServerBusy, TransientError


class OfAHook(TransientError):
    pass


def _answered(status):
    response = requests.Response()
    response.status_code = status
    return requests.exceptions.HTTPError(response=response)


@pytest.mark.parametrize(
    "error",
    [
        OfAHook("later"),
        ServerBusy("429"),
        ConnectionRefusedError(),
        TimeoutError(),
        ssl.SSLError(),
        django.db.OperationalError(),
        django.db.InterfaceError(),
        elasticsearch.ConnectionError("refused"),
        elasticsearch.ConnectionTimeout("slow"),
        urllib3.exceptions.ProtocolError("cut"),
        OSError("a hook's own"),
        PermissionError("the disk of the other side"),
        urllib.error.URLError(ConnectionRefusedError()),
        urllib.error.HTTPError("http://x", 503, "busy", None, None),
        requests.exceptions.ConnectionError("refused"),
        requests.exceptions.ReadTimeout("slow"),
        _answered(429),
    ],
)
def test_what_will_pass_is_tried_again(error):
    assert is_transient(error)


def test_a_database_that_takes_no_writes_for_now_is_waited_for():
    class OfPostgres(Exception):
        sqlstate = "25006"

    error = django.db.InternalError("cannot execute UPDATE in a read-only transaction")
    error.__cause__ = OfPostgres()
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("lines"),
        ValueError(),
        ZeroDivisionError(),
        FileNotFoundError("template.html"),
        django.db.IntegrityError(),
        django.db.DataError(),
        elasticsearch.SerializationError("no JSON"),
        http.client.InvalidURL(),
        gzip.BadGzipFile("no gzip"),
        urllib.error.HTTPError("http://x", 404, "not there", None, None),
        requests.exceptions.InvalidURL("no URL"),
        _answered(404),
        asyncio.CancelledError(),
        SystemExit(0),
    ],
)
def test_what_the_document_is_to_blame_for_is_not(error):
    assert not is_transient(error)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), greenlet.GreenletExit()])
def test_what_stops_us_is_no_documents_fault(error):
    with pytest.raises(type(error)):
        demand_about_document(error)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(0), asyncio.CancelledError()])
def test_everything_else_may_be(error):
    demand_about_document(error)


def test_what_postgresql_will_never_take_is_a_rows_own():
    class DriversError(Exception):
        sqlstate = "54000"

    error = django.db.OperationalError("index row requires 20016 bytes")
    assert is_transient(error)
    error.__cause__ = DriversError()
    assert not is_transient(error)
