"""Runs pillows side by side, each in a greenlet of its own, until all are done or told to stop."""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from types import MappingProxyType
from typing import Protocol

import gevent
from gevent.event import Event

from pillowtop.conf import Configuration
from pillowtop.endpoints import Address
from pillowtop.engine.figures import Snapshot
from pillowtop.exceptions import HeldElsewhere, LeaseLost, PillowtopError, TransientError
from pillowtop.exits import Exit
from pillowtop.listener import BasicPillow
from pillowtop.worker.blocking import BlockWatch
from pillowtop.worker.bookkeeper import Bookkeeper
from pillowtop.worker.gates import Gates
from pillowtop.worker.leasing import Leases
from pillowtop.worker.mail import Mail
from pillowtop.worker.notifying import STOPPING, notifying_systemd, tell_systemd
from pillowtop.worker.office import Office
from pillowtop.worker.reporting import Reporter
from pillowtop.worker.serving import StatusServer
from pillowtop.worker.sharing import Group, groups_of
from pillowtop.worker.supervisor import State, Supervisor

logger = logging.getLogger(__name__)

UNSETTLED = (State.HALTED, State.LEASE_LOST)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
STDERR = 2
RELEASE_SECONDS = 2.0
LOOK_SECONDS = 0.1
"""How often is looked whether anybody is left who can go on, if nobody stirs."""


def launch(
    pillows: Sequence[BasicPillow],
    settings: Configuration,
    *,
    follow: bool,
    status_bind: Address | None = None,
) -> Exit:
    """Run pillows. Returns when all are done, when none can go on, or after a drain.

    At `status_bind` it serves how they are; raises `ConfigurationError` where it cannot.
    """
    return work(
        lambda office: [Supervisor(one, office, follow=follow) for one in pillows],
        settings,
        groups_of(pillows),
        status_bind,
    )


def work(
    make_runners: Callable[[Office], Sequence[Runner]],
    settings: Configuration,
    groups: Mapping[str, Group] = MappingProxyType({}),
    status_bind: Address | None = None,
    expected: Collection[Exit] = (),
) -> Exit:
    """Open an office, and run what works in it. `expected` ends are no errors to whoever calls.
    Otherwise as `launch`."""
    leases = Leases(Bookkeeper(), settings.LEASE_SECONDS)
    books = Bookkeeper()
    office = Office(
        settings,
        books,
        Gates(settings.PROBE_SECONDS),
        leases,
        Mail(books, settings.CHECKPOINT_SECONDS / 2),
        groups,
    )
    runners = make_runners(office)
    launcher = Launcher(runners, settings, expected)
    # What is there by now stays: the garbage collector need not look at it again and again, nor
    # now: a handful of objects is garbage by then, and finding them takes 30 ms.
    gc.freeze()
    serving = StatusServer(status_bind, runners) if status_bind else nullcontext()
    renewing = gevent.spawn(leases.keep_renewing)
    with serving, Reporter(runners, office), BlockWatch(leases), notifying_systemd():
        code = launcher.run()
    renewing.kill()
    if not (_released(leases) and leases.books.close() and office.books.close()):
        # A thread that waits for the database would keep the process from ending.
        logging.shutdown()
        os._exit(code)
    return code


class Runner(Protocol):
    """What runs a pillow: a `Supervisor`, or what has one in its stead."""

    @property
    def pillow(self) -> BasicPillow: ...
    @property
    def state(self) -> State: ...
    @property
    def follows(self) -> bool:
        """Whether it never ends by itself, so that to be stopped is a good end."""

    def run(self) -> None: ...
    def drain(self) -> None: ...
    def snapshot(self) -> Snapshot: ...
    def letters(self) -> int: ...


class Launcher:
    """Runners and signals."""

    def __init__(
        self, runners: Sequence[Runner], settings: Configuration, expected: Collection[Exit]
    ) -> None:
        self._runners = runners
        self._expected = expected
        self._settings = settings
        self._has_heard = False
        self._told_to_stop = Event()
        self._stirred = Event()

    def run(self) -> Exit:
        before = {number: signal.signal(number, self._heard) for number in SIGNALS}
        greenlets = [gevent.spawn(one.run) for one in self._runners]
        try:
            self._wait(greenlets)
            if self._told_to_stop.is_set():
                return self._drain()
            return self._verdict()
        finally:
            gevent.killall(greenlets)
            # Another launcher may follow in this process.
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    def _wait(self, greenlets: list[gevent.Greenlet]) -> None:
        """Return when told to stop, when all are done, or when nobody is left who could go on."""
        for greenlet in greenlets:
            greenlet.link(lambda _ended: self._stirred.set())
        while not self._told_to_stop.is_set():
            if all(greenlet.dead for greenlet in greenlets):
                return
            if all(one.state in (*UNSETTLED, State.DONE) for one in self._runners):
                return
            self._stirred.wait(LOOK_SECONDS)
            self._stirred.clear()

    def _heard(self, number: int, _frame: object) -> None:
        """In the midst of anything, a hook that computes for minutes included (rule 14)."""
        if self._has_heard:
            with suppress(OSError):
                os.write(STDERR, b"stopped at once\n")
            os._exit(Exit.UNDRAINED)
        self._has_heard = True
        loop = gevent.get_hub().loop
        loop.run_callback_threadsafe(gevent.spawn, self._signalled, number)

    def _signalled(self, number: int) -> None:
        name = signal.Signals(number).name
        logger.info(
            "%s: delivers what was read, then stops (again: stops at once)",
            name,
            extra={"action": "draining"},
        )
        self._told_to_stop.set()
        self._stirred.set()

    def _drain(self) -> Exit:
        tell_systemd(STOPPING)
        drains = [gevent.spawn(_drained, one) for one in self._runners]
        gevent.joinall(drains, timeout=self._settings.DRAIN_SECONDS)
        late = [
            one.pillow.name
            for one, drain in zip(self._runners, drains, strict=True)
            if drain.value is not True
        ]
        if not late:
            logger.info(
                "stopped: what was read is delivered and saved", extra={"action": "stopped"}
            )
            follows = all(one.follows for one in self._runners)
            return Exit.DONE if follows else self._verdict_of_interrupted()
        logger.error(
            "stopped before %s could deliver and save everything: what is missing is read again "
            "at the next start",
            ", ".join(late),
            extra={"action": "stopped"},
        )
        return Exit.UNDRAINED

    def _verdict_of_interrupted(self) -> Exit:
        logger.error(
            "stopped before everything was caught up with: ends with exit code %d",
            Exit.UNHEALTHY,
            extra={"action": "ended"},
        )
        return Exit.UNHEALTHY

    def _verdict(self) -> Exit:
        code = self._code()
        if code and code not in self._expected:
            logger.error(
                "ends with exit code %d (%s): no pillow can go on, or not all are in step",
                code,
                code.name.lower(),
                extra={"action": "ended"},
            )
        return code

    def _code(self) -> Exit:
        states = {one.state for one in self._runners}
        if State.CRASHED in states:
            return Exit.UNEXPECTED
        if State.HALTED in states:
            return Exit.CONFIGURATION
        if State.DIFFERS in states:
            return Exit.DIFFERS
        if states & {State.LEASE_LOST, State.ELSEWHERE}:
            return Exit.LEASE
        if states & {State.STANDBY, State.NEEDS_REINDEX} or self._letters_remain():
            return Exit.UNHEALTHY
        return Exit.DONE

    def _letters_remain(self) -> bool:
        counts = {one.pillow.name: one.letters() for one in self._runners}
        for name, count in counts.items():
            if count:
                logger.error(
                    "%s: %d dead letter%s: manage.py ptop_errors list",
                    name,
                    count,
                    " remains" if count == 1 else "s remain",
                    extra={"action": "letters_remain", "pillow": name},
                )
        return any(counts.values())


def _released(leases: Leases) -> bool:
    """Give the leases back, so that whoever stands by need not wait for them to run out."""
    try:
        with gevent.Timeout(RELEASE_SECONDS):
            leases.release()
    except (TransientError, gevent.Timeout):
        return False
    return True


def _drained(runner: Runner) -> bool:
    name = runner.pillow.name
    try:
        runner.drain()
    except (HeldElsewhere, LeaseLost) as error:
        logger.info(
            "%s: leaves what is missing to the process that runs this pillow by now: %s",
            name,
            error,
            extra={"action": "left", "pillow": name},
        )
    except PillowtopError as error:
        logger.error(  # noqa: TRY400  (the message says all)
            "%s: %s", name, error, extra={"action": "undrained", "pillow": name}
        )
        return False
    return True
