"""A pillow's move to a new index under its alias: what has to be done, as values. No I/O.

The index before keeps serving, and is kept in step, until the one request that moves the alias.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

import msgspec

from pillowtop.elastic import naming
from pillowtop.elastic.index import AliasedIndex, FoundIndex, write_index
from pillowtop.engine.health import duration
from pillowtop.engine.moves import Move, Stage
from pillowtop.exceptions import ConfigurationError, TargetUnusable

FAST = {"index.refresh_interval": "-1", "index.number_of_replicas": "0"}
"""For the time of the copy: nobody searches the new index, and a copy that is lost is made again.
(Not what makes writes durable: a position vouches for them.)"""


class Step(Enum):
    """What is done, one after the other; in words for people."""

    CREATE = "make index {new}"
    COPY = "copy what CouchDB holds, and follow it to the present, while {old} serves"
    SETTLE = "give {new} its real settings, and check them"
    VERIFY = "compare {new} with the database: counts, ids, revisions"
    CATCH_UP = "follow to the present again"
    TAKE = "take the pillow's lease from whoever runs it"
    DELIVER = "deliver what has changed until then"
    FLIP = "move alias {alias} from {old} to {new}, in one request"
    FOLLOW = "run the pillow, and keep {old} in step for {keep}, until another process takes it"

    @property
    def slug(self) -> str:
        return self.name.lower()


BUILDING = (Step.COPY, Step.SETTLE, Step.VERIFY)
FLIPPING = (Step.CATCH_UP, Step.TAKE, Step.DELIVER, Step.FLIP, Step.FOLLOW)


class Plan(msgspec.Struct, frozen=True):
    """From where to where, and what is left to do for it; nothing where all is as declared."""

    move: Move
    steps: tuple[Step, ...]

    def lines(self, keep: timedelta) -> list[str]:
        """The steps in words. `keep` says for how long the old index is kept in step."""
        return [words(one, self.move, keep) for one in self.steps]


def words(step: Step, move: Move, keep: timedelta) -> str:
    """What is done in a step."""
    shown = duration(keep.total_seconds())
    return step.value.format(new=move.new, old=move.old, alias=move.alias, keep=shown)


def plan(
    pillow: str, target: AliasedIndex, found: Iterable[FoundIndex], known: Move | None
) -> Plan:
    """What a move takes, given what exists and what is remembered of a move to this index.

    Raises `ConfigurationError` where there is nothing to move from, or `TargetUnusable` where an
    operator has to act.
    """
    indices = {one.name: one for one in found}
    old = serving(target.alias, indices)
    new = indices.get(target.index)
    if old.name == target.index:
        if known is not None and known.stage is Stage.FLIPPING:
            return Plan(known, (Step.FOLLOW,))
        there = Move(pillow, target.alias, old.name, old.name, old.uuid, Stage.FLIPPED)
        return Plan(known or there, ())
    _demand_no_routing(target.alias, old)
    fresh = Move(pillow, target.alias, old.name, target.index)
    if known is None or new is None or known.uuid != new.uuid or known.old != old.name:
        return Plan(fresh, (Step.CREATE, *BUILDING, *FLIPPING))
    if known.stage in (Stage.READY, Stage.FLIPPING):
        return Plan(known, FLIPPING)
    if known.stage is Stage.BUILDING:
        return Plan(known, (*BUILDING, *FLIPPING))
    return Plan(fresh, (Step.CREATE, *BUILDING, *FLIPPING))


def _demand_no_routing(alias: str, old: FoundIndex) -> None:
    """The new index is filled by an alias of ours: documents would stand in other shards there."""
    if old.details.get(alias, {}).get("index_routing"):
        raise ConfigurationError(
            f"alias {alias!r} routes what is written (index_routing), and an index behind such an "
            "alias cannot be moved: say the routing of documents by es_routing, and take it from "
            "the alias"
        )


def serving(alias: str, indices: Mapping[str, FoundIndex]) -> FoundIndex:
    """The index that an alias is written to. Raises as `plan` does."""
    if alias in indices:
        raise TargetUnusable(f"{alias!r} is an index, and es_alias has to be an alias")
    holders = [one for one in indices.values() if alias in one.aliases]
    if not holders:
        raise ConfigurationError(
            f"there is no index behind alias {alias!r} yet: manage.py run_ptop makes it"
        )
    return write_index(alias, holders)


def flip(alias: str, old: FoundIndex, new: str) -> list[dict[str, Any]]:
    """The actions that move an alias from one index to another, all of them or none.

    Without `must_exist` a removal that fails answers 200, and the alias is on two indices. The
    old one gets an alias of ours, through which it is written to from then on.
    """
    kept = {
        key: value for key, value in old.details.get(alias, {}).items() if key != "is_write_index"
    }
    ours = naming.own_alias(old.name)
    return [
        {"remove": {"index": old.name, "alias": alias, "must_exist": True}},
        {"add": {"index": new, "alias": alias, "is_write_index": True, **kept}},
        {"add": {"index": old.name, "alias": ours, "is_write_index": True}},
    ]


def real_settings(target: AliasedIndex) -> dict[str, Any]:
    """What `FAST` has replaced, as it is declared; None where the server's default holds."""
    declared = naming.creation_settings(target.settings)
    return {key: declared.get(key) for key in FAST}


def unsettled(target: AliasedIndex, settings: Mapping[str, Any]) -> list[str]:
    """Of the settings replaced for the copy, those that are not as declared, in words."""
    return [
        f"{key} is {settings[key]}"
        for key, declared in real_settings(target).items()
        if key in settings and _differs(key, declared, settings[key])
    ]


def _differs(key: str, declared: Any, found: Any) -> bool:
    if declared is None:
        return bool(found == FAST[key])
    return str(found).lower() != str(declared).lower()
