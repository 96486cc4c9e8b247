"""Messages from elsewhere than the feed: from an archive, in place of what the database lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice

import msgspec

from pillowtop.changes import Change, Document, Revision, Seq
from pillowtop.exceptions import ConfigurationError
from pillowtop.feeds.reading import Read
from pillowtop.stats.intervals import from_microseconds

History = Callable[[datetime], Iterable[Document]]
"""Gives messages that happened from then on, always in the same order, each with the `_id` and
the `_rev` that it had in the database."""

AT_ONCE = 500
EVER = -62_135_596_800_000_000
"""The beginning of the year 1, in microseconds since 1970."""


class HistoryFeed:
    """A feed of them: a seq is how many there were up to there."""

    def __init__(self, history: History, since: int) -> None:
        self._history = history
        self._since = max(since, EVER)
        self.stream = f"history:{getattr(history, '__module__', '')}.{_name(history)}"

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """See `pillowtop.feeds.reading.Feed`: but that it is never followed."""
        position = int(since or 0)
        messages = islice(self._history(from_microseconds(self._since)), position, None)
        while part := list(islice(messages, AT_ONCE)):
            position += len(part)
            changes = [self._change(one) for one in part]
            yield Read(self.stream, changes, position, more=True)
        yield Read(self.stream, seq=position, caught_up=True, current=True)

    def _change(self, message: Document) -> Change:
        try:
            change = Change(str(message["_id"]), changes=[Revision(str(message.get("_rev", "")))])
            change.doc = msgspec.Raw(msgspec.json.encode(message))
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise ConfigurationError(
                f"{self.stream} gives {message!r:.200}, where a document with its _id is wanted: "
                f"{type(error).__name__}: {error}"
            ) from error
        return change


def _name(history: History) -> str:
    return str(getattr(history, "__qualname__", type(history).__name__))
