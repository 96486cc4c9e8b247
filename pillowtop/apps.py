"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class PillowtopConfig(AppConfig):
    name = "pillowtop"
    label = "pillowtop"
    verbose_name = "pillowtop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from pillowtop import checks  # noqa: F401, PLC0415  (registers them)
