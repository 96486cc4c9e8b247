"""System checks of statistics: each has a stable id, listed in `docs/reference/stats.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

from pillowtop.checks import strangers
from pillowtop.exceptions import ConfigurationError
from pillowtop.registry import entries
from pillowtop.stats import extra, registry
from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.pillows import StatsPillow
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.retention import mistakes


@register()
def check_statistics(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """All checks of statistics."""
    found = list(_check_project())
    try:
        stats_configuration()
    except ConfigurationError as error:
        return [*found, Error(str(error), id="pillowtop_stats.E001")]
    if wrong := registry.mistakes():
        return found + [Error(words, id="pillowtop_stats.E002") for words in wrong]
    plugins = registry.plugins()
    found += [Error(words, id="pillowtop_stats.E004") for words in mistakes(list(plugins))]
    return [*found, *_check_names(plugins.values()), *_check_pillows()]


def _check_pillows() -> Iterator[CheckMessage]:
    try:
        pillows = [entry.pillow() for entry in entries()]
    except ConfigurationError:
        return  # a check of pillowtop says it
    ours = [one for one in pillows if isinstance(one, StatsPillow)]
    wrong = [(type(one), words) for one in ours for words in one.mistakes()]
    for one in () if wrong else ours:
        try:
            one.get_plugins()
        except ConfigurationError as error:
            wrong.append((type(one), str(error)))
    for kind, words in wrong:
        yield Error(words, obj=kind, id="pillowtop_stats.E007")


def _check_names(kinds: Iterable[type[Plugin]]) -> Iterator[CheckMessage]:
    for kind in kinds:
        ours = [one for one in kind.__mro__ if one.__module__.startswith("pillowtop.")]
        known = {name for one in ours for name in vars(one) if not name.startswith("_")}
        hooks = {name for name in known if callable(getattr(kind, name))}
        attributes = (known | {"interval"}) - hooks
        for name, what, near in strangers(kind, hooks, attributes):
            yield Warning(
                f"{registry.path_of(kind)}: {name} is no {what} of a plugin (did you mean "
                f"{near!r}?)",
                obj=kind,
                id="pillowtop_stats.W001",
            )


def _check_project() -> Iterator[CheckMessage]:
    if words := extra.missing():
        yield Error(words, id="pillowtop_stats.E006")
    if not settings.USE_TZ:
        yield Error(
            "pillowtop.stats needs USE_TZ: the times of windows have a zone",
            hint="USE_TZ = True",
            id="pillowtop_stats.E003",
        )
    if not apps.is_installed("pillowtop"):
        yield Error(
            "pillowtop.stats needs the tables of pillowtop, which INSTALLED_APPS does not have",
            hint='INSTALLED_APPS = [..., "pillowtop", "pillowtop.stats"]',
            id="pillowtop_stats.E005",
        )
