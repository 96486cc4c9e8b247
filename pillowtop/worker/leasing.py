"""The leases that this process holds: taken, renewed, lost and given back (rule 8)."""

from __future__ import annotations

import logging
import time

import gevent

from pillowtop.engine.leases import (
    HOLDER_SHARE,
    RENEWALS,
    Holder,
    Standing,
    Watch,
    look_seconds,
)
from pillowtop.exceptions import HandedOver, HeldElsewhere
from pillowtop.records import leases
from pillowtop.worker.bookkeeper import Bookkeeper
from pillowtop.worker.processes import has_died, this_process

logger = logging.getLogger(__name__)

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""One that goes on while the machine sleeps, where there is one."""


class Leases:
    """Those of one process. It has books of its own: a long transaction must not delay renewals.

    The greenlet that renews is proof that the hub turns: a process that a hook blocks loses its
    leases.
    """

    def __init__(self, books: Bookkeeper, seconds: float) -> None:
        self.books = books
        self.seconds = seconds
        self.me = this_process()
        self._tenants: dict[str, Tenant] = {}
        self.ticked_at = now()
        """When the hub turned last."""

    def of(self, pillow: str) -> Tenant:
        return self._tenants.setdefault(pillow, Tenant(pillow, self))

    def keep_renewing(self) -> None:
        """Renew for ever. While the database is down leases run out, and are asked for again."""
        while True:
            gevent.sleep(self.seconds / RENEWALS)
            self.ticked_at = now()
            try:
                self.renew()
            except Exception as error:  # noqa: BLE001  (whatever it is, the next one may work)
                logger.debug("leases cannot be renewed: %s", error)

    def renew(self) -> None:
        """Renew what is held, and find out what is not any more. Raises `TransientError`."""
        held = {name: one for name, one in self._tenants.items() if one.is_held}
        if not held:
            return
        began = now()
        ours = self.books.run(leases.renew, self.me.id, list(held))
        for name, one in held.items():
            one.renewed(began if name in ours else None)
            one.heir = ours.get(name)

    def give_back(self, pillow: str) -> None:
        """Give one back, or at least renew it no more. Raises `TransientError`."""
        self.of(pillow).renewed(None)
        self.books.run(leases.release, self.me.id, [pillow])

    def hand_over(self, pillow: str) -> None:
        """Give one to who has asked for it, if anybody has. Raises `TransientError`.

        By then nothing of the pillow may run.
        """
        tenant = self.of(pillow)
        if tenant.is_held and tenant.heir:
            self.books.run(leases.hand_over, self.me.id, pillow, tenant.heir)
            tenant.renewed(None)

    def release(self) -> None:
        """Give all back. Raises `TransientError`."""
        held = [name for name, one in self._tenants.items() if one.is_held]
        if held:
            self.books.run(leases.release, self.me.id, held)


class Tenant:
    """The lease of one pillow, as this process has it or not."""

    def __init__(self, pillow: str, office: Leases) -> None:
        self._pillow = pillow
        self._leases = office
        self._renewed_at: float | None = None
        self._watch = Watch(office.seconds)
        self._look_seconds = look_seconds(office.seconds)
        self.heir: Holder | None = None
        """Who has asked for it."""

    @property
    def is_held(self) -> bool:
        return self._renewed_at is not None

    def renewed(self, at: float | None) -> None:
        """Note when the last renewal that counts began; None where there is none any more."""
        self._renewed_at = at
        if at is None:
            self.heir = None

    def take(self, *, wait: bool) -> None:
        """See to it that the lease is ours.

        Raises `HeldElsewhere` where another process has it: at once, or with `wait` as soon as that
        one shows that it lives. Raises `TransientError` too.
        """
        while True:
            standing = self._tried()
            if standing is None:
                return
            if not wait or self._watch.moves:
                raise HeldElsewhere(
                    f"{standing.holder} runs this pillow. When that one stops, or is silent for "
                    f"{self._leases.seconds:g} s, this one takes over",
                    self._look_seconds,
                )
            gevent.sleep(self._look_seconds)

    def take_over(self) -> None:
        """Have the lease, by asking whoever has it: he gives it as soon as nothing of the pillow
        runs any more, or loses it where he does not live. Raises `TransientError`.
        """
        books, me = self._leases.books, self._leases.me
        said = False
        while standing := self._tried():
            if not said:
                said = True
                logger.info(
                    "%s: asks %s for it, which gives it once it has stopped",
                    self._pillow,
                    standing.holder,
                    extra={"action": "lease_asked", "pillow": self._pillow},
                )
            books.run(leases.ask, self._pillow, me)
            gevent.sleep(self._look_seconds)

    def offer(self) -> None:
        """Have whoever waits for it ask for it. Raises `TransientError`."""
        self._leases.books.run(leases.offer, self._leases.me.id, self._pillow)

    def demand(self) -> None:
        """Raise `HeldElsewhere` unless the lease is surely ours, and nobody has asked for it.

        Where it was not renewed for too long, it is now: nobody may have taken it. Raises
        `TransientError` where that cannot be known.
        """
        if self.heir is not None:
            raise HandedOver(f"{self.heir} has asked for this pillow", self._look_seconds)
        if self._is_sure():
            return
        self._leases.renew()
        if not self._is_sure():
            raise HeldElsewhere("another process has taken over this pillow", self._look_seconds)

    def _is_sure(self) -> bool:
        if self._renewed_at is None:
            return False
        return now() - self._renewed_at < HOLDER_SHARE * self._leases.seconds

    def _tried(self) -> Standing | None:
        """Try to take the lease; None for success, or else who has it."""
        if self.is_held:
            self._leases.renew()
            if self.is_held:
                return None
        me, books = self._leases.me, self._leases.books
        standing = books.run(leases.look, self._pillow)
        holder = standing.holder
        is_free = holder.id in ("", me.id) or has_died(holder, me.machine)
        if not (is_free or self._watch.is_over(standing, now())):
            if standing.yields:
                books.run(leases.ask, self._pillow, me)
            return standing
        began = now()
        if not books.run(leases.take, self._pillow, standing, me):
            return books.run(leases.look, self._pillow)
        self._renewed_at = began
        return None


def now() -> float:
    """Seconds of a clock that never goes back."""
    return time.clock_gettime(CLOCK)
