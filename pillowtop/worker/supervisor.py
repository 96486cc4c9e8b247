"""Keeps one pillow alive, and says what became of it."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import gevent
from django.utils import timezone

from pillowtop import awaited
from pillowtop.engine.backoff import Backoff
from pillowtop.engine.figures import Snapshot
from pillowtop.engine.moves import Move
from pillowtop.engine.transience import demand_about_document
from pillowtop.exceptions import (
    ConfigurationError,
    Halted,
    HeldElsewhere,
    IndexElsewhere,
    LeaseLost,
    PillowtopError,
    SequenceRefused,
    Stalled,
    StandBy,
    TransientError,
)
from pillowtop.listener import AliasedElasticPillow, BasicPillow
from pillowtop.records import letters, moves, requests
from pillowtop.worker.lane import Lane
from pillowtop.worker.movable import demand_movable
from pillowtop.worker.office import Office
from pillowtop.worker.wishes import Unseen, Wishes

if TYPE_CHECKING:
    from pillowtop.worker.moving import Mover

logger = logging.getLogger(__name__)


LONG_LIFE_SECONDS = 60.0
"""After a life of this length the next one is not put off."""


class State(Enum):
    RUNNING = "running"
    DONE = "done"
    DIFFERS = "differs"
    STANDBY = "stands by"
    HALTED = "halted"
    LEASE_LOST = "lease lost"
    NEEDS_REINDEX = "needs reindex"
    ELSEWHERE = "runs elsewhere"
    CRASHED = "crashed"


class Ending(NamedTuple):
    """What it means that an error has ended a life; the first that fits decides."""

    kind: type[PillowtopError]
    state: State
    level: int
    words: str


ENDINGS = (
    Ending(HeldElsewhere, State.ELSEWHERE, logging.WARNING, "stands by: {error}"),
    Ending(
        IndexElsewhere,
        State.NEEDS_REINDEX,
        logging.ERROR,
        "needs reindex: {error}. {advice}",
    ),
    Ending(StandBy, State.STANDBY, logging.ERROR, "stands by: {error}"),
    Ending(LeaseLost, State.LEASE_LOST, logging.ERROR, "stopped: {error}"),
    Ending(
        SequenceRefused,
        State.HALTED,
        logging.ERROR,
        "stopped: {error}. To read everything again from 0, type: "
        "manage.py ptop_checkpoint reset {pillow}",
    ),
    Ending(Halted, State.HALTED, logging.ERROR, "stopped: {error}"),
    Ending(Stalled, State.CRASHED, logging.WARNING, "starts again, as it has stalled: {error}"),
    Ending(PillowtopError, State.RUNNING, logging.WARNING, "starts again: {error}"),
)


class Supervisor:
    """Runs one life of a pillow after the other. `state` says how it is.

    Without `follow` the first life that ends decides; otherwise a crash is followed by another
    life, a pillow that stands by looks again now and then, and one that is halted waits for a
    request of an operator. With `yields` it ends where another process runs the pillow.
    """

    def __init__(
        self, pillow: BasicPillow, office: Office, *, follow: bool, yields: bool = False
    ) -> None:
        self.pillow = pillow
        self.state = State.RUNNING
        self.follows = follow
        self._office = office
        self._yields = yields
        self._final = (State.DONE, State.LEASE_LOST) + ((State.ELSEWHERE,) if yields else ())
        self._lane: Lane | None = None
        self._was_cut_off = False
        self._backoff = Backoff(max_seconds=60.0)
        self._figures = office.figures(pillow.name)
        self._said = ""
        self._mover: Mover | None = None
        self._standby_seconds = office.settings.STANDBY_SECONDS

    def run(self) -> None:
        """Return when the pillow is done for good."""
        awaited.keep_in(self._figures.answers)
        while True:
            born = time.monotonic()
            self.state = State.RUNNING
            self.state = self._live()
            self._hand_over()
            ended = self.state in self._final
            if ended or (not self.follows and self.state is not State.RUNNING):
                self._give_back()
                return
            if time.monotonic() - born > LONG_LIFE_SECONDS:
                self._backoff.reset()
            self._wait()

    def drain(self) -> None:
        """Stop in an orderly way. Raises what hinders it."""
        awaited.keep_in(self._figures.answers)
        if self._mover:
            self._mover.drain()
        if self._lane:
            self._lane.drain()
        self.state = State.DONE

    def snapshot(self) -> Snapshot:
        """The pillow's figures."""
        has_started = self._lane.has_started if self._lane else self._was_cut_off
        starting = self.state is State.RUNNING and not has_started
        state = "starting" if starting else self.state.name.lower()
        shot = self._figures.snapshot(state, self._said)
        shot.provisional = self._yields
        return shot

    def letters(self) -> int:
        """How many dead letters the pillow has: waits for the database to say it."""
        name = self.pillow.name
        return self._office.patience(name).until_done(
            lambda: self._office.books.run(letters.count, name)
        )

    def _live(self) -> State:
        """One life; the state that it leaves the pillow in."""
        try:
            self._lane = Lane(self.pillow, self._office, follow=self.follows)
            self._lane.run()
        except PillowtopError as error:
            if self._lane and self._lane.has_started:
                self._said = ""
            return self._ended_by(error)
        except gevent.GreenletExit:
            self._was_cut_off = self._lane is not None and self._lane.has_started
            raise
        except BaseException as error:
            demand_about_document(error)
            self._figures.crashed(f"{type(error).__name__}: {error}")
            logger.exception(
                "%s: crashed",
                self.pillow.name,
                extra={"action": "crashed", "pillow": self.pillow.name},
            )
            return State.CRASHED
        finally:
            self._lane = None
        return State.DONE

    def _give_back(self) -> None:
        """Let others have the pillow, however long the process lives on for its other ones."""
        with suppress(TransientError):
            self._office.leases.give_back(self.pillow.name)

    def _hand_over(self) -> None:
        """Let another process have the pillow that has asked for it."""
        with suppress(TransientError):
            self._office.leases.hand_over(self.pillow.name)

    def _ended_by(self, error: PillowtopError) -> State:
        ending = next(one for one in ENDINGS if isinstance(error, one.kind))
        asked = error.seconds if isinstance(error, StandBy) else None
        self._standby_seconds = asked or self._office.settings.STANDBY_SECONDS
        advice = self._advice() if ending.state is State.NEEDS_REINDEX else ""
        words = ending.words.format(error=error, pillow=self.pillow.name, advice=advice)
        if ending.state is State.CRASHED:
            self._figures.crashed(f"{type(error).__name__}: {error}")
        else:
            self._figures.note_error(words)
        expected = self._yields and ending.state is State.ELSEWHERE
        self._say(logging.INFO if expected else ending.level, words)
        return ending.state

    def _advice(self) -> str:
        """What somebody who reads that the alias is on another index is to do."""
        name, move = self.pillow.name, self._moved_away_by()
        if move is None:
            return self._hindrance() or (
                "To have the new index built and put in its place, type: manage.py ptop_reindex "
                f"run {name}"
            )
        back = f", or go back (manage.py ptop_reindex rollback {name})"
        return (
            "It was moved there by ptop_reindex, and this is the release before: start run_ptop of "
            f"the new one in its place{back if move.may_return(timezone.now()) else ''}"
        )

    def _hindrance(self) -> str:
        """Why it cannot be moved to the index that it asks for; empty where it can."""
        try:
            assert isinstance(self.pillow, AliasedElasticPillow)
            demand_movable(self.pillow)
        except ConfigurationError as error:
            return str(error)
        return ""

    def _moved_away_by(self) -> Move | None:
        """The move of the alias away from the index that this release asks for."""
        name, index = self.pillow.name, self._figures.index
        known = self._office.patience(name).until_done(
            lambda: self._office.books.run(moves.all_of, name)
        )
        return next((move for move in known if move.old == index and move.is_made), None)

    def _wait(self) -> None:
        if self.state in (State.CRASHED, State.RUNNING):
            gevent.sleep(self._backoff.next())
            self._hand_over()
            return
        if self.state is State.NEEDS_REINDEX:
            self._give_back()
            self._move()
        gevent.sleep(self._standby_seconds)
        while self.state is State.HALTED and not self._is_asked():
            self._hand_over()
            gevent.sleep(self._office.settings.STANDBY_SECONDS)
        self._hand_over()

    def _move(self) -> None:
        """Have the index that the pillow asks for take its place, if the pillow says so.

        Once in a process: what keeps it from that is for somebody to look at. And not where
        somebody has gone back from it, or the pillow was moved away from it: by a newer release,
        and two would move it to and fro.
        """
        wants = getattr(self.pillow, "on_changed_mapping", "standby") == "reindex"
        if not wants or self._mover is not None or self._moved_away_by() or self._hindrance():
            return
        from pillowtop.worker.moving import mover_of  # noqa: PLC0415  (a circle)

        name = self.pillow.name
        self._mover = mover_of(name, self._office, Wishes(follows=False), Unseen())
        if self._mover.was_rolled_back():
            return
        self._mover.run()
        if self._mover.state is State.ELSEWHERE:  # who may die before he is done
            self._mover = None
        elif self._mover.state is not State.DONE:
            self._give_back()

    def _is_asked(self) -> bool:
        patience = self._office.patience(self.pillow.name)
        return bool(
            patience.until_done(
                lambda: self._office.books.run(requests.asked, self.pillow.name).last
            )
        )

    def _say(self, level: int, words: str) -> None:
        """Log once what stays the same."""
        if words == self._said:
            return
        self._said = words
        logger.log(
            level,
            "%s: %s",
            self.pillow.name,
            words,
            extra={"action": "state", "pillow": self.pillow.name},
        )
