"""The greenlets of one life of a pillow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from gevent.event import AsyncResult

from pillowtop import awaited
from pillowtop.awaited import Answers
from pillowtop.worker.figures import Figures


class Crew:
    """Greenlets that live as long as `wait` does; an error in one of them ends it.

    So does the death of one that is to last. `figures` learn which answers they wait for.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._greenlets: list[gevent.Greenlet] = []
        self._ended = AsyncResult()
        self._is_ending = False

    @property
    def alive(self) -> list[gevent.Greenlet]:
        return [one for one in self._greenlets if not one.dead]

    def spawn(self, function: Callable[..., None], *args: Any) -> gevent.Greenlet:
        """Start one that may end, or be killed, before the others."""
        return self._start(self._figures.answers, function, args, lasts=False)

    def keep(self, function: Callable[[], None], *, aside: bool = True) -> gevent.Greenlet:
        """Start one that is to last; `aside` says that it neither reads nor delivers."""
        figures = self._figures
        answers = figures.answers_aside if aside else figures.answers
        return self._start(answers, function, (), lasts=True)

    def wait(self) -> None:
        """Return when `end` is called. Raises what ends one of the greenlets."""
        try:
            self._ended.get()
        finally:
            self._is_ending = True

    def stop(self, greenlets: Iterable[gevent.Greenlet]) -> None:
        """Kill some of them in an orderly way; nothing is to last from now on."""
        self._is_ending = True
        gevent.killall(list(greenlets))

    def end(self) -> None:
        self._ended.set(None)

    def kill(self) -> None:
        """Kill all."""
        self._is_ending = True
        # Again and again: one that lands while it is being killed may send another batch.
        while alive := self.alive:
            gevent.killall(alive)

    def _start(
        self, answers: Answers, function: Callable[..., None], args: Any, *, lasts: bool
    ) -> gevent.Greenlet:
        self._greenlets = self.alive
        greenlet = gevent.spawn(self._guarded, answers, function, args, lasts=lasts)
        self._greenlets.append(greenlet)
        return greenlet

    def _guarded(
        self, answers: Answers, function: Callable[..., None], args: Any, *, lasts: bool
    ) -> None:
        awaited.keep_in(answers)
        try:
            function(*args)
        except gevent.GreenletExit:
            if lasts and not self._is_ending:
                name = getattr(function, "__qualname__", function)
                self._ended.set_exception(RuntimeError(f"the greenlet of {name} was killed"))
            raise
        except BaseException as error:  # noqa: BLE001  (wait raises it)
            self._ended.set_exception(error, exc_info=sys.exc_info())
