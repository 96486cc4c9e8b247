"""Fakes that inject the faults of real servers, for our tests and for yours."""

from pillowtop.testing.couch import FakeDatabase, FakeFeed
from pillowtop.testing.couch_faults import (
    interrupted,
    meanwhile,
    repeated,
    rewound,
    without_seqs,
)
from pillowtop.testing.scripted import Connection, Request, ScriptedServer

__all__ = [
    "Connection",
    "FakeDatabase",
    "FakeFeed",
    "Request",
    "ScriptedServer",
    "interrupted",
    "meanwhile",
    "repeated",
    "rewound",
    "without_seqs",
]
