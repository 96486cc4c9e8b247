"""The latest message of each category."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any, ClassVar

import msgspec

from pillowtop.stats.models import ConstrainedCategorizedLog
from pillowtop.stats.plugins import Message
from pillowtop.stats.records.latest import keep_latest
from pillowtop.stats.shipped import labels
from pillowtop.stats.shipped.fields import MANY, OptionsPlugin, values

Key = tuple[str, str | None]
At = tuple[int, int]
"""When a message happened, and its identity: of two at one time the greater one is the later."""


class LatestByCategory(OptionsPlugin):
    """The latest message of each category, or of each of its parts, and no older one.

    Of more than `max_categories` in a window those with the smallest hashes are kept, which are
    the same in whichever order they come.
    """

    name = "latest, by category"
    summary = "The latest message of each category"
    description = "The latest message of each category; when there is a later one, it goes."
    interval = timedelta(minutes=1)
    model = ConstrainedCategorizedLog

    field: ClassVar[str] = "category"
    constraint_field: ClassVar[str] = ""
    """The field that tells the parts of a category apart."""

    text_field: ClassVar[str] = ""
    """The field that is shown of a message; without one all of it, as JSON."""

    max_categories: ClassVar[int] = 1000
    max_characters: ClassVar[int] = 2000

    @classmethod
    def demand_options(cls) -> None:
        cls.demand_field()
        for option in ("constraint_field", "text_field"):
            if getattr(cls, option):
                cls.demand_field(option)
        cls.demand_number("max_categories", 1, MANY)
        cls.demand_number("max_characters", 1, MANY)

    def initialize(self) -> None:
        self.latest_of: dict[Key, tuple[At, str]] = {}

    def text(self, message: Message) -> str:
        """What is shown of a message."""
        if self.text_field:
            return labels.text_of(values([message], self.text_field)[0])
        return _json(message)

    def process(self, message: Message) -> None:
        self.process_all([message])

    def process_all(self, messages: Sequence[Message]) -> None:
        for key, (at, message) in self._newest(messages).items():
            if key not in self.latest_of or at > self.latest_of[key][0]:
                text = self.text(message)
                self.latest_of[key] = at, labels.shortened(text, self.max_characters)
        if len(self.latest_of) > 2 * self.max_categories:
            self._drop()

    def _newest(self, messages: Sequence[Message]) -> dict[Key, tuple[At, Message]]:
        categories = labels.labels(values(messages, self.field))
        constraints: Any = repeat(None)
        if self.constraint_field:
            constraints = labels.labels(values(messages, self.constraint_field))
        newest: dict[Key, tuple[At, Message]] = {}
        for message, category, constraint in zip(messages, categories, constraints, strict=False):
            key, at = (category, constraint), (message.time, message.identity)
            known = newest.get(key)
            if known is None or at > known[0]:
                newest[key] = at, message
        return newest

    def _drop(self) -> None:
        for key in sorted(self.latest_of, key=_rank)[self.max_categories :]:
            del self.latest_of[key]

    def update(self) -> list[ConstrainedCategorizedLog]:
        if len(self.latest_of) > self.max_categories:
            self._drop()
        return [
            ConstrainedCategorizedLog(category=key[0], category_constraint=key[1], message=text)
            for key, (_, text) in sorted(self.latest_of.items(), key=_place)
        ]

    def dump(self) -> list[Any]:
        return [(*key, *at, text) for key, (at, text) in self.latest_of.items()]

    def load(self, state: list[Any]) -> None:
        self.latest_of = {
            (category, constraint): ((time, identity), text)
            for category, constraint, time, identity, text in state
        }

    @classmethod
    def store(cls, windows: Mapping[datetime, Sequence[Any]]) -> None:
        for end, rows in windows.items():
            keep_latest(cls, end, rows)


def _rank(key: Key) -> tuple[int, str]:
    return labels.rank("\0".join((key[0], key[1] or "")))


def _place(entry: tuple[Key, object]) -> tuple[str, str]:
    (category, constraint), _ = entry
    return category, constraint or ""


def _json(message: Message) -> str:
    try:
        return msgspec.json.encode(message).decode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(message)
