"""What a worker serves over HTTP."""

from __future__ import annotations

import json
import re
import socket

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from pillowtop.endpoints import Address
from tests.project.pages import names
from tests.projects import wait_until


@pytest.fixture
def get():
    """Gets a path from a worker: status and body."""
    with urllib3.PoolManager(retries=False, timeout=30) as pool:

        def ask(worker, path, method="GET", **headers):
            worker.wait_for("serves /live")
            url = re.search(r"at (http://127.0.0.1:\d+)", worker.log)[1]
            answer = pool.request(method, url + path, headers=headers)
            return answer.status, answer.data.decode()

        yield ask


def start(one):
    return one.project.start("--all", "--status-bind=127.0.0.1:0")


def test_what_is_served(setup, get):
    one = setup()
    one.database.fill(30)
    worker = start(one)
    assert get(worker, "/live")[0] == 200
    one.wait_until_in_step()
    wait_until(lambda: json.loads(get(worker, "/status")[1])["pillows"][0]["figures"]["caught_up"])
    assert get(worker, "/ready") == (200, '{"ready":true,"reasons":{}}\n')
    status = json.loads(get(worker, "/status")[1])
    shown = json.loads(one.project.manage("ptop_status", "--format=json").stdout)
    assert status.keys() == shown.keys()
    assert status["healthy"] is True
    assert status["pillows"][0].keys() == shown["pillows"][0].keys()
    assert status["pillows"][0]["figures"].keys() == shown["pillows"][0]["figures"].keys()
    assert get(worker, "/nothing")[0] == 404
    assert get(worker, "/live", "POST")[0] == 405
    assert get(worker, "/live", "HEAD") == (200, "")
    assert worker.stop() == 0


def test_metrics_are_those_that_are_documented(setup, get):
    one = setup()
    one.database.fill(30)
    worker = start(one)
    one.wait_until_in_step()

    def samples():
        families = text_string_to_metric_families(get(worker, "/metrics")[1])
        return {sample.name: sample for family in families for sample in family.samples}

    # An index counts nothing besides: tests/stats/test_worker.py has a pillow that does.
    documented = names("reference/status.md", "## Metrics") - {"pillowtop_counts_total"}
    wait_until(lambda: samples().keys() == documented, what=lambda: str(samples()))
    assert {tuple(one.labels.items()) for one in samples().values()} == {
        (("pillow", "OrderPillow"),)
    }
    assert samples()["pillowtop_changes_total"].value == 30
    assert samples()["pillowtop_dead_letters"].value == 0
    openmetrics = get(worker, "/metrics", Accept="application/openmetrics-text; version=1.0.0")[1]
    assert openmetrics.endswith("# EOF\n")


def test_a_worker_that_cannot_deliver_is_alive_but_not_ready(proxied, get):
    one, _, elastic = proxied()
    worker = start(one)
    wait_until(lambda: get(worker, "/ready")[0] == 200)
    elastic.hang()
    wait_until(lambda: get(worker, "/ready")[0] == 503)
    reasons = json.loads(get(worker, "/ready")[1])["reasons"]
    assert f"Elasticsearch at 127.0.0.1:{elastic.port}" in reasons["OrderPillow"][0]
    assert get(worker, "/live")[0] == 200
    elastic.go_on()
    wait_until(lambda: get(worker, "/ready")[0] == 200)


def test_a_port_that_is_taken(setup):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"--status-bind=127.0.0.1:{taken.getsockname()[1]}"
        worker = setup().project.start("--all", bind)
        assert worker.wait() == 3
    assert worker.log.count("\n") == 1
    assert "cannot listen there" in worker.log


def test_an_address_that_is_none(setup):
    result = setup().project.manage("run_ptop", "--all", "--status-bind=9100")
    assert result.returncode == 2
    assert "'9100' is no HOST:PORT" in result.stderr


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9100", "127.0.0.1", 9100),
        ("[::1]:80", "::1", 80),
        ("localhost:0", "localhost", 0),
    ],
)
def test_addresses(text, host, port):
    address = Address.parse(text)
    assert (address.host, address.port, str(address)) == (host, port, text)


@pytest.mark.parametrize(
    "text",
    ["", "9100", ":9100", "localhost", "localhost:", "localhost:http", "localhost:70000",
     "::1:9100", "http://localhost:9100", "a@b:1", "[::1]", "localhost:-1"],
)  # fmt: skip
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="is no HOST:PORT"):
        Address.parse(text)
