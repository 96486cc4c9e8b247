"""TLS and credentials on all ways to a real server: keeper, listing and bulks."""

from __future__ import annotations

import base64

import pytest

from pillowtop.elastic.index import AliasedIndex
from pillowtop.elastic.transport import ElasticTransport
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import Verdict
from pillowtop.exceptions import ConfigurationError
from tests.elastic.making import packed


@pytest.fixture
def to(tls_proxy, index_name):
    """Makes a transport through the proxy."""
    made = []

    def make(**options):
        url = tls_proxy.url.replace("http:", "https:")
        endpoint = Endpoint.parse(url, **options)
        made.append(ElasticTransport(endpoint, AliasedIndex(index_name), "OrderPillow"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"api_key": "key"}, "ApiKey key"),
        ({"username": "u", "password": "p"}, "Basic " + base64.b64encode(b"u:p").decode()),
    ],
)
def test_credentials_by_a_private_authority(to, tls_proxy, certificate, options, expected):
    made = to(ca_certs=str(certificate[0]), **options)
    made.prepare()
    (outcome,) = made.deliver(packed(made, "a"))
    made.holdings.refresh()
    assert outcome.verdict is Verdict.DELIVERED
    assert [one.doc_id for one in made.holdings.page("orders", "")] == ["a"]
    asked = {one.path.rpartition("/")[2] for one in tls_proxy.requests}
    assert asked >= {"", "_bulk", "_refresh", "_search"}
    assert {one.headers.get("authorization") for one in tls_proxy.requests} == {expected}


def test_an_authority_that_is_not_trusted(to, tls_proxy):
    made = to(api_key="key")
    for attempt in (made.prepare, made.holdings.refresh, lambda: made.deliver(packed(made, "a"))):
        with pytest.raises(ConfigurationError, match=r"not trusted .*ELASTICSEARCH_CA_CERTS"):
            attempt()
    assert tls_proxy.requests == []
