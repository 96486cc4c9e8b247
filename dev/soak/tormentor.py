"""Does the harms of a storm, and undoes them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dev.soak.exceptions import EndedWrongly
from dev.soak.schedule import Deed, Harm

TICK_SECONDS = 0.2


class Victim(Protocol):
    """The worker, or a server of `dev.servers`."""

    @property
    def title(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def log_tail(self) -> str: ...


class Tormentor:
    """Everything happens in the thread that calls: servers end with their starter's thread.

    Logs of all lives of a victim are gathered in `folder`; `tick` is called while there is
    nothing to do.
    """

    def __init__(
        self,
        victims: Mapping[str, Victim],
        folder: Path,
        tick: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self.done: Counter[tuple[str, Deed]] = Counter()
        self._victims = victims
        self._folder = folder
        self._tick = tick
        self._tell = tell
        self._down: set[str] = set(victims)

    def torment(self, harms: Sequence[Harm], seconds: float) -> None:
        """Do all harms, each at its time. The clock stands still while somebody starts or stops,
        so that nobody's harm is cut short by that."""
        began = time.monotonic()
        moments = sorted(
            [(harm.at, False, harm) for harm in harms] + [(harm.ends, True, harm) for harm in harms]
        )
        for at, is_end, harm in moments:
            self.wait(began + at)
            busy_since = time.monotonic()
            if is_end:
                self._undo(harm)
            else:
                self._do(harm)
            began += time.monotonic() - busy_since
        self.wait(began + seconds)

    def wait(self, until: float) -> None:
        """Raises `EndedWrongly` if somebody ends meanwhile."""
        while True:
            self._look_for_the_dead()
            self._tick()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(TICK_SECONDS, left))

    def start(self, *names: str) -> None:
        for name in names:
            self._start(name, self._victims[name])

    def stop_all(self) -> None:
        """The worker, which comes last in `victims`, first: it drains into the others.

        Raises `EndedWrongly` once all are stopped.
        """
        for victim in self._victims.values():
            victim.resume()
        errors = []
        for name, victim in reversed(list(self._victims.items())):
            self._down.add(name)
            try:
                victim.stop()
            except EndedWrongly as error:
                errors.append(error)
            self._keep_log(name, victim)
        if errors:
            raise errors[0]

    def _do(self, harm: Harm) -> None:
        victim = self._victims[harm.victim]
        self._tell(str(harm))
        self.done[harm.victim, harm.deed] += 1
        if harm.deed is Deed.PAUSE:
            victim.pause()
            return
        self._down.add(harm.victim)
        if harm.deed is Deed.KILL:
            victim.kill()
        else:
            victim.stop()
            self._start(harm.victim, victim)

    def _undo(self, harm: Harm) -> None:
        victim = self._victims[harm.victim]
        if harm.deed is Deed.PAUSE:
            self._tell(f"{harm.victim} goes on")
            victim.resume()
        elif harm.deed is Deed.KILL:
            self._start(harm.victim, victim)

    def _start(self, name: str, victim: Victim) -> None:
        self._keep_log(name, victim)
        self._tell(f"start {name}")
        victim.start()
        self._down.discard(name)

    def _keep_log(self, name: str, victim: Victim) -> None:
        """A start begins a new log."""
        if victim.log.exists():
            with (self._folder / f"{name}.log").open("ab") as kept:
                kept.write(victim.log.read_bytes())
            victim.log.unlink()

    def _look_for_the_dead(self) -> None:
        for name, victim in self._victims.items():
            if name not in self._down and victim.pid is None:
                raise EndedWrongly(f"{victim.title} ended by itself:\n{victim.log_tail()}")
