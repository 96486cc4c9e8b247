"""The `PILLOWTOP_STATS` setting: one dict, with a default for everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from pillowtop.conf import suggestion
from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.intervals import UNIX_EPOCH, to_microseconds

ACCESS = ("login", "staff", "public")


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class StatsConfiguration:
    """All keys of `PILLOWTOP_STATS`, their defaults and what they mean."""

    PLUGINS: Sequence[Any] = _setting(
        (), 'plugins: dotted paths, or `{"class": "dotted.path", "options": {…}}`'
    )
    RETENTION: Mapping[str, timedelta] = field(
        default_factory=dict,
        metadata={
            "help": "for how long rows are kept, by ident, or by `*` for all others; without: for "
            "ever"
        },
    )
    EPOCH: datetime = _setting(  # noqa: RUF009
        UNIX_EPOCH, "a time with a zone at which a window of every interval begins"
    )
    ACCESS: str = _setting(
        "login", "who may read, where DEBUG is off: `login`, `staff`, or `public` for everybody"
    )
    DEFAULT_ROWS: int = _setting(100, "rows on a page")
    MAX_ROWS: int = _setting(1000, "rows on a page at most")

    @property
    def epoch(self) -> int:
        """In microseconds since 1970."""
        return to_microseconds(self.EPOCH)


KEYS = [key.name for key in fields(StatsConfiguration)]


def stats_configuration() -> StatsConfiguration:
    """The settings as they are now. Raises `ConfigurationError`."""
    given = getattr(settings, "PILLOWTOP_STATS", {})
    if not isinstance(given, dict):
        raise ConfigurationError("PILLOWTOP_STATS must be a dict of settings")
    for key in given:
        if key not in KEYS:
            raise ConfigurationError(
                f"PILLOWTOP_STATS has no key {key!r}{suggestion(str(key), KEYS)}"
            )
    found = StatsConfiguration(**given)
    _demand("PLUGINS", "a list", isinstance(found.PLUGINS, (list, tuple)))
    _demand("RETENTION", "a dict of timedeltas above zero", _is_retention(found.RETENTION))
    _demand(
        "EPOCH",
        "a datetime with a time zone",
        isinstance(found.EPOCH, datetime) and found.EPOCH.tzinfo is not None,
    )
    _demand("ACCESS", "one of " + ", ".join(ACCESS), found.ACCESS in ACCESS)
    for key in ("DEFAULT_ROWS", "MAX_ROWS"):
        value = getattr(found, key)
        _demand(key, "a positive whole number", type(value) is int and value > 0)
    _demand("DEFAULT_ROWS", "at most MAX_ROWS", found.DEFAULT_ROWS <= found.MAX_ROWS)
    return found


def _demand(key: str, what: str, fits: bool) -> None:
    if not fits:
        raise ConfigurationError(f"PILLOWTOP_STATS[{key!r}] must be {what}")


def _is_retention(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(ident, str) and isinstance(age, timedelta) and age > timedelta(0)
        for ident, age in value.items()
    )
