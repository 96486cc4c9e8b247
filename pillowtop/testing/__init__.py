"""Fakes that inject the faults of real servers, for our tests and for yours."""

from pillowtop.testing.contract import PillowContract
from pillowtop.testing.couch import FakeDatabase, FakeFeed
from pillowtop.testing.couch_faults import (
    interrupted,
    meanwhile,
    repeated,
    rewound,
    without_seqs,
)
from pillowtop.testing.scripted import Connection, Request, ScriptedServer
from pillowtop.testing.search import FakeElasticsearch
from pillowtop.testing.search_faults import (
    answer_with,
    blocked,
    busy,
    disordered,
    late,
    reject,
    reset,
    shortened,
    truncated,
)

__all__ = [
    "Connection",
    "FakeDatabase",
    "FakeElasticsearch",
    "FakeFeed",
    "PillowContract",
    "Request",
    "ScriptedServer",
    "answer_with",
    "blocked",
    "busy",
    "disordered",
    "interrupted",
    "late",
    "meanwhile",
    "reject",
    "repeated",
    "reset",
    "rewound",
    "shortened",
    "truncated",
    "without_seqs",
]
