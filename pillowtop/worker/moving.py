"""Moves a pillow to a new index, step by step: what `ptop_reindex run` runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
import msgspec
from django.utils import timezone

from pillowtop import awaited, registry
from pillowtop.changes import Seq
from pillowtop.elastic import moving
from pillowtop.elastic.cluster import Cluster
from pillowtop.elastic.index import AliasedIndex, FoundIndex
from pillowtop.elastic.indices import Indices
from pillowtop.elastic.moving import Step
from pillowtop.engine.figures import Snapshot
from pillowtop.engine.moves import Stage
from pillowtop.engine.resuming import MOVED, Request, vouched_for
from pillowtop.exceptions import (
    Halted,
    HeldElsewhere,
    PillowtopError,
    StandBy,
    TargetUnusable,
    TransientError,
)
from pillowtop.listener import AliasedElasticPillow
from pillowtop.records import chosen_letters, couch, letters, moves, positions, requests, tokens
from pillowtop.records.chosen_letters import Choice
from pillowtop.worker.comparing import compare
from pillowtop.worker.leasing import Tenant
from pillowtop.worker.office import Office
from pillowtop.worker.supervisor import State, Supervisor
from pillowtop.worker.wishes import Show, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pillowtop.listener import BasicPillow

logger = logging.getLogger(__name__)

T = TypeVar("T")
LOOK_SECONDS = 0.5


class Ended(Exception):
    """The move goes no further. `state` says how it is; the log says why."""

    def __init__(self, state: State, words: str = "") -> None:
        super().__init__(words)
        self.state = state


class Mover:
    """Runs the steps that are left. Interrupted anywhere, another one goes on from there.

    `pillow` is moved; `build` is the same, made to fill the new index under a name of its own.
    """

    def __init__(
        self,
        pillow: AliasedElasticPillow,
        build: AliasedElasticPillow,
        indices: Indices,
        office: Office,
        wishes: Wishes,
        show: Show,
    ) -> None:
        self.pillow: BasicPillow = pillow
        self.state = State.RUNNING
        self.follows = False
        self._aliased: AliasedIndex = _aliased(pillow)
        self._build = build
        self._indices = indices
        self._office = office
        self._wishes = wishes
        self._show = show
        self._supervisor: Supervisor | None = None
        self._stops = False
        self._letters = 0
        self._steps: Mapping[Step, Callable[[], None]] = {
            Step.CREATE: self._create,
            Step.COPY: self._copy,
            Step.SETTLE: self._settle,
            Step.VERIFY: self._verify,
            Step.CATCH_UP: self._catch_up,
            Step.TAKE: self._take,
            Step.DELIVER: self._deliver,
            Step.FLIP: self._flip,
            Step.FOLLOW: self._follow,
        }

    # What a launcher asks for.

    def run(self) -> None:
        awaited.keep_in(self._office.figures(self._build.name).answers)
        try:
            self._run()
        except Ended as end:
            self.state = end.state
            if str(end):
                self._log(logging.ERROR, "move_ended", str(end))
        except PillowtopError as error:
            self.state = _state_of(error)
            self._log(logging.ERROR, "move_ended", str(error))
        except Exception:
            self.state = State.CRASHED
            logger.exception("%s: crashed", self._build.name, extra={"action": "crashed"})
        finally:
            self._give_back()

    def drain(self) -> None:
        self._stops = True
        if self._supervisor:
            self._supervisor.drain()

    def snapshot(self) -> Snapshot:
        if self._supervisor:
            return self._supervisor.snapshot()
        figures = self._office.figures(self._build.name)
        return figures.snapshot(self.state.name.lower(), "")

    def letters(self) -> int:
        """Dead letters of the build. (Those that the pillow has had are of the index before.)"""
        return self._letters or int(self._record(letters.count, self._build.name))

    # The steps.

    def _run(self) -> None:
        self._hold_build()
        plan = self._patiently(self._plan)
        self._move = plan.move
        if not plan.steps:
            self._log(logging.INFO, "move_ended", f"is on {plan.move.new} already")
        for step in plan.steps:
            if step is Step.TAKE and not self._wishes.flips:
                self._log(
                    logging.INFO, "move_ready",
                    f"{self._move.new} is ready, and {self._move.old} serves: ptop_reindex run "
                    f"{self.pillow.name} moves alias {self._move.alias}",
                )  # fmt: skip
                break
            self._demand_going_on()
            self._report(step, "begins")
            self._steps[step]()
            self._report(step, "done")
        self.state = State.DONE

    def was_rolled_back(self) -> bool:
        """Whether somebody has gone back from this very index, in whatever way."""
        known = self._record(moves.of, self.pillow.name, self._aliased.index)
        return known is not None and known.stage in (Stage.FLIPPED, Stage.ROLLED_BACK)

    def _plan(self) -> moving.Plan:
        alias, new = self._aliased.alias, self._aliased.index
        known = self._record(moves.of, self.pillow.name, new)
        found = self._indices.find(alias, new).values()
        plan = moving.plan(self.pillow.name, self._aliased, found, known)
        self._reused = any(one.name == new for one in found)
        return plan

    def _create(self) -> None:
        """An index that is there already, from an earlier move, is written over and swept."""
        uuid = self._patiently(self._build.get_transport().prepare)
        self._record(tokens.raise_above, self._build.name, self.pillow.name)
        if self._reused:
            self._record(moves.take_back, self.pillow.name, self._move.new)
            self._record(requests.ask, self._build.name, Request("reset"))
        self._remember(uuid=uuid, stage=Stage.BUILDING)

    def _copy(self) -> None:
        self._patiently(lambda: self._indices.set(self._move.new, moving.FAST))
        self._run_build()
        self._demand_no_letters()

    def _settle(self) -> None:
        new = self._move.new
        self._patiently(lambda: self._indices.set(new, moving.real_settings(self._aliased)))
        settings = self._patiently(lambda: self._indices.settings(new))
        if wrong := moving.unsettled(self._aliased, settings):
            raise TargetUnusable(f"{new!r} does not have its real settings: {', '.join(wrong)}")

    def _verify(self) -> None:
        comparison = compare(self.pillow.name)
        if comparison.differences:
            self._record(requests.ask, self._build.name, Request("reset"))
            raise Ended(
                State.DIFFERS,
                f"{self._move.new} differs from the database in {comparison}, and takes no place. "
                "Run ptop_reindex again: it writes all of it anew, and removes what is too much. "
                f"Should that be no help, delete the index (DELETE /{self._move.new})",
            )
        self._log(
            logging.INFO, "move_verified",
            f"{comparison.compared} documents compared: {self._move.new} is in step",
        )  # fmt: skip
        self._remember(stage=Stage.READY)

    def _catch_up(self) -> None:
        self._run_build()
        self._demand_no_letters()

    def _take(self) -> None:
        self._patiently(self._tenant.take_over)

    def _deliver(self) -> None:
        self._run_build()
        self._demand_no_letters()
        self._patiently(lambda: self._indices.refresh(self._move.new))

    def _flip(self) -> None:
        """Whatever is written down is so before the one request that counts."""
        # Before anything is written down about a move that cannot be made.
        self._patiently(self._in_place)
        seq, identity = self._patiently(self._position)
        self._record(tokens.raise_above, self.pillow.name, self._build.name)
        self._remember(
            stage=Stage.FLIPPING,
            seq=seq,
            identity=identity,
            keep_until=timezone.now() + self._wishes.keep,
        )
        self._record(moves.supersede, self._move)
        # Where somebody has asked for a start from elsewhere, that will do as well.
        if not self._record(requests.asked, self.pillow.name).last:
            self._record(requests.ask, self.pillow.name, Request(MOVED, seq, identity))
        self._patiently(self._tenant.demand)
        self._patiently(self._move_alias)
        self._record(moves.finish, self._move)
        self._move = msgspec.structs.replace(self._move, stage=Stage.FLIPPED)

    def _in_place(self) -> Mapping[str, FoundIndex]:
        """Those of both indices that have the alias. Raises where neither does."""
        alias, both = self._move.alias, (self._move.old, self._move.new)
        found = self._indices.find(alias, *both)
        on = {name: one for name, one in found.items() if name in both and alias in one.aliases}
        if not on:
            raise self._moved_by_hand()
        return on

    def _move_alias(self) -> None:
        alias, old, new = self._move.alias, self._move.old, self._move.new
        on = self._in_place()
        if old in on:  # else the answer to a request was lost
            self._indices.change_aliases(alias, moving.flip(alias, on[old], new))

    def _follow(self) -> None:
        if self._move.stage is Stage.FLIPPING:
            self._record(moves.finish, self._move)
        self.follows = True
        self._give_back()
        self._log(
            logging.WARNING, "moved",
            f"alias {self._move.alias} is on {self._move.new} now. Start run_ptop of this release "
            "in place of the one before: it takes over from here",
        )  # fmt: skip
        if not self._wishes.follows:
            return
        with suppress(HeldElsewhere):
            self._patiently(lambda: self._tenant.take(wait=True))
            self._patiently(self._tenant.offer)
            self._supervisor = Supervisor(self.pillow, self._office, follow=True, yields=True)
            self._supervisor.run()
            if self._supervisor.state not in (State.DONE, State.ELSEWHERE):
                raise Ended(self._supervisor.state)
        self._log(logging.INFO, "taken_over", "another process runs it now")

    # What steps are made of.

    @property
    def _tenant(self) -> Tenant:
        return self._office.leases.of(self.pillow.name)

    def _run_build(self) -> None:
        """Read up to a page that is not full, and deliver it."""
        # Whoever types it again has mended something perhaps.
        self._record(chosen_letters.have_retried, Choice(pillow=self._build.name))
        self._supervisor = Supervisor(self._build, self._office, follow=False)
        with self._shown():
            self._supervisor.run()
        state, self._supervisor = self._supervisor.state, None
        if state is not State.DONE:
            raise Ended(state)
        self._demand_going_on()
        self._hold_build()

    def _give_back(self) -> None:
        """Let another one build on, however long this process lives."""
        with suppress(TransientError):
            self._office.leases.give_back(self._build.name)

    def _demand_going_on(self) -> None:
        if self._stops:
            raise Ended(State.STANDBY, "stopped: ptop_reindex run goes on from here")

    def _hold_build(self) -> None:
        """Of two who would build one index, one goes on."""
        try:
            self._patiently(lambda: self._office.leases.of(self._build.name).take(wait=True))
        except HeldElsewhere as error:
            holder = str(error).partition(" runs")[0]
            raise Ended(
                State.ELSEWHERE, f"{holder} moves this pillow already, by ptop_reindex run"
            ) from error

    def _demand_no_letters(self) -> None:
        self._letters = count = int(self._record(letters.count, self._build.name))
        if count and not self._wishes.takes_letters:
            raise Ended(
                State.DONE,  # what remains says the rest
                f"{self._move.new} does not take {count} documents, so it takes no place: see why "
                f"with ptop_errors list --pillow={self._build.name}, correct mapping or transform, "
                "and run ptop_reindex again; or let it go on without them: --accept-letters",
            )

    def _position(self) -> tuple[Seq, str]:
        """From where on the old index has to be written to by us, and in which database."""
        name, database = self.pillow.name, self.pillow.get_database()
        checkpoint = (
            self._record(positions.recall, name, database.name)
            if self._office.settings.checkpoints == "django"
            else couch.read_checkpoint(database, name)
        )
        identity = couch.read_identity(database) or ""
        old = self._indices.find(self._move.old).get(self._move.old)
        if old is None:
            raise self._moved_by_hand()
        return vouched_for(checkpoint, identity, old.uuid), identity

    def _moved_by_hand(self) -> TargetUnusable:
        alias = self._move.alias
        return TargetUnusable(
            f"alias {alias!r} is not on {self._move.old!r} any more: somebody has moved it, and "
            f"nothing is changed. See where it is (GET /_alias/{alias}), put it back, or run "
            "ptop_reindex again from where it is"
        )

    @contextmanager
    def _shown(self) -> Iterator[None]:
        greenlet = gevent.spawn(self._keep_showing)
        try:
            yield
        finally:
            greenlet.kill()

    def _keep_showing(self) -> None:
        figures = self._office.figures(self._build.name)
        seen = figures.changes
        while figures.life is None:
            gevent.sleep(LOOK_SECONDS)
        database, since = figures.life.database, figures.life.checkpoint
        pending = self._patiently(lambda: database.pending(since)) if database else 0
        self._show.expect(f"{self._move.new}: changes", pending)
        while True:
            gevent.sleep(LOOK_SECONDS)
            self._show.reached(figures.changes - seen)

    def _remember(self, **fields: Any) -> None:
        self._move = msgspec.structs.replace(self._move, **fields)
        self._record(moves.keep, self._move)

    def _record(self, function: Callable[..., T], *args: Any) -> T:
        return self._patiently(lambda: self._office.books.run(function, *args))

    def _patiently(self, attempt: Callable[[], T]) -> T:
        return self._office.patience(self._build.name).until_done(attempt)

    def _report(self, step: Step, when: str) -> None:
        words = moving.words(step, self._move, self._wishes.keep) if when == "begins" else when
        extra = {"action": "move_step", "pillow": self.pillow.name, "step": step.slug, "when": when}
        logger.info("%s: %s: %s", self.pillow.name, step.slug, words, extra=extra)

    def _log(self, level: int, action: str, words: str) -> None:
        name = self.pillow.name
        logger.log(level, "%s: %s", name, words, extra={"action": action, "pillow": name})


def mover_of(name: str, office: Office, wishes: Wishes, show: Show) -> Mover:
    """What moves the pillow of this name. Raises `ConfigurationError`."""
    settings = office.settings
    pillow, build = registry.get_pillow(name), registry.get_pillow(name)
    assert isinstance(pillow, AliasedElasticPillow)
    assert isinstance(build, AliasedElasticPillow)
    build.redirect()
    indices = Indices(Cluster(settings.elasticsearch, settings.REQUEST_SECONDS))
    return Mover(pillow, build, indices, office, wishes, show)


def _aliased(pillow: AliasedElasticPillow) -> AliasedIndex:
    target = pillow.get_target()
    assert isinstance(target, AliasedIndex)
    return target


def _state_of(error: PillowtopError) -> State:
    if isinstance(error, HeldElsewhere):
        return State.ELSEWHERE
    if isinstance(error, Halted):
        return State.HALTED
    return State.STANDBY if isinstance(error, StandBy) else State.CRASHED
