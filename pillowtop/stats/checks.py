"""System checks of statistics: each has a stable id, listed in `docs/reference/stats.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from pillowtop.exceptions import ConfigurationError
from pillowtop.registry import entries
from pillowtop.stats import extra, registry
from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.pillows import StatsPillow
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
    idents = list(registry.plugins())
    found += [Error(words, id="pillowtop_stats.E004") for words in mistakes(idents)]
    return [*found, *_check_pillows()]


def _check_pillows() -> Iterator[CheckMessage]:
    try:
        pillows = [entry.pillow() for entry in entries()]
    except ConfigurationError:
        return  # a check of pillowtop says it
    for pillow in pillows:
        if not isinstance(pillow, StatsPillow):
            continue
        for demand in (pillow.get_rules, pillow.get_plugins):
            try:
                demand()
            except ConfigurationError as error:
                yield Error(str(error), obj=type(pillow), id="pillowtop_stats.E007")


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
