"""What developers subclass: a pillow whose documents are messages."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps

from pillowtop.changes import Change, Document
from pillowtop.exceptions import ConfigurationError
from pillowtop.listener import BasicPillow
from pillowtop.stats import extra, registry, times
from pillowtop.stats.conf import stats_configuration
from pillowtop.stats.history import History, HistoryFeed
from pillowtop.stats.identities import identity_of
from pillowtop.stats.intervals import MICROSECOND
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.transports.gathering import GatheringTransport

if TYPE_CHECKING:
    from pillowtop.stats.progress import Rules
    from pillowtop.stats.tally import Tally


@dataclass(frozen=True)
class Filling:
    """What a backfill fills in: windows of a statistic that end behind `since`, in microseconds
    since 1970. `history` gives messages from elsewhere."""

    statistic: str
    since: int
    history: History | None = None


class StatsPillow(BasicPillow):
    """Counts messages in windows of time: exactly once.

    A message is a document that is written once: a feed shows its latest change only, so one that
    is written again counts again. Deletions are nothing to it.
    """

    plugins: Sequence[str] | None = None
    """The idents of its statistics; None for all that no other pillow names."""

    time_field = "timestamp"
    """The field that says when a message happened; dots for objects in objects."""

    lateness = timedelta(minutes=1)
    """How far behind the newest message the watermark is: a window closes once that is past it."""

    late_limit = timedelta(hours=1)
    """How far behind the watermark a message may be; what is further is counted apart."""

    ahead_limit = timedelta(days=1)
    """How far ahead of the clock a message may be; what is further is counted apart."""

    selection_is_stable = True
    _every_seq = True
    _stream = ""
    _filling: Filling | None = None

    def message_time(self, message: Document) -> Any:
        """When a message happened: a datetime, ISO 8601 text, or seconds since 1970."""
        value: Any = message
        for part in self.time_field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise ValueError(
                f"it has no {self.time_field!r}: {self.name}'s time_field, or message_time, says "
                "where its time is"
            )
        return value

    def identity(self, message: Document) -> str | bytes | int | None:
        """What a message is known by where it comes again; None for its stream, id and revision."""
        return None

    def get_plugins(self) -> dict[str, type[Plugin]]:
        """Its statistics, by ident. Raises `ConfigurationError`."""
        return registry.plugins_of(self.plugins)

    def get_transport(self) -> GatheringTransport:
        from pillowtop.stats.transport import StatsTransport  # noqa: PLC0415  (needs the tables)

        if words := extra.missing():
            raise ConfigurationError(f"{self.name}: {words}")
        if not apps.is_installed("pillowtop.stats"):
            raise ConfigurationError(
                f"{self.name}: put 'pillowtop.stats' into INSTALLED_APPS, and run manage.py migrate"
            )
        kinds = self.get_plugins()
        if not kinds:
            raise ConfigurationError(
                f"{self.name} has no statistics: list plugins in PILLOWTOP_STATS['PLUGINS']"
            )
        self.get_rules()
        stream = self._stream or self.get_feed().stream
        return StatsTransport(
            lambda checked: self.make_tally(kinds, checked=checked),
            lambda change, doc: self._message(stream, change, doc),
        )

    def make_tally(self, kinds: dict[str, type[Plugin]], *, checked: bool = False) -> Tally:
        """What counts, with all that is remembered."""
        from pillowtop.stats.records.store import DjangoStore  # noqa: PLC0415
        from pillowtop.stats.tally import Tally  # noqa: PLC0415  (numpy is not for web processes)

        filling = self._filling
        return Tally(
            self.name,
            kinds,
            self.get_rules(),
            DjangoStore(self.name, checked=checked),
            epoch=stats_configuration().epoch,
            since=filling.since if filling else None,
            closes=filling is None,
        )

    def filler(self, name: str, filling: Filling) -> StatsPillow:
        """The same pillow, under another name, made to fill in the past of one statistic."""
        filler = copy.copy(self)
        filler.name, filler.plugins, filler._filling = name, [filling.statistic], filling  # noqa: SLF001
        filler.on_error = "ignore"  # what cannot be read has its letter from the pillow itself
        filler._stream = self.get_feed().stream  # noqa: SLF001
        if filling.history is not None:
            feed = HistoryFeed(filling.history, filling.since)
            filler.couch_db, filler.get_feed = None, lambda: feed  # type: ignore[method-assign]
        return filler

    def get_rules(self) -> Rules:
        """How late a message may be. Raises `ConfigurationError`, whatever else is wrong."""
        from pillowtop.stats.progress import Rules  # noqa: PLC0415

        for words in self.mistakes():
            raise ConfigurationError(words)
        return Rules(
            self.lateness // MICROSECOND,
            self.late_limit // MICROSECOND,
            self.ahead_limit // MICROSECOND,
        )

    def mistakes(self) -> Iterator[str]:
        """What its attributes cannot be."""
        for attribute in ("lateness", "late_limit", "ahead_limit"):
            value = getattr(self, attribute)
            if not isinstance(value, timedelta) or value < timedelta(0):
                yield f"{self.name}: {attribute} must be a timedelta of 0 or more, not {value!r}"
        if not (isinstance(self.time_field, str) and self.time_field):
            yield f"{self.name}: time_field must be the name of a field, not {self.time_field!r}"
        if not (self.plugins is None or isinstance(self.plugins, (list, tuple))):
            yield f"{self.name}: plugins must be a list of idents, not {self.plugins!r}"

    def _message(self, stream: str, change: Change, document: Document) -> Message:
        message = Message(document)
        message.time = times.microseconds(self.message_time(document))
        known_by = self.identity(document)
        if known_by is None:
            message.identity = identity_of(stream, change.id, change.rev)
        elif isinstance(known_by, int):
            message.identity = identity_of(str(known_by))
        else:
            message.identity = identity_of(known_by)
        return message
