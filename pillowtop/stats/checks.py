"""System checks of statistics: each has a stable id, listed in `docs/reference/stats.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats import extra, registry
from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.retention import mistakes


@register()
def check_statistics(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """All checks of statistics."""
    found = list(_check_project())
    try:
        stats_configuration()
    except ConfigurationError as error:
        return [*found, Error(str(error), id="pillowtop_stats.E001")]
    try:
        idents = list(registry.plugins())
    except ConfigurationError as error:
        return [*found, Error(str(error), id="pillowtop_stats.E002")]
    return found + [Error(words, id="pillowtop_stats.E004") for words in mistakes(idents)]


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
