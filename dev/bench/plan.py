"""What is measured, and what it should come to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

ON_ROWS = {"rows", "pages", "csv", "clients"}
ALONE = {"recorded", "counting", "statistics", *ON_ROWS}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table. `needs_index` where documents arrive in Elasticsearch."""

    key: str
    title: str
    work: str
    needs_index: bool = True
    made_by_pillow: bool = False
    in_flight: int = 2
    transform: bool = False
    include_docs: bool = True
    pillows: int = 1
    as_copy: bool = False
    """Whether the index has the settings of one that is being filled by `ptop_reindex run`."""

    filled_first: bool = False
    """Whether a pillow fills the index before anything is measured."""

    books: str = "sqlite"
    """The kind of the Django database; `postgresql` for the other."""

    times: int = 1
    """How many times as many documents as are asked for."""

    once: bool = False
    """Whether the first round is enough."""

    @property
    def rows(self) -> bool:
        """Whether the Django database holds rows of a statistic, as many as there are documents."""
        return self.work in ON_ROWS

    @property
    def alone(self) -> bool:
        """Whether it needs neither CouchDB nor Elasticsearch: then (c) is no limit of it."""
        return self.work in ALONE


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a case should come to: at least, or at most, `bound`.

    `measure` is a name of a figure of the summary; with `of` it is the ratio to that case's.
    """

    case: str
    measure: str
    bound: float
    of: str = ""
    at_least: bool = False

    @property
    def text(self) -> str:
        sign = "≥" if self.at_least else "≤"
        if self.of:
            return f"{sign} {self.bound:g} of ({self.of})"
        return f"{sign} {self.bound:,g} {UNITS[self.measure]}"

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


UNITS = {
    "documents_per_second": "documents/s",
    "cpu_microseconds": "µs",
    "peak_megabytes": "MB",
    "milliseconds_p50": "ms, half of them",
    "milliseconds_p99": "ms, 99 of 100",
    "feed_connections": "connection to the feed",
}

LIMIT = "c"

CASES: Sequence[Case] = (
    Case(key="a1", title="prebuilt bulks alone, 1 in flight", work="bulks", in_flight=1),
    Case(key="a2", title="prebuilt bulks alone, 2 in flight", work="bulks", in_flight=2),
    Case(key="a4", title="prebuilt bulks alone, 4 in flight", work="bulks", in_flight=4),
    Case(key="b1", title="feed alone, bytes", work="feed_bytes", needs_index=False),
    Case(key="b2", title="feed alone, as pillowtop reads it", work="feed_changes",
         needs_index=False),
    Case(key=LIMIT, title="bulks and feed at once, unconnected: the limit", work="together"),
    Case(key="d1", title="pillowtop, passing documents through", work="pillow",
         made_by_pillow=True),
    Case(key="d2", title="pillowtop, with a Python transform", work="pillow",
         made_by_pillow=True, transform=True),
    Case(key="cr", title="(c) into an index that nobody reads yet", work="together", as_copy=True),
    Case(key="r", title="ptop_reindex run: its copy into such an index", work="copy",
         as_copy=True),
    Case(key="n3", title="pillowtop, 3 times as many documents", work="pillow",
         made_by_pillow=True, times=3, once=True),
    Case(key="n10", title="pillowtop, 10 times as many documents", work="pillow",
         made_by_pillow=True, times=10, once=True),
    Case(key="e", title="IBM ChangesFollower + streaming_bulk", work="follower"),
    Case(key="f1", title="pillowtop, recorded feed into nothing", work="recorded",
         needs_index=False, times=3),
    Case(key="f2", title="the same with a Python transform", work="recorded",
         needs_index=False, transform=True, times=3),
    Case(key="g", title="pillowtop, loading documents in chunks", work="pillow",
         made_by_pillow=True, include_docs=False),
    Case(key="k1", title="pillowtop into nothing, documents sent along", work="discarded",
         needs_index=False),
    Case(key="k2", title="the same, documents loaded in chunks", work="discarded",
         needs_index=False, include_docs=False),
    Case(key="h", title="couchdbkit ChangesStream + streaming_bulk", work="stream"),
    Case(key="v", title="ptop_verify of what d1 has delivered", work="verify",
         made_by_pillow=True, filled_first=True),
    Case(key="p1", title="1 pillow that filters in Python, and takes nothing", work="choosing",
         needs_index=False, times=10, once=True),
    Case(key="p10", title="10 of them on one database", work="choosing", needs_index=False,
         pillows=10, times=10, once=True),
    Case(key="p50", title="50 of them on one database", work="choosing", needs_index=False,
         pillows=50, times=10, once=True),
    Case(key="l", title="single documents into a database at rest", work="latency",
         needs_index=False),
    Case(key="m", title="statistics: messages counted in memory", work="counting",
         needs_index=False),
    Case(key="s1", title="statistics from a recorded feed into SQLite", work="statistics",
         needs_index=False),
    Case(key="s2", title="the same into PostgreSQL", work="statistics",
         needs_index=False, books="postgresql"),
    Case(key="s10", title="(s1) with 10 times as many messages", work="statistics",
         needs_index=False, times=10, once=True),
    Case(key="q1", title="a page of 100 of 10 times as many rows, SQLite", work="pages",
         needs_index=False, times=10),
    Case(key="q2", title="the same, PostgreSQL", work="pages",
         needs_index=False, times=10, books="postgresql"),
    Case(key="q3", title="a page of 1,000 of them as CSV, SQLite", work="csv",
         needs_index=False, times=10),
    Case(key="q4", title="the same, PostgreSQL", work="csv",
         needs_index=False, times=10, books="postgresql"),
    Case(key="w1", title="200 clients at once for such pages, SQLite", work="clients",
         needs_index=False, times=10),
    Case(key="w2", title="the same, PostgreSQL", work="clients",
         needs_index=False, times=10, books="postgresql"),
)  # fmt: skip

TARGETS: Sequence[Target] = (
    Target(case="d1", measure="documents_per_second", of=LIMIT, bound=0.9, at_least=True),
    Target(case="d1", measure="cpu_microseconds", bound=8),
    Target(case="d1", measure="peak_megabytes", bound=100),
    Target(case="d2", measure="documents_per_second", of=LIMIT, bound=0.8, at_least=True),
    Target(case="d2", measure="cpu_microseconds", bound=15),
    Target(case="d2", measure="peak_megabytes", bound=100),
    Target(case="r", measure="documents_per_second", of="cr", bound=0.9, at_least=True),
    Target(case="r", measure="peak_megabytes", bound=100),
    Target(case="g", measure="documents_per_second", of="d1", bound=1.0, at_least=True),
    Target(case="k2", measure="documents_per_second", of="k1", bound=1.0, at_least=True),
    Target(case="v", measure="documents_per_second", bound=20_000, at_least=True),
    Target(case="v", measure="peak_megabytes", bound=100),
    Target(case="n10", measure="peak_megabytes", bound=150),
    Target(case="p50", measure="documents_per_second", of="p1", bound=0.333, at_least=True),
    Target(case="p50", measure="cpu_microseconds", of="p1", bound=3),
    Target(case="p50", measure="feed_connections", bound=1),
    Target(case="l", measure="milliseconds_p50", bound=20),
    Target(case="l", measure="milliseconds_p99", bound=100),
    Target(case="f1", measure="documents_per_second", bound=150_000, at_least=True),
    Target(case="f2", measure="documents_per_second", bound=70_000, at_least=True),
    Target(case="m", measure="documents_per_second", bound=50_000, at_least=True),
    Target(case="s1", measure="documents_per_second", bound=10_000, at_least=True),
    Target(case="s2", measure="documents_per_second", bound=10_000, at_least=True),
    Target(case="q1", measure="milliseconds_p99", bound=50),
    Target(case="q2", measure="milliseconds_p99", bound=50),
    Target(case="q3", measure="milliseconds_p99", bound=50),
    Target(case="q4", measure="milliseconds_p99", bound=50),
)
