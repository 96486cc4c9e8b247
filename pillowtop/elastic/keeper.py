"""Makes the index of a pillow ready."""

from __future__ import annotations

import logging
import re
from contextlib import suppress

from pillowtop.elastic import naming
from pillowtop.elastic.cluster import Cluster, path_to
from pillowtop.elastic.index import Action, FoundIndex, Plan, Target, creation, identified
from pillowtop.elastic.mappings import missing_properties
from pillowtop.exceptions import TargetUnusable, TransientError

logger = logging.getLogger(__name__)

LOOKS = 5
IDENTIFYING = "*.aliases,*.settings.index.uuid"
DESCRIBING = f"{IDENTIFYING},*.mappings,*.settings.index.gc_deletes"

DEFAULT_GC_SECONDS = 60.0
WANTED_GC_SECONDS = 3600.0
SECONDS_OF_UNITS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
                    "d": 86400.0}  # fmt: skip


class IndexKeeper:
    """Looks at an index, and makes it with its alias where it does not exist."""

    def __init__(self, cluster: Cluster, target: Target, source_field: str) -> None:
        self._cluster = cluster
        self._target = target
        self._source_field = source_field

    def prepare(self) -> str:
        """Have the index ready to be written to, and return what identifies it.

        Raises `TransientError`, `IndexElsewhere`, `AccessDenied`, `TargetUnusable` or
        `ConfigurationError`.
        """
        for _ in range(LOOKS):
            plan = self._target.plan(self._look(DESCRIBING))
            if plan.found is not None:
                self._complete_mapping(plan.found)
            if plan.found is not None and plan.action is Action.NOTHING:
                _warn_about_gc_deletes(plan.found)
                return self._target.identity(plan.found.uuid)
            self._carry_out(plan)
        raise TransientError(f"index {self._target.index!r} appears and vanishes again")

    def look(self) -> None:
        """Raise `IndexElsewhere` where another release of the pillow serves. Changes nothing.

        What else is wrong is for `prepare` to say. Raises `TransientError` and `AccessDenied`, too.
        """
        found = self._look(IDENTIFYING)
        with suppress(TargetUnusable):
            self._target.plan(found)

    def identity(self) -> str:
        """What identifies the index that is written to now. Raises as `prepare` does."""
        return identified(self._target, self._look(IDENTIFYING))

    def _look(self, filter_path: str) -> list[FoundIndex]:
        """What exists under the names of index and alias: nothing is an answer too."""
        index, alias = self._target.index, self._target.write_alias
        body = self._cluster.request(
            alias,
            "GET",
            path_to(f"{index},{alias}"),
            params={"ignore_unavailable": "true", "filter_path": filter_path},
        )
        return [FoundIndex.read(name, details) for name, details in body.items()]

    def _carry_out(self, plan: Plan) -> None:
        if plan.action is Action.CREATE:
            self._create()
        else:
            self._add_alias()

    def _create(self) -> None:
        """Create index and alias at once; where somebody else was faster, that is as good."""
        index = self._target.index
        try:
            self._cluster.request(
                index, "PUT", path_to(index), body=creation(self._target, self._source_field)
            )
        except TargetUnusable:
            if not self._look(IDENTIFYING):
                raise
        else:
            logger.info(
                "created index %s with alias %s", index, self._target.write_alias,
                extra={"action": "create_index", "index": index},
            )  # fmt: skip

    def _add_alias(self) -> None:
        index = self._target.index
        for alias, details in self._target.aliases.items():
            self._cluster.request(alias, "PUT", path_to(index, "_alias", alias), body=details)

    def _complete_mapping(self, found: FoundIndex) -> None:
        """Add declared fields that an index lacks, the source field's above all."""
        declared = naming.mapping_with_source(self._target.mapping, self._source_field)
        missing = missing_properties(found.name, declared, found.mapping)
        if missing:
            self._cluster.request(
                found.name, "PUT", path_to(found.name, "_mapping"), body={"properties": missing}
            )


def _warn_about_gc_deletes(found: FoundIndex) -> None:
    if _seconds(found.gc_deletes) >= WANTED_GC_SECONDS:
        return
    logger.warning(
        "index %s has gc_deletes of %s: a write that comes late may bring a deleted document "
        'back; set it with PUT /%s/_settings {"index.gc_deletes": "%s"}',
        found.name, found.gc_deletes or "60s", found.name, naming.GC_DELETES,
        extra={"action": "low_gc_deletes", "index": found.name},
    )  # fmt: skip


def _seconds(value: str) -> float:
    """What a time value of Elasticsearch's amounts to."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]*)", value)
    if parts is None:
        return DEFAULT_GC_SECONDS
    return float(parts[1]) * SECONDS_OF_UNITS.get(parts[2], 1e-3)
