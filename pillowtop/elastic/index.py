"""Which index a pillow writes to, and what has to be done about it. No I/O.

Documents are always written through an alias: a bulk then never makes an index by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pillowtop.elastic import naming
from pillowtop.exceptions import IndexElsewhere, TargetUnusable


@dataclass(frozen=True)
class FoundIndex:
    """An index that exists: `aliases` says of each whether it is the write index of it.

    `details` is all that an alias has besides.
    """

    name: str
    uuid: str
    aliases: Mapping[str, bool | None] = field(default_factory=dict)
    mapping: Mapping[str, Any] = field(default_factory=dict)
    gc_deletes: str = ""
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, body: Mapping[str, Any]) -> FoundIndex:
        """One entry of what `GET /<index>` returns."""
        settings = body.get("settings", {}).get("index", {})
        aliases = body.get("aliases", {})
        return cls(
            name,
            settings.get("uuid", ""),
            {alias: details.get("is_write_index") for alias, details in aliases.items()},
            body.get("mappings", {}),
            settings.get("gc_deletes", ""),
            aliases,
        )


class Action(Enum):
    """What has to be done before the index can be written to."""

    NOTHING = "nothing"
    CREATE = "create the index, together with its alias"
    ADD_ALIAS = "add the alias to the index"


@dataclass(frozen=True)
class Plan:
    """What to do about which index; `found` is it, unless it has to be created."""

    action: Action
    index: str
    found: FoundIndex | None = None


@dataclass(frozen=True)
class AliasedIndex:
    """An index that is called after what was declared of it, behind an alias of the users' own."""

    alias: str
    mapping: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    index_version: int | str = 1
    routing: str = ""

    @property
    def write_alias(self) -> str:
        return self.alias

    @property
    def aliases(self) -> dict[str, dict[str, Any]]:
        """The aliases of the index, as it is made with them."""
        return {self.alias: {"is_write_index": True}}

    @property
    def index(self) -> str:
        return naming.index_name(
            self.alias, self.mapping, self.settings, self.index_version, self.routing
        )

    def identity(self, uuid: str) -> str:
        """What a position in the feed vouches for."""
        return uuid

    def plan(self, found: Iterable[FoundIndex]) -> Plan:
        """What to do, given what exists under the names of alias and index.

        Raises `IndexElsewhere`, or `TargetUnusable` where an operator has to act.
        """
        indices = {index.name: index for index in found}
        if self.alias in indices:
            raise TargetUnusable(
                f"{self.alias!r} is an index, and es_alias has to be an alias: give es_alias "
                f"another name, or remove the index (DELETE /{self.alias}) to have it made anew"
            )
        holders = [index for index in indices.values() if self.alias in index.aliases]
        if not holders:
            return self._plan_without_alias(indices)
        writable = write_index(self.alias, holders)
        if writable.name != self.index:
            raise IndexElsewhere(
                f"alias {self.alias!r} is on index {writable.name!r}, and mapping, settings and "
                f"index_version of this pillow ask for {self.index!r}"
            )
        return Plan(Action.NOTHING, writable.name, writable)

    def _plan_without_alias(self, indices: Mapping[str, FoundIndex]) -> Plan:
        if self.index in indices:
            raise TargetUnusable(
                f"index {self.index!r} is there without its alias: {_add_alias(self)}, or remove "
                f"the index (DELETE /{self.index}) to have both made anew"
            )
        return Plan(Action.CREATE, self.index)


@dataclass(frozen=True)
class FixedIndex:
    """An index whose name is given; it is written to through an alias that is ours."""

    index: str
    mapping: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    routing: str = ""

    @property
    def write_alias(self) -> str:
        return naming.own_alias(self.index)

    @property
    def aliases(self) -> dict[str, dict[str, Any]]:
        """The aliases of the index, as it is made with them."""
        return {self.write_alias: {"is_write_index": True}}

    def identity(self, uuid: str) -> str:
        """What a position in the feed vouches for: by another routing all is to be written anew."""
        return naming.marked(uuid, self.routing)

    def plan(self, found: Iterable[FoundIndex]) -> Plan:
        """What to do, given what exists under the names of index and alias.

        Raises `TargetUnusable` where an operator has to act.
        """
        indices = {index.name: index for index in found}
        self._check_names(indices)
        ours = indices.get(self.index)
        if ours is None:
            return Plan(Action.CREATE, self.index)
        if not self._has_aliases(ours):
            return Plan(Action.ADD_ALIAS, self.index, ours)
        return Plan(Action.NOTHING, self.index, ours)

    def _has_aliases(self, ours: FoundIndex) -> bool:
        return ours.aliases.get(self.write_alias, False) is not False

    def _no_index(self, other: FoundIndex) -> str:
        return (
            f"{self.index!r} is an alias of index {other.name!r}, and es_index has to be an index: "
            "use an AliasedElasticPillow, or give es_index another name"
        )

    def _check_names(self, indices: Mapping[str, FoundIndex]) -> None:
        if self.write_alias in indices:
            raise TargetUnusable(
                f"{self.write_alias!r} is an index, and pillowtop writes to {self.index!r} through "
                f"an alias of that name: remove it (DELETE /{self.write_alias})"
            )
        for other in indices.values():
            if self.index in other.aliases:
                raise TargetUnusable(self._no_index(other))
            if other.name != self.index and self.write_alias in other.aliases:
                raise TargetUnusable(
                    f"alias {self.write_alias!r} is on index {other.name!r}, and belongs on "
                    f"{self.index!r}: remove it (DELETE /{other.name}/_alias/{self.write_alias})"
                )


@dataclass(frozen=True)
class PlacedIndex(FixedIndex):
    """One of several indices: all are read through one alias, and none is written to by that."""

    read_alias: str = ""

    @property
    def aliases(self) -> dict[str, dict[str, Any]]:
        return {**super().aliases, self.read_alias: {"is_write_index": False}}

    def _has_aliases(self, ours: FoundIndex) -> bool:
        return super()._has_aliases(ours) and self.read_alias in ours.aliases

    def _no_index(self, other: FoundIndex) -> str:
        return (
            f"{self.index!r} is an alias of index {other.name!r}, and target_for has to name an "
            "index: have it give another name"
        )


@dataclass(frozen=True)
class SeveralIndices(FixedIndex):
    """Indices that are made as documents ask for them. `index` is the alias to read them by."""

    @property
    def write_alias(self) -> str:
        return self.index

    def at(self, index: str) -> PlacedIndex:
        """One of them."""
        return PlacedIndex(index, self.mapping, self.settings, read_alias=self.index)

    def identity(self, uuid: str = "") -> str:
        """Whatever indices there are: one that was removed is not filled again."""
        return super().identity(self.index)

    def demand_alias(self, found: Iterable[FoundIndex]) -> None:
        """Raise `TargetUnusable` where the alias is an index."""
        if self.index in {one.name for one in found}:
            raise TargetUnusable(
                f"{self.index!r} is an index, and where target_for names indices es_index has to "
                "be the alias to read them by: give es_index another name, or remove the index "
                f"(DELETE /{self.index}) and have everything written again (manage.py "
                "ptop_checkpoint reset)"
            )


Target = AliasedIndex | FixedIndex


def write_index(alias: str, holders: list[FoundIndex]) -> FoundIndex:
    """The index behind an alias that is written to. Raises `TargetUnusable` without one."""
    marked = [index for index in holders if index.aliases[alias]]
    unmarked = [index for index in holders if index.aliases[alias] is None]
    if marked:
        return marked[0]
    if len(holders) == 1 and unmarked:
        return unmarked[0]
    names = ", ".join(sorted(index.name for index in holders))
    raise TargetUnusable(
        f"alias {alias!r} has no write index (it is on {names}): mark one of them with "
        f'POST /_aliases {{"actions": [{{"add": {{"index": "…", "alias": "{alias}", '
        f'"is_write_index": true}}}}]}}'
    )


def identified(target: Target, found: Iterable[FoundIndex]) -> str:
    """The UUID of the index that is written to. Raises as `plan` does, or where it is gone."""
    indices = list(found)
    plan = target.plan(indices)
    if plan.found is None or plan.action is not Action.NOTHING:
        raise TargetUnusable(
            f"index {target.index!r} is gone, or its alias {target.write_alias!r} is: nothing is "
            "made anew under a running pillow; start it again to have the index made and filled"
        )
    return target.identity(plan.found.uuid)


def creation(target: Target, source_field: str) -> dict[str, Any]:
    """The one request that makes an index together with its alias."""
    return {
        "mappings": naming.mapping_with_source(target.mapping, source_field),
        "settings": naming.creation_settings(target.settings),
        "aliases": target.aliases,
    }


def _add_alias(target: AliasedIndex) -> str:
    return (
        f'give it back (POST /_aliases {{"actions": [{{"add": {{"index": "{target.index}", '
        f'"alias": "{target.alias}", "is_write_index": true}}}}]}})'
    )
