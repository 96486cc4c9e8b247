"""Statistics of the tests: one of each model, and one that everybody may read."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from pillowtop.stats.models import (
    Categorized,
    CategorizedLog,
    ConstrainedCategorizedLog,
    Scalar,
)
from pillowtop.stats.plugins import Plugin


class Volume(Plugin):
    name = "volume"
    summary = "Messages in a minute"
    description = "How many messages there were."
    interval = timedelta(minutes=1)
    model = Scalar
    layout: ClassVar = {"groups": [{"id": 1, "name": "all"}], "since": float("nan")}

    def handle(self, messages):
        return [Scalar(scalar=len(messages))]


class ByCategory(Volume):
    name = "volume, by category"
    summary = "Messages of each category"
    model = Categorized
    layout = None


class Log(Volume):
    name = "log"
    model = CategorizedLog


class Latest(Volume):
    name = "latest"
    model = ConstrainedCategorizedLog


class Open(Volume):
    name = "open"
    summary = "For <everybody> & all"
    public = True


ALL = [f"{__name__}.{kind.__name__}" for kind in (Volume, ByCategory, Log, Latest, Open)]
