"""What operators do about indices under aliases: the commands share it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
from django.core.management.base import CommandError
from django.utils import timezone

from pillowtop import registry
from pillowtop.conf import configuration
from pillowtop.elastic import moving, naming, tidying
from pillowtop.elastic.cluster import Cluster
from pillowtop.elastic.drift import Drift, drift
from pillowtop.elastic.index import AliasedIndex, FoundIndex
from pillowtop.elastic.indices import Indices
from pillowtop.elastic.moving import Plan
from pillowtop.elastic.tidying import Judgement
from pillowtop.engine.moves import Move, Stage
from pillowtop.engine.resuming import RETURNED, Request
from pillowtop.exceptions import ConfigurationError, TransientError
from pillowtop.exits import Exit
from pillowtop.listener import AliasedElasticPillow
from pillowtop.records import leases, moves, requests
from pillowtop.records.chosen_letters import Choice, have_retried


class Aliased(NamedTuple):
    """A pillow with an index under an alias, and that."""

    pillow: AliasedElasticPillow
    target: AliasedIndex

    @property
    def name(self) -> str:
        return self.pillow.name

    @classmethod
    def of(cls, pillow: AliasedElasticPillow) -> Aliased:
        target = pillow.get_target()
        assert isinstance(target, AliasedIndex)
        return cls(pillow, target)


def aliased(name: str) -> Aliased:
    """The pillow of a name. Raises `ConfigurationError` where it has no alias."""
    pillow = registry.get_pillow(name)
    if not isinstance(pillow, AliasedElasticPillow):
        raise ConfigurationError(
            f"{name} has no index under an alias: that is what an AliasedElasticPillow has"
        )
    return Aliased.of(pillow)


def build_of(one: Aliased) -> AliasedElasticPillow:
    """The pillow, made to fill its new index under a name of its own."""
    pillow = aliased(one.name).pillow
    pillow.redirect()
    return pillow


def all_aliased() -> list[Aliased]:
    """All pillows with an index under an alias."""
    pillows = [entry.pillow() for entry in registry.entries()]
    return [Aliased.of(one) for one in pillows if isinstance(one, AliasedElasticPillow)]


def cluster_indices() -> Indices:
    """Those of the cluster in the settings."""
    settings = configuration()
    return Indices(Cluster(settings.elasticsearch, settings.REQUEST_SECONDS))


def plan_of(one: Aliased, indices: Indices) -> Plan:
    """What there is to do. Raises as `moving.plan`."""
    found = indices.find(one.target.alias, one.target.index)
    known = moves.of(one.name, one.target.index)
    return moving.plan(one.name, one.target, found.values(), known)


def way_back(one: Aliased, indices: Indices) -> tuple[Move, FoundIndex]:
    """The move that can be undone, and the index that is written to now.

    Raises `CommandError` where there is none.
    """
    new = moving.serving(one.target.alias, indices.find(one.target.alias))
    move = moves.of(one.name, new.name)
    words = _no_way_back(move, new.name, timezone.now())
    if words:
        raise CommandError(f"{one.name}: {words}", returncode=Exit.UNHEALTHY)
    assert move is not None
    if move.old not in indices.find(move.old):
        raise CommandError(
            f"{one.name}: index {move.old} is gone: there is no way back to it",
            returncode=Exit.UNHEALTHY,
        )
    return move, new


def roll_back(one: Aliased, indices: Indices) -> Move:
    """Have the old index take its place again, and its release of the pillow write again all that
    has changed since the move. Raises `CommandError` or `TargetUnusable`."""
    move = _half_undone(one, indices)
    if move is None:
        move, new = way_back(one, indices)
        moves.settle(one.name, new.name)
        indices.refresh(move.old)
        try:
            indices.change_aliases(move.alias, moving.flip(move.alias, new, move.old))
        except TransientError:  # it may be done, and the answer lost
            if _half_undone(one, indices) is None:
                raise
    # Not before: the process that runs the pillow until then would take it for its own. (Whoever
    # begins in between, begins at 0.)
    if not requests.asked(one.name).last:
        requests.ask(one.name, Request(RETURNED, move.seq, move.identity))
    done = msgspec.structs.replace(move, stage=Stage.ROLLED_BACK)
    moves.keep(done)
    have_retried(Choice(pillow=one.name))
    return done


def _half_undone(one: Aliased, indices: Indices) -> Move | None:
    """The move whose alias is back, and which is not known to be undone."""
    serving = moving.serving(one.target.alias, indices.find(one.target.alias)).name
    undone = [move for move in moves.all_of(one.name) if move.old == serving and not move.lost]
    return next((move for move in reversed(undone) if move.stage is Stage.FLIPPED), None)


def judgements(indices: Indices) -> list[Judgement]:
    """All indices that were made for the aliases of pillows, and which of them are kept."""
    pillows = all_aliased()
    found: dict[str, FoundIndex] = {}
    for alias in sorted({one.target.alias for one in pillows}):
        there = indices.find(f"{alias}_*")
        found |= {name: there[name] for name in tidying.made_for(alias, there)}
    wanted = {one.target.index: one.name for one in pillows}
    remembered = moves.all_of()
    building = leases.held(move.build for move in remembered)
    return tidying.judged(found, wanted, remembered, building, timezone.now())


def remove(index: str, indices: Indices) -> None:
    """Delete an index, and what is remembered of its making."""
    indices.delete(index)
    for move in moves.all_of():
        if move.new == index:
            moves.forget(move)


def drifts(one: Aliased, indices: Indices) -> tuple[str, list[Drift]]:
    """The index that serves, and where it differs from what is declared."""
    serving = moving.serving(one.target.alias, indices.find(one.target.alias))
    mapping = naming.mapping_with_source(one.target.mapping, configuration().SOURCE_FIELD)
    settings = indices.settings(serving.name)
    return serving.name, drift(mapping, one.target.settings, serving, settings)


def _no_way_back(move: Move | None, index: str, now: datetime) -> str:
    if move is None or not move.is_made:
        return f"no move to {index}, which serves now, is remembered: there is nothing to undo"
    if move.lost:
        return f"index {move.old} is not in step any more, so there is no way back: {move.lost}"
    if not move.may_return(now):
        return (
            f"the time for a rollback to {move.old} is over, and it is not in step any more: go "
            "back to the release before, and run ptop_reindex run with that"
        )
    return ""
