"""Plugins of the tests."""

from __future__ import annotations

from datetime import timedelta

from pillowtop.stats.models import Categorized, Scalar
from pillowtop.stats.plugins import Plugin


class Said(Plugin):
    summary = "for tests"
    description = "for tests"


class Count(Said):
    name = "count"
    interval = timedelta(seconds=10)
    model = Scalar

    def initialize(self):
        self.count = 0

    def process(self, message):
        self.count += message.get("weight", 1)

    def update(self):
        return [Scalar(scalar=self.count)]


class CountInMinutes(Count):
    interval = timedelta(minutes=1)


class Users(Said):
    """Keeps a set, a dict with defaults and a tuple: collections that JSON does not know."""

    name = "users"
    interval = timedelta(seconds=10)
    model = Scalar

    def initialize(self):
        self.users = set()

    def process(self, message):
        self.users.add(message.get("user", "nobody"))

    def update(self):
        return [Scalar(scalar=len(self.users))]


class Sequence(Said):
    """Wants a window's messages all at once."""

    name = "sequence"
    interval = timedelta(seconds=10)
    model = Categorized

    def handle(self, messages):
        for number, message in enumerate(messages):
            yield Categorized(category=str(message["_id"]), scalar=number)


class First(Sequence):
    name = "first"

    def handle(self, messages):
        return [Categorized(category=str(messages[0]["_id"]), scalar=len(messages))]
