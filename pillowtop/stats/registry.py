"""The plugins of the project: by the setting, and by entry points of what is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from pillowtop.conf import suggestion
from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.plugins import Plugin

Load = Callable[[], Iterable[type[Plugin]]]

GROUP = "pillowtop.stats"
IDENT_CHARACTERS = 200
"""As many as the columns of the database take."""

LONGEST = timedelta(days=36525)
"""Of an interval: the ends of windows are to be within the calendar."""

MEMBER_KEYS = ["class", "options"]


def plugins() -> dict[str, type[Plugin]]:
    """All plugins, by their idents. Raises `ConfigurationError`."""
    found, wrong = _found()
    if wrong:
        raise ConfigurationError(wrong[0])
    return dict(found)


def mistakes() -> Sequence[str]:
    """What is wrong with plugins. Raises `ConfigurationError` where the setting is no list."""
    return _found()[1]


@cache
def _found() -> tuple[Mapping[str, type[Plugin]], Sequence[str]]:
    found: dict[str, type[Plugin]] = {}
    wrong = []
    for load in [*_from_entry_points(), *_from_settings()]:
        try:
            for kind in load():
                _add(kind, found)
        except ConfigurationError as error:
            wrong.append(str(error))
    return found, wrong


def _add(kind: Any, found: dict[str, type[Plugin]]) -> None:
    demand_usable(kind)
    ident = kind.ident()
    other = found.setdefault(ident, kind)
    if other is not kind:
        raise ConfigurationError(
            f"two statistics are called {ident!r}, {path_of(other)} and {path_of(kind)}: give "
            "one of them another name or interval"
        )


@receiver(setting_changed)
def _forget(setting: str, **_: Any) -> None:
    if setting == "PILLOWTOP_STATS":
        _found.cache_clear()


def get_plugin(ident: str) -> type[Plugin]:
    """The plugin of an ident. Raises `ConfigurationError`."""
    known = plugins()
    try:
        return known[ident]
    except KeyError:
        words = f"no statistic is called {ident!r}{suggestion(ident, list(known))}"
        listed = f"; there are {', '.join(known)}" if known else "; there are none"
        raise ConfigurationError(words + listed) from None


def plugins_of(claimed: Sequence[str] | None) -> dict[str, type[Plugin]]:
    """The plugins of a pillow that names these as its own; None for those that no pillow names.

    Raises `ConfigurationError`, also where two pillows would write the rows of one statistic.
    """
    claims = _claims()
    named = [ident for idents in claims.values() for ident in idents or ()]
    for ident in named:
        if named.count(ident) > 1:
            names = [name for name, idents in claims.items() if ident in (idents or ())]
            raise ConfigurationError(
                f"{' and '.join(names)} compute {ident!r}: let one of them have it"
            )
    if len(greedy := [name for name, idents in claims.items() if idents is None]) > 1:
        raise ConfigurationError(
            f"{' and '.join(greedy)} compute all statistics that no other pillow names: set "
            "plugins of all but one of them"
        )
    if claimed is None:
        return {ident: kind for ident, kind in plugins().items() if ident not in named}
    return {ident: get_plugin(ident) for ident in claimed}


def _claims() -> dict[str, Sequence[str] | None]:
    """What pillows name as their own."""
    from pillowtop.registry import entries  # noqa: PLC0415
    from pillowtop.stats.pillows import StatsPillow  # noqa: PLC0415

    made = [entry.pillow() for entry in entries()]
    return {one.name: one.plugins for one in made if isinstance(one, StatsPillow)}


def path_of(kind: type[Plugin]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def demand_usable(kind: Any) -> None:
    """Raise `ConfigurationError` where a class cannot be a plugin."""
    if not (isinstance(kind, type) and issubclass(kind, Plugin)):
        raise ConfigurationError(f"{kind!r} is no subclass of pillowtop.stats.plugins.Plugin")
    path = path_of(kind)
    for attribute in ("name", "summary", "description"):
        if not (isinstance(value := getattr(kind, attribute), str) and value.strip()):
            raise ConfigurationError(f"{path} must define {attribute!r}, some text")
    interval = getattr(kind, "interval", None)
    if not (isinstance(interval, timedelta) and timedelta(0) < interval <= LONGEST):
        raise ConfigurationError(
            f"{path}: interval must be a timedelta above zero, up to {LONGEST.days} days, not "
            f"{interval!r}"
        )
    if len(kind.ident()) > IDENT_CHARACTERS:
        raise ConfigurationError(
            f"{path}: its ident has {len(kind.ident())} characters, of which there may be "
            f"{IDENT_CHARACTERS}: give it a shorter name"
        )
    _demand_model(kind, path)
    takes = kind.process is not Plugin.process or kind.process_all is not Plugin.process_all
    if kind.handles() == (takes and kind.update is not Plugin.update):
        raise ConfigurationError(
            f"{path} must have either handle(messages), or process(message) with update()"
        )
    if type(kind.version) is not int:
        raise ConfigurationError(f"{path}: version must be a whole number, not {kind.version!r}")


def _demand_model(kind: type[Plugin], path: str) -> None:
    from pillowtop.stats.models import StatisticModel  # noqa: PLC0415  (needs Django's apps)

    model = kind.model
    if not (isinstance(model, type) and issubclass(model, StatisticModel)):
        raise ConfigurationError(
            f"{path}: model must inherit from a model of pillowtop.stats.models, not {model!r}"
        )
    if model._meta.abstract:  # noqa: SLF001  (documented, in spite of its name)
        raise ConfigurationError(
            f"{path}: {model.__name__} is abstract: take a model that inherits from it"
        )


def _from_settings() -> Iterable[Load]:
    return [partial(_made, member) for member in stats_configuration().PLUGINS]


def _made(member: Any) -> Iterable[type[Plugin]]:
    if isinstance(member, str):
        member = {"class": member}
    if not (isinstance(member, Mapping) and isinstance(member.get("class"), str)):
        raise ConfigurationError(
            "PILLOWTOP_STATS['PLUGINS'] holds dotted paths, or "
            f'{{"class": "dotted.path", "options": {{…}}}}, not {member!r}'
        )
    for key in member:
        if key not in MEMBER_KEYS:
            raise ConfigurationError(
                f"an entry of PILLOWTOP_STATS['PLUGINS'] has no key {key!r}"
                f"{suggestion(str(key), MEMBER_KEYS)}"
            )
    try:
        kind = import_string(member["class"])
    except ImportError as error:
        raise ConfigurationError(
            f"PILLOWTOP_STATS['PLUGINS'] names {member['class']!r}: {error}"
        ) from error
    options = member.get("options", {})
    return [_with_options(kind, member["class"], options)] if options else _several(kind)


def _with_options(kind: Any, path: str, options: Mapping[str, Any]) -> type[Plugin]:
    if not (isinstance(kind, type) and issubclass(kind, Plugin)):
        raise ConfigurationError(f"{path} is no plugin, so it takes no options")
    known = ["interval", *(one for one in dir(kind) if not one.startswith("_"))]
    for option in options:
        if option not in known:
            raise ConfigurationError(
                f"{path} has no attribute {option!r}{suggestion(str(option), known)}"
            )
    return type(kind.__name__, (kind,), {**options, "__module__": kind.__module__})


def _from_entry_points() -> Iterable[Load]:
    return [partial(_loaded, point) for point in entry_points(group=GROUP)]


def _loaded(point: EntryPoint) -> Iterable[type[Plugin]]:
    try:
        loaded = point.load()
    except Exception as error:
        raise ConfigurationError(
            f"the entry point {point.name!r} of the group {GROUP} cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
    return _several(loaded)


def _several(loaded: Any) -> Iterable[type[Plugin]]:
    """A class, or an iterable of classes."""
    if isinstance(loaded, type) or not isinstance(loaded, Iterable):
        return [loaded]
    return list(loaded)
