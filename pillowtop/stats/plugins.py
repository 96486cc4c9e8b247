"""What developers subclass: a statistic, computed for each window of time."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, NoReturn

from pillowtop.stats import intervals

REMOVED = str.maketrans("", "", "\"'()*&?,/#%")


class Message(dict[str, Any]):
    """A message: the document as it is in the database, and when it happened. It is not changed.

    `time` is in microseconds since 1970 (UTC); `identity` are 64 bits that stand for it.
    """

    __slots__ = ("identity", "time")

    time: int
    identity: int

    def _refuse(self, *_args: Any, **_more: Any) -> NoReturn:
        raise TypeError("a message is the same for all statistics: change a copy, dict(message)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(dict(self), memo)

    @property
    def at(self) -> datetime:
        """When it happened, in UTC."""
        return intervals.from_microseconds(self.time)


class Plugin:
    """A statistic: `handle(messages)` for a whole window, or `process(message)` and `update()`.

    There is one instance for each open window. Attributes that it sets on itself are its state:
    saved with the position, so that a crash neither loses nor repeats a message. They hold what
    JSON knows, bytes, or collections that `initialize` has made (a set, a Counter, a defaultdict);
    for anything else override `dump` and `load`.

        class Errors(Plugin):
            name = "errors"
            summary = "Errors in a minute"
            description = "Messages whose level is ERROR."
            interval = timedelta(minutes=1)
            model = Scalar

            def initialize(self):
                self.count = 0

            def process(self, message):
                self.count += message["level"] == "ERROR"

            def update(self):
                return [Scalar(scalar=self.count)]
    """

    name: ClassVar[str] = ""
    """What people call it; together with the interval it makes its `ident`."""

    summary: ClassVar[str] = ""
    """One line."""

    description: ClassVar[str] = ""
    """Some sentences."""

    interval: ClassVar[timedelta]
    """The length of its windows."""

    model: ClassVar[Any] = None
    """The class of its rows: one of `pillowtop.stats.models`, or a model that inherits from one."""

    version: ClassVar[int] = 1
    """Raise it when what the plugin computes changes: its past is then to be filled in anew."""

    public: ClassVar[bool] = False
    """Whether everybody may read it, also by JSONP from pages of other hosts."""

    layout: ClassVar[Any] = None
    """Anything that JSON knows, for whoever shows the statistic."""

    # The hooks.

    def initialize(self) -> None:
        """Begin a window."""

    def process(self, message: Message) -> None:
        """Take one message."""
        raise NotImplementedError

    def update(self) -> Iterable[Any]:
        """The rows of the window as it is: instances of the model, without their timestamp.

        Called when the window closes, and again when late messages have opened it anew.
        """
        raise NotImplementedError

    def handle(self, messages: Sequence[Message]) -> Iterable[Any]:
        """The rows of a window with all of its messages, in the order in which they happened."""
        raise NotImplementedError

    def process_all(self, messages: Sequence[Message]) -> None:
        """Take some messages: for a statistic to which one by one is too slow."""
        process = self.process
        for message in messages:
            process(message)

    def dump(self) -> Any:
        """The state of the window, in what msgpack knows."""
        return self.__dict__

    def load(self, state: Any) -> None:
        """Take up a state that `dump` has given, after `initialize`."""
        for name, value in state.items():
            made = getattr(self, name, None)
            if isinstance(made, (set, dict)):
                made.clear()
                made.update(value)
            else:
                setattr(self, name, tuple(value) if isinstance(made, tuple) else value)

    @classmethod
    def store(cls, windows: Mapping[datetime, Sequence[Any]]) -> None:
        """Write the rows of windows, by their ends, in place of those that they had.

        Called within a transaction, with the oldest one first. Rows have their statistic and
        timestamp.
        """
        from pillowtop.stats.records.tables import replace  # noqa: PLC0415  (needs Django's apps)

        replace(cls, windows)

    @classmethod
    def revert(cls, start: datetime, stop: datetime) -> None:
        """Remove the rows of windows that end behind `start` and not behind `stop`."""
        cls.rows().filter(timestamp__gt=start, timestamp__lte=stop).delete()

    @classmethod
    def latest(cls) -> datetime | None:
        """The end of the newest window that has rows."""
        newest: datetime | None = (
            cls.rows().order_by("-timestamp").values_list("timestamp", flat=True).first()
        )
        return newest if newest is None else newest.astimezone(UTC)

    # What others ask for.

    @classmethod
    def rows(cls) -> Any:
        """The query set of its rows."""
        from pillowtop.stats.records.tables import rows_of  # noqa: PLC0415  (needs Django's apps)

        return rows_of(cls)

    @classmethod
    def ident(cls) -> str:
        """Its name in addresses: `volume-by-category-1m`."""
        return _ident(cls.name, cls.interval)

    @classmethod
    def handles(cls) -> bool:
        """Whether it wants a window's messages all at once."""
        return cls.handle is not Plugin.handle


@cache
def _ident(name: str, interval: timedelta) -> str:
    words = name.lower().replace(" ", "-").translate(REMOVED)
    return f"{words}-{intervals.shown(interval)}"
