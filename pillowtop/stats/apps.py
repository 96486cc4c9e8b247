"""The Django app: `"pillowtop.stats"` in `INSTALLED_APPS`."""

from __future__ import annotations

from django.apps import AppConfig


class StatsConfig(AppConfig):
    name = "pillowtop.stats"
    label = "pillowtop_stats"
    verbose_name = "pillowtop statistics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from pillowtop.stats import checks  # noqa: F401, PLC0415  (registers them)
