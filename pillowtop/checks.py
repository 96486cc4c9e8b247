"""System checks: the configuration mistakes that can be found without a server.

Each has a stable id, listed in `docs/reference/checks.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from inspect import signature
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004
from django.db import connections

from pillowtop import registry
from pillowtop.conf import Configuration, configuration, suggestion
from pillowtop.engine.letters import ON_ERROR
from pillowtop.engine.moves import ON_CHANGED_MAPPING
from pillowtop.engine.resuming import ON_RECREATED
from pillowtop.engine.way import Way
from pillowtop.exceptions import ConfigurationError, PasswordInClear, PillowtopError
from pillowtop.feeds.couch_query import ChangesQueries
from pillowtop.listener import (
    AliasedElasticPillow,
    BasicPillow,
    ElasticPillow,
    NetworkListener,
    PythonPillow,
    SQLPillow,
    demand_one_index,
    demand_placing,
)

LOOK_SECONDS = 2.0
"""For how long a server may take to answer."""

BUILT_IN_FILTERS = ("_selector", "_doc_ids", "_design", "_view")
KINDS = (AliasedElasticPillow, NetworkListener, PythonPillow, SQLPillow)
HOOKS = (
    "filter",
    "python_filter",
    "change_trigger",
    "change_transform",
    "change_transport",
    "change_delete",
    "process_sql",
    "index_id",
    "target_for",
    "get_feed",
    "get_transport",
)


@register()
def check_configuration(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """All checks of pillowtop."""
    try:
        tuned = configuration()
    except ConfigurationError as error:
        return [Error(str(error), id="pillowtop.E001")]
    about_settings = list(_check_settings(tuned))
    said = {message.msg for message in about_settings}
    # What is wrong with a setting is not said again of each pillow that needs it.
    return about_settings + [one for one in _check_pillows(tuned) if one.msg not in said]


def _check_settings(tuned: Configuration) -> Iterator[CheckMessage]:
    if tuned.DATABASE not in connections:
        known = suggestion(tuned.DATABASE, list(connections))
        yield Error(
            f"PILLOWTOP['DATABASE'] is {tuned.DATABASE!r}, which DATABASES does not have{known}",
            id="pillowtop.E002",
        )
    endpoints: dict[str, Callable[[], object]] = {
        "COUCHDB": lambda: tuned.couchdb,
        "ELASTICSEARCH": lambda: tuned.elasticsearch,
    }
    for key, endpoint in endpoints.items():
        url = getattr(tuned, f"{key}_URL")
        if url:
            yield from _complaint(endpoint, "pillowtop.E003")
        if "@" in url:
            yield Warning(
                f"PILLOWTOP['{key}_URL'] holds a user or a password, which Django's debug page "
                "would show",
                hint=f"Use {key}_USERNAME and {key}_PASSWORD.",
                id="pillowtop.W001",
            )


def _check_pillows(tuned: Configuration) -> Iterator[CheckMessage]:
    try:
        entries = registry.parse(getattr(settings, "PILLOWTOPS", []))
    except ConfigurationError as error:
        yield Error(str(error), id="pillowtop.E004")
        return
    yield from _complaint(lambda: registry.demand_distinct_names(entries), "pillowtop.E005")
    pillows: list[BasicPillow] = []
    for entry in entries:
        try:
            kind = entry.load_class()
        except ConfigurationError as error:
            yield Error(str(error), id="pillowtop.E006")
            continue
        try:
            pillow = entry.pillow()
        except ConfigurationError as error:
            yield Error(str(error), obj=kind, id="pillowtop.E007")
            continue
        pillows.append(pillow)
        yield from _check_pillow(pillow, tuned)
    yield from _complaint(lambda: demand_own_targets(pillows), "pillowtop.E016")


def _check_pillow(pillow: BasicPillow, tuned: Configuration) -> Iterator[CheckMessage]:
    yield from _check_source(pillow, tuned)
    yield from _check_target(pillow, tuned)
    yield from _check_filter(pillow)
    for words in misspelt(pillow):
        yield Warning(words, obj=type(pillow), id="pillowtop.W003")
    yield from _complaint(lambda: Way(pillow, BasicPillow), "pillowtop.E014", type(pillow))
    yield from _check_on_error(pillow)
    if pillow.on_recreated not in ON_RECREATED:
        yield Error(
            f"{pillow.name}: on_recreated is 'halt' or 'resync', not {pillow.on_recreated!r}",
            obj=type(pillow),
            id="pillowtop.E012",
        )
    changed = getattr(pillow, "on_changed_mapping", "standby")
    if changed not in ON_CHANGED_MAPPING:
        yield Error(
            f"{pillow.name}: on_changed_mapping is 'standby' or 'reindex', not {changed!r}",
            obj=type(pillow),
            id="pillowtop.E012",
        )


def _check_on_error(pillow: BasicPillow) -> Iterator[CheckMessage]:
    if pillow.on_error not in ON_ERROR:
        yield Error(
            f"{pillow.name}: on_error is 'letter', 'halt' or 'ignore', not {pillow.on_error!r}",
            obj=type(pillow),
            id="pillowtop.E015",
        )
    if pillow.on_error == "ignore":
        yield Warning(
            f"{pillow.name}: on_error is 'ignore': what fails is not in the target, and only the "
            "log says so",
            obj=type(pillow),
            id="pillowtop.W004",
        )


def _check_source(pillow: BasicPillow, tuned: Configuration) -> Iterator[CheckMessage]:
    own_feed = type(pillow).get_feed is not BasicPillow.get_feed
    if not pillow.couch_db and own_feed:
        return
    is_name = isinstance(pillow.couch_db, str) and "://" not in pillow.couch_db
    if is_name and pillow.couch_db and not tuned.COUCHDB_URL:
        yield Error(
            f"{pillow.name} follows the database {pillow.couch_db!r}, but "
            "PILLOWTOP['COUCHDB_URL'] is not set",
            obj=type(pillow),
            id="pillowtop.E008",
        )
        return
    yield from _complaint(pillow.get_database, "pillowtop.E009", type(pillow))


def _check_target(pillow: BasicPillow, tuned: Configuration) -> Iterator[CheckMessage]:
    kind = type(pillow)
    if isinstance(pillow, ElasticPillow):
        if not tuned.ELASTICSEARCH_URL:
            yield Error(
                f"{pillow.name} writes to Elasticsearch, but PILLOWTOP['ELASTICSEARCH_URL'] is "
                "not set",
                obj=kind,
                id="pillowtop.E008",
            )
        yield from _complaint(pillow.get_target, "pillowtop.E009", kind)
        yield from _complaint(lambda: demand_placing(pillow), "pillowtop.E018", kind)
        yield from _complaint(lambda: demand_one_index(pillow), "pillowtop.E019", kind)
        if pillow.es_type:
            yield Warning(
                f"{pillow.name}: es_type is ignored: Elasticsearch has no types any more",
                hint="Remove it.",
                obj=kind,
                id="pillowtop.W005",
            )
    elif isinstance(pillow, SQLPillow) and not _writes_sql(kind):
        yield Error(
            f"{pillow.name} delivers nothing: it has no process_sql",
            hint="Implement process_sql(document, delete=False).",
            obj=kind,
            id="pillowtop.E010",
        )
    elif isinstance(pillow, SQLPillow):
        yield from _check_process_sql(pillow)
    elif isinstance(pillow, NetworkListener):
        yield from _complaint(pillow.get_address, "pillowtop.E013", kind)
    elif (
        kind.change_transport is BasicPillow.change_transport
        and kind.get_transport is BasicPillow.get_transport
    ):
        yield Error(
            f"{pillow.name} delivers nothing: it has no change_transport",
            hint="Implement change_transport(document), or inherit from AliasedElasticPillow.",
            obj=kind,
            id="pillowtop.E010",
        )


def _writes_sql(kind: type[BasicPillow]) -> bool:
    hooks = ("process_sql", "change_transport", "get_transport")
    return any(getattr(kind, hook) is not getattr(SQLPillow, hook) for hook in hooks)


def _check_process_sql(pillow: SQLPillow) -> Iterator[CheckMessage]:
    try:
        signature(pillow.process_sql).bind({}, delete=True)
    except TypeError:
        yield Error(
            f"{pillow.name}: process_sql must take delete, too",
            hint="def process_sql(self, document, delete=False)",
            obj=type(pillow),
            id="pillowtop.E010",
        )


def _check_filter(pillow: BasicPillow) -> Iterator[CheckMessage]:
    name = pillow.couch_filter
    if isinstance(name, str) and name not in BUILT_IN_FILTERS and name.count("/") != 1:
        yield Error(
            f"{pillow.name}: couch_filter is {name!r}; it must be design/name or one of "
            f"{', '.join(BUILT_IN_FILTERS)}{suggestion(name, list(BUILT_IN_FILTERS))}",
            obj=type(pillow),
            id="pillowtop.E011",
        )
        return
    mistakes = list(_complaint(lambda: _queries(pillow), "pillowtop.E011", type(pillow)))
    yield from mistakes
    if name and not mistakes and name not in ("_doc_ids", "_design"):
        yield Warning(
            f"{pillow.name}: CouchDB's filter {name!r} hides deletions, and updates after which "
            "a document no longer matches: such documents stay in the target",
            hint="Filter in Python instead (PythonPillow), which is also faster.",
            obj=type(pillow),
            id="pillowtop.W002",
        )


def _queries(pillow: BasicPillow) -> ChangesQueries:
    return ChangesQueries(
        include_docs=pillow.include_docs,
        filter_name=pillow.couch_filter or "",
        parameters=pillow.extra_args,
    )


def misspelt(pillow: BasicPillow) -> Iterator[str]:
    """What is misspelt would never be looked at, and nobody would know."""
    lineage = type(pillow).__mro__
    ours = {one for one in lineage if one.__module__.startswith("pillowtop.")}
    known = {name for kind in (*KINDS, *ours) for name in dir(kind) if not name.startswith("_")}
    of_others = {name for kind in ours for name, value in vars(kind).items() if callable(value)}
    hooks = {*HOOKS, *(known & of_others)}
    for name, what, near in strangers(type(pillow), hooks, known - hooks):
        yield f"{pillow.name}: {name} is no {what} of a pillow (did you mean {near!r}?)"


def strangers(
    kind: type, hooks: Collection[str], attributes: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Names of a class that nothing looks at, and that are close to those of hooks or attributes:
    each with what it would be, and with the one that it is close to."""
    for one in kind.__mro__:
        if one.__module__.startswith("pillowtop."):
            continue
        for name in vars(one):
            is_hook = callable(getattr(kind, name))
            what, names = ("hook", hooks) if is_hook else ("attribute", attributes)
            near = get_close_matches(name, names, n=1, cutoff=0.85)
            if near and name not in hooks and name not in attributes:
                yield name, what, near[0]


def demand_privacy(tuned: Configuration, pillows: Sequence[BasicPillow]) -> None:
    """Raise `PasswordInClear` where a password would go over a network as it is."""
    servers = (lambda: tuned.couchdb, lambda: tuned.elasticsearch)
    for attempt in (*servers, *(pillow.get_database for pillow in pillows)):
        try:
            attempt()
        except PasswordInClear:
            raise
        except ConfigurationError:
            continue  # said by what needs it


def demand_own_targets(pillows: Sequence[BasicPillow]) -> None:
    """Raise `ConfigurationError` where pillows write the same documents of the same index.

    Each deletes what the other has put there: of documents that its filter refuses, and of those
    that are deleted. And their writes have no order: versions are those of a single pillow.
    """
    sharing: dict[object, list[ElasticPillow]] = {}
    for pillow in pillows:
        # What else is wrong with one is said elsewhere.
        with suppress(ConfigurationError):
            if isinstance(pillow, ElasticPillow):
                database = pillow.get_database()
                place = pillow.get_target().write_alias, database.endpoint, database.name
                sharing.setdefault(place, []).append(pillow)
    for ours in sharing.values():
        under_their_own_ids = [one for one in ours if type(one).index_id is ElasticPillow.index_id]
        if len({one.name for one in under_their_own_ids}) > 1:
            names = ", ".join(one.name for one in ours)
            raise ConfigurationError(
                f"{names} write documents of one database to one index "
                f"{ours[0].get_target().write_alias!r} under the same ids: give each an index of "
                "its own, or ids of its own (def index_id(self, change): return "
                'f"{self.name}/{change.id}")'
            )


@register()
def check_indices(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Whether an alias is on an index of another mapping: the one check that asks a server.

    It does so where somebody types `manage.py check`, and says nothing where none answers: other
    commands run all checks, too, and are not to wait for a server.
    """
    if sys.argv[1:2] != ["check"]:
        return []
    with suppress(PillowtopError):
        entries = registry.entries()
        pillows = [one for one in (entry.pillow() for entry in entries) if _has_alias(one)]
        return list(_changed(pillows, configuration())) if pillows else []
    return []


def _has_alias(pillow: BasicPillow) -> bool:
    return isinstance(pillow, AliasedElasticPillow)


def _changed(pillows: Sequence[BasicPillow], tuned: Configuration) -> Iterator[CheckMessage]:
    # Heavy, and needed here alone.
    from pillowtop.elastic.cluster import Cluster  # noqa: PLC0415
    from pillowtop.elastic.indices import Indices  # noqa: PLC0415

    indices = Indices(Cluster(tuned.elasticsearch, LOOK_SECONDS))
    for pillow in pillows:
        assert isinstance(pillow, AliasedElasticPillow)
        target = pillow.get_target()
        there = indices.find(pillow.es_alias)
        if there and target.index not in there:
            yield Warning(
                f"{pillow.name} needs reindex: alias {pillow.es_alias!r} is on "
                f"{', '.join(sorted(there))}, and mapping, settings and index_version ask for "
                f"{target.index!r}",
                hint=f"manage.py ptop_reindex run {pillow.name}",
                obj=type(pillow),
                id="pillowtop.W006",
            )


def _complaint(
    attempt: Callable[[], object], check_id: str, obj: object = None
) -> Iterator[CheckMessage]:
    try:
        attempt()
    except PasswordInClear as error:
        yield Error(str(error), obj=obj, id="pillowtop.E017")
    except ConfigurationError as error:
        yield Error(str(error), obj=obj, id=check_id)
