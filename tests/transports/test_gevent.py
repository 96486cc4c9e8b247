"""The same in a process that gevent has patched: others run meanwhile, and greenlets are killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading

import pytest

from tests.projects import ROOT

from .listeners import SMALL_BUFFER, Listener, reading

SCRIPT = """
    from gevent import monkey
    monkey.patch_all()
    import sys, time
    import gevent
    from pillowtop.endpoints import Address
    from pillowtop.engine.items import Verdict
    from pillowtop.transports.network import NetworkTransport
    from tests.transports.making import items, of

    ticks = []
    def tick():
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.05)
    gevent.spawn(tick)
    port, *ca_certs = sys.argv[1:]
    address = Address("127.0.0.1", int(port), bool(ca_certs), *ca_certs)

    killed = NetworkTransport(address)
    batch = items(killed, 8000, padding=1000)
    greenlet = gevent.spawn(killed.deliver, batch)
    while not (killed._connection and killed._connection._written):
        gevent.sleep(0.05)
    greenlet.kill()
    killed.deliver(batch[:10])
    killed.close()

    stalled = NetworkTransport(address, 1.0)
    before = len(ticks)
    outcomes = stalled.deliver(batch)
    print("ticked", len(ticks) - before > 3)
    print("again", len(of(outcomes, Verdict.AGAIN)) > 0)
    stalled.deliver(batch[:20])
    stalled.close()
"""


@pytest.mark.parametrize(
    "tls",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl"),
        ),
    ],
)
def test_with_gevents_sockets(tls, request, tmp_path):
    security = request.getfixturevalue("certificate") if tls else None
    script = tmp_path / "deliver.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = threading.Event()

    def stalling(reader):
        done.wait(60)
        reader.read()

    with Listener(
        stalling, reading, stalling, reading, buffer=SMALL_BUFFER, certificate=security
    ) as listener:
        result = subprocess.run(
            [sys.executable, script, str(listener.port), *map(str, (security or ())[:1])],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        done.set()
        assert result.stdout.splitlines() == ["ticked True", "again True"], result.stderr
        listener.wait_for(lambda: [one.has_ended for one in listener.readers] == [True] * 4)
    # The killed one left its connection, perhaps within a line: nothing followed there.
    assert [len(listener.readers[number].lines) for number in (1, 3)] == [10, 20]
