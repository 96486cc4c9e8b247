"""What is delivered and what is sent again, by real listeners that read well or do not."""

from __future__ import annotations

import shutil
import sys
import threading
import time

import pytest

from pillowtop.endpoints import Address
from pillowtop.engine.items import Verdict
from pillowtop.exceptions import (
    ConfigurationError,
    ServerBusy,
    ServerUnreachable,
    TransientError,
)
from pillowtop.transports.network import NetworkTransport

from .listeners import (
    SMALL_BUFFER,
    Listener,
    Reader,
    closing_after,
    half_closing,
    reading,
    resetting_after,
)
from .making import change, change_of, items, numbers, of

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
tls_too = pytest.mark.parametrize("tls", [False, pytest.param(True, marks=needs_openssl)])

MORE_THAN_BUFFERS_HOLD = {"count": 8000, "padding": 1000}
MORE_THAN_THE_LISTENER_HOLDS = {"count": 400, "padding": 1000}


@pytest.fixture
def transport_to():
    made = []

    def make(listener, patience_seconds=20.0, certificate=None):
        ca_certs = str(certificate[0]) if certificate else None
        address = Address("127.0.0.1", listener.port, tls=bool(certificate), ca_certs=ca_certs)
        made.append(NetworkTransport(address, patience_seconds))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def security(tls, request):
    return request.getfixturevalue("certificate") if tls else None


def all_delivered(outcomes):
    return all(outcome.verdict is Verdict.DELIVERED for outcome in outcomes)


def attempt(transport, batch):
    """What a batch's first attempt delivers, what is left, and why."""
    try:
        outcomes = transport.deliver(batch)
    except TransientError as error:
        return [], batch, str(error)
    delivered, left = of(outcomes, Verdict.DELIVERED), of(outcomes, Verdict.AGAIN)
    assert delivered + left == batch
    return delivered, left, outcomes[-1].reason


def has_ended(listener, number):
    """Whether the listener is done with its connection of that number."""
    return len(listener.readers) > number and listener.readers[number].has_ended


@tls_too
def test_batches_go_in_order_over_one_connection(transport_to, security):
    with Listener(reading, certificate=security) as listener:
        transport = transport_to(listener, certificate=security)
        assert transport.prepare() == ""
        for _ in range(3):
            assert all_delivered(transport.deliver(items(transport, 2000, padding=500)))
        transport.close()
        listener.wait_for(lambda: len(listener.lines) == 6000)
    assert numbers(listener.lines) == list(range(2000)) * 3
    assert len(listener.readers) == 1
    assert listener.readers[0].cut == b""


def test_documents_transforms_and_deletions(transport_to):
    with Listener(reading) as listener:
        transport = transport_to(listener)
        batch = [
            transport.pack_bytes(change(1), 1),
            transport.pack(change(2), {"n": 2, "total": 5}, 2),
            transport.pack_deletion(change_of(None, "gone", "3-z", deleted=True), 3),
        ]
        assert all_delivered(transport.deliver(batch))
        listener.wait_for(lambda: len(listener.lines) == 3)
    assert listener.lines == [
        {"_id": "doc000001", "_rev": "1-x", "n": 1, "text": ""},
        {"_id": "doc000002", "_rev": "1-x", "n": 2, "total": 5},
        {"_id": "gone", "_rev": "3-z", "_deleted": True},
    ]
    assert [(item.id, item.version, item.deletion) for item in batch] == [
        ("doc000001", 1, False),
        ("doc000002", 2, False),
        ("gone", 3, True),
    ]


@tls_too
@pytest.mark.parametrize("size", [MORE_THAN_BUFFERS_HOLD, MORE_THAN_THE_LISTENER_HOLDS])
def test_a_listener_that_stops_reading(transport_to, security, size):
    """What counts as delivered it can still read; only the rest goes over another connection."""
    listener = Listener(
        lambda reader: listener.release.wait(20) and reader.read(),
        reading,
        buffer=SMALL_BUFFER,
        certificate=security,
    )
    with listener:
        transport = transport_to(listener, 0.5, certificate=security)
        batch = items(transport, **size)
        delivered, left, reason = attempt(transport, batch)
        assert delivered
        assert "has taken nothing for 0.5 s" in reason
        assert all_delivered(transport.deliver(left))
        listener.release.set()
        listener.wait_for(lambda: has_ended(listener, 0))
        transport.close()
        listener.wait_for(lambda: has_ended(listener, 1))
    first, second = listener.readers
    assert len(delivered) <= len(first.lines) < len(batch)
    assert numbers(second.lines) == list(range(len(delivered), len(batch)))


def test_a_listener_that_never_takes_a_whole_line(transport_to):
    with Listener(lambda _: listener.release.wait(20), buffer=SMALL_BUFFER) as listener:
        transport = transport_to(listener, 0.2)
        batch = items(transport, 2, padding=10_000_000)
        with pytest.raises(TransientError, match=r"with [\d,]+ of 20,000,\d+ bytes still to go"):
            transport.deliver(batch)
        with pytest.raises(TransientError, match="is what listens there stuck"):
            transport.write_one(batch[0].payload)


@tls_too
def test_a_listener_that_is_slow_is_waited_for(transport_to, security):
    """All of it takes far longer than the patience with one that takes nothing."""

    def slowly(reader):
        # A read of TLS gives one record at most.
        while not listener.release.wait(0.015 if security else 0.04):
            reader.read(len(reader.lines) + 1, size=50_000)

    with Listener(slowly, buffer=4 * SMALL_BUFFER, certificate=security) as listener:
        transport = transport_to(listener, 1.5, certificate=security)
        since = time.monotonic()
        assert all_delivered(transport.deliver(items(transport, 4000, padding=1000)))
        assert time.monotonic() - since > 1.5
        listener.wait_for(lambda: len(listener.lines) == 4000)
    assert len(listener.readers) == 1


@tls_too
def test_a_listener_that_dies_in_the_middle_of_a_batch(transport_to, security):
    listener = Listener(resetting_after(100), reading, buffer=SMALL_BUFFER, certificate=security)
    with listener:
        transport = transport_to(listener, certificate=security)
        batch = items(transport, **MORE_THAN_BUFFERS_HOLD)
        delivered, left, reason = attempt(transport, batch)
        assert left
        assert "cannot be reached" in reason
        assert all_delivered(transport.deliver(left))
        transport.close()
        listener.wait_for(lambda: has_ended(listener, 1))
    first, second = listener.readers
    assert numbers(second.lines) == list(range(len(delivered), len(batch)))
    # What nobody got is what the dead listener's kernel held: no more than its buffer.
    lost = batch[len(first.lines) : len(delivered)]
    assert sum(item.size for item in lost) <= 2 * SMALL_BUFFER


def test_a_listener_that_closes_in_the_middle_of_a_batch(transport_to):
    with Listener(closing_after(100), reading, buffer=SMALL_BUFFER) as listener:
        transport = transport_to(listener)
        batch = items(transport, **MORE_THAN_BUFFERS_HOLD)
        _, left, _ = attempt(transport, batch)
        assert left
        assert all_delivered(transport.deliver(left))
        transport.close()
        listener.wait_for(lambda: has_ended(listener, 1))
    assert numbers(listener.readers[1].lines) == [batch.index(item) for item in left]


def test_a_listener_that_ends_its_own_side_still_reads(transport_to):
    with Listener(half_closing) as listener:
        transport = transport_to(listener)
        for _ in range(3):
            assert all_delivered(transport.deliver(items(transport, 100)))
        listener.wait_for(lambda: len(listener.lines) == 300)
    assert len(listener.readers) == 1


@pytest.mark.parametrize("ending", [Reader.close, Reader.reset])
def test_a_listener_that_was_started_anew_between_batches(transport_to, ending):
    """The kept connection has ended: that is not even a failed attempt."""
    at_rest = threading.Event()

    def until_at_rest(reader):
        reader.read(100)
        at_rest.wait(20)
        ending(reader)

    with Listener(until_at_rest, reading) as listener:
        transport = transport_to(listener)
        assert all_delivered(transport.deliver(items(transport, 100)))
        at_rest.set()
        listener.wait_for(lambda: has_ended(listener, 0))
        assert all_delivered(transport.deliver(items(transport, 100)))
        listener.wait_for(lambda: len(listener.lines) == 200)
    assert [len(reader.lines) for reader in listener.readers] == [100, 100]


def test_a_listener_that_talks_is_not_listened_to(transport_to):
    def talking(reader):
        reader.sock.sendall(b"x" * 1_000_000)
        reader.read()

    with Listener(talking) as listener:
        transport = transport_to(listener)
        for _ in range(30):
            assert all_delivered(transport.deliver(items(transport, 10)))
        listener.wait_for(lambda: len(listener.lines) == 300)


def test_a_listener_that_is_away_and_comes_back(transport_to):
    with Listener(reading) as listener:
        transport = transport_to(listener)
        assert all_delivered(transport.deliver(items(transport, 10)))
    for use in (transport.prepare, lambda: transport.deliver(items(transport, 10))):
        transport.close()
        with pytest.raises(ServerUnreachable, match="cannot be reached") as caught:
            use()
        assert (caught.value.host, caught.value.port) == ("127.0.0.1", listener.port)
    with Listener(reading, port=listener.port) as back:
        assert all_delivered(transport.deliver(items(transport, 10)))
        back.wait_for(lambda: len(back.lines) == 10)


@pytest.mark.parametrize("host", ["does-not-exist.invalid", "a" * 70])
def test_a_host_that_does_not_exist(host):
    with pytest.raises(ServerUnreachable):
        NetworkTransport(Address(host, 5000)).prepare()


def test_one_line_at_once(transport_to):
    with Listener(reading) as listener:
        transport = transport_to(listener)
        transport.write_one(b'{"n":1}\n')
        listener.wait_for(lambda: listener.lines == [{"n": 1}])
    transport.close()
    with pytest.raises(ServerUnreachable):
        transport.write_one(b'{"n":2}\n')


@needs_openssl
def test_a_certificate_that_is_not_trusted(certificate):
    with Listener(reading, certificate=certificate) as listener:
        transport = NetworkTransport(Address("127.0.0.1", listener.port, tls=True))
        with pytest.raises(ConfigurationError, match="set endpoint_ca_certs to"):
            transport.prepare()


def test_certificates_that_cannot_be_read():
    with Listener(reading) as listener:
        address = Address("127.0.0.1", listener.port, tls=True, ca_certs="/nope")
        with pytest.raises(ConfigurationError, match="endpoint_ca_certs: certificates cannot be"):
            NetworkTransport(address).prepare()


def test_tls_towards_what_does_not_speak_it():
    def greeting(reader):
        reader.sock.sendall(b"220 hello\r\n")
        listener.release.wait(20)

    with Listener(greeting) as listener:
        transport = NetworkTransport(Address("127.0.0.1", listener.port, tls=True))
        with pytest.raises(ServerBusy, match="does not speak TLS"):
            transport.prepare()


def test_tls_towards_what_hangs_up():
    def hanging_up(reader):
        reader.sock.recv(1)
        reader.reset()

    with Listener(hanging_up) as listener:
        transport = NetworkTransport(Address("127.0.0.1", listener.port, tls=True))
        with pytest.raises(ServerUnreachable, match="endpoint_tls is wrong"):
            transport.prepare()


def test_a_system_that_does_not_say_what_is_acknowledged(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigurationError, match="only Linux says what a peer has acknowledged"):
        NetworkTransport(Address("127.0.0.1", 5000)).prepare()
