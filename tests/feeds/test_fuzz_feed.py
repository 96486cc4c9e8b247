"""A whole feed on what hypothesis makes of a server's answers: no row is passed by."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given, settings

from dev.fuzz import examples
from pillowtop.exceptions import PillowtopError
from pillowtop.feeds import couch
from pillowtop.feeds.couch_following import READINGS_OF_A_LINE
from tests.feeds.test_couch_lines import parse
from tests.fuzzing import cut, mutated

PAGES = list(examples.pages())


class Stream:
    """A connection on which the same blocks come as the answer to every request."""

    backlog = silent = False
    silent_seconds = 0.0

    def __init__(self, blocks):
        self._blocks = blocks

    def blocks(self, query, silence_seconds):
        return iter(self._blocks)

    def close(self):
        pass


def read_until_caught_up(feed):
    """What is read, by as many attempts as a line has to be believed."""
    reads, since = [], 0
    for _ in range(READINGS_OF_A_LINE * 10):
        try:
            for read in feed.read(since, follow=False):
                reads.append(read)
                since = read.seq or since
        except PillowtopError:
            continue
        break
    return reads


@given(cut(mutated(PAGES)))
@settings(deadline=None, max_examples=100)
def test_whoever_is_caught_up_has_seen_all(blocks):
    feed = couch.CouchFeed(SimpleNamespace(name="db"), include_docs=False)
    with_stream = couch.CouchStream
    couch.CouchStream = lambda database, name: Stream(blocks)
    try:
        reads = read_until_caught_up(feed)
    finally:
        couch.CouchStream = with_stream
    if not reads or not reads[-1].caught_up:
        return
    body = b"".join(blocks)
    there = parse(body, enveloped=True, passes_over=lambda _: True)
    assert {change.id for change in there.changes} <= {
        change.id for read in reads for change in read.changes
    }
    assert {line.digest for line in there.unreadable} <= {
        line.digest for read in reads for line in read.unreadable
    }
