"""NetworkListener by itself: its hooks one at a time, and what a subclass makes of them."""

from __future__ import annotations

import pytest

from pillowtop.engine.items import Verdict
from pillowtop.exceptions import ConfigurationError, DocumentRefused
from pillowtop.listener import NetworkListener
from pillowtop.transports.hooks import HookTransport
from pillowtop.transports.network import NetworkTransport

from .listeners import Listener, reading
from .making import change, change_of


class LogPillow(NetworkListener):
    couch_db = "orders"
    endpoint_host = "127.0.0.1"

    def filter(self, change):
        return change.id != "refused"

    def change_transform(self, document):
        return {**document, "seen": True}


class Shouting(LogPillow):
    def change_transport(self, document):
        super().change_transport({**document, "loud": True})


@pytest.fixture
def listener():
    with Listener(reading) as listener:
        yield listener


@pytest.fixture
def pillow(listener):
    made = []

    def make(kind=LogPillow, **attributes):
        pillow = kind()
        pillow.endpoint_port = listener.port
        for name, value in attributes.items():
            setattr(pillow, name, value)
        made.append(pillow)
        return pillow

    yield make
    for one in made:
        one._network.close()


def test_the_way_of_single_changes(pillow, listener):
    log = pillow()
    log.process_change(change(1))
    log.process_change(change_of(None, "gone", "2-z", deleted=True))
    log.process_change(change_of(b'{"_id":"refused","_rev":"1-x"}', "refused"))
    log.change_transport({"_id": "a", "_rev": "1-x", "_attachments": {}, "n": 1})
    log.change_transport({"_id": "new"})
    listener.wait_for(lambda: len(listener.lines) == 5)
    assert listener.lines == [
        {"_id": "doc000001", "_rev": "1-x", "n": 1, "text": "", "seen": True},
        {"_id": "gone", "_rev": "2-z", "_deleted": True},
        {"_id": "refused", "_rev": "1-x", "_deleted": True},
        {"_id": "a", "_rev": "1-x", "n": 1},
        {"_id": "new"},
    ]
    assert len(listener.readers) == 1


def test_a_document_without_an_id_is_refused(pillow):
    with pytest.raises(DocumentRefused, match="LogPillow: a document needs its _id"):
        pillow().change_transport({"n": 1})


def test_batches_unless_a_hook_that_delivers_is_overridden(pillow, listener):
    assert isinstance(pillow().get_transport(), NetworkTransport)
    transport = pillow(Shouting).get_transport()
    assert isinstance(transport, HookTransport)
    assert (transport.prepare(), transport.identity()) == ("", "")
    item = transport.pack(change(1), {"_id": "doc000001", "n": 1}, 1)
    (outcome,) = transport.deliver([item])
    assert outcome.verdict is Verdict.DELIVERED
    listener.wait_for(lambda: listener.lines == [{"_id": "doc000001", "n": 1, "loud": True}])


def test_its_patience_is_that_of_the_settings(pillow, settings):
    settings.PILLOWTOP = {"REQUEST_SECONDS": 7}
    assert pillow()._network._patience_seconds == 7


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"endpoint_host": ""}, "LogPillow: set endpoint_host"),
        ({"endpoint_host": 5}, "LogPillow: set endpoint_host"),
        ({"endpoint_port": 0}, "from 1 to 65535 (no text), not 0"),
        ({"endpoint_port": 65536}, "not 65536"),
        ({"endpoint_port": "5000"}, "not '5000'"),
        ({"endpoint_port": True}, "not True"),
        ({"transport_type": "udp"}, "must be 'tcp', not 'udp' (UDP acknowledges nothing"),
        ({"endpoint_ca_certs": "/ca.pem"}, "set endpoint_tls = True"),
    ],
)
def test_an_address_that_cannot_be(attributes, words):
    log = LogPillow()
    log.endpoint_port = 5000
    for name, value in attributes.items():
        setattr(log, name, value)
    for use in (log.get_address, log.get_transport, lambda: log.process_change(change(1))):
        with pytest.raises(ConfigurationError) as caught:
            use()
        assert words in str(caught.value)


def test_an_address_with_tls():
    log = LogPillow()
    log.endpoint_port, log.endpoint_tls, log.endpoint_ca_certs = 5000, True, "/ca.pem"
    address = log.get_address()
    assert (str(address), address.tls, address.ca_certs) == ("127.0.0.1:5000", True, "/ca.pem")
