"""The figures of pillows as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from pillowtop.engine.figures import Snapshot
from pillowtop.engine.health import Health


class Metric(NamedTuple):
    name: str
    text: str
    value: Callable[[Snapshot], float | None]


def _longest(figures: Snapshot) -> float:
    return max((one.seconds for one in figures.waiting), default=0.0)


COUNTERS = (
    Metric("pillowtop_changes", "Changes read.", lambda one: one.changes),
    Metric("pillowtop_delivered", "Writes that the target has taken.", lambda one: one.delivered),
    Metric("pillowtop_deleted", "Deletions among these.", lambda one: one.deleted),
    Metric("pillowtop_letters", "Dead letters written.", lambda one: one.letters),
    Metric("pillowtop_retries", "Attempts that were repeated.", lambda one: one.retries),
    Metric("pillowtop_crashes", "Crashes.", lambda one: one.crashes),
)

GAUGES = (
    Metric("pillowtop_running", "1 while it runs.", lambda one: one.state == "running"),
    Metric("pillowtop_caught_up", "1 while it is caught up.", lambda one: one.caught_up),
    Metric("pillowtop_pending_changes", "Changes that wait.", lambda one: one.pending_changes),
    Metric("pillowtop_behind_seconds", "Behind the database.", lambda one: one.behind_seconds),
    Metric("pillowtop_waiting_seconds", "What it waits for longest.", _longest),
    Metric("pillowtop_batches_in_flight", "Batches under way.", lambda one: one.batches_in_flight),
    Metric("pillowtop_batch_age_seconds", "The oldest batch's.", lambda one: one.batch_age_seconds),
    Metric(
        "pillowtop_checkpoint_age_seconds",
        "Since the checkpoint was saved.",
        lambda one: one.checkpoint_age_seconds,
    ),
    Metric(
        "pillowtop_unsaved_seconds",
        "For how long the checkpoint has not been up to date.",
        lambda one: one.unsaved_seconds,
    ),
    Metric("pillowtop_dead_letters", "Dead letters there are.", lambda one: one.dead_letters),
)


class Metrics(Collector):
    """`pillows` says how they are now."""

    def __init__(self, pillows: Callable[[], Sequence[Health]]) -> None:
        self._pillows = pillows
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def exposed(self, accept: str) -> tuple[str, bytes]:
        """Content type and body, in the format that a scraper wants."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # what is there is known when it is asked for

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        pillows = self._pillows()
        problems = GaugeMetricFamily("pillowtop_problems", "How much is wrong.", labels=["pillow"])
        for one in pillows:
            problems.add_metric([one.pillow], len(one.problems))
        yield problems
        for kind, metrics in ((CounterMetricFamily, COUNTERS), (GaugeMetricFamily, GAUGES)):
            for metric in metrics:
                yield _family(kind, metric, pillows)
        yield _counts(pillows)


def _family(
    kind: type[CounterMetricFamily | GaugeMetricFamily], metric: Metric, pillows: Sequence[Health]
) -> CounterMetricFamily | GaugeMetricFamily:
    """Of each pillow what is known."""
    family = kind(metric.name, metric.text, labels=["pillow"])
    for one in pillows:
        value = metric.value(one.figures) if one.figures else None
        if value is not None:
            family.add_metric([one.pillow], float(value))
    return family


def _counts(pillows: Sequence[Health]) -> CounterMetricFamily:
    """What targets count besides, each by its name."""
    words = "What the target counts besides."
    family = CounterMetricFamily("pillowtop_counts", words, labels=["pillow", "what"])
    for one in pillows:
        for what, count in (one.figures.counts if one.figures else {}).items():
            family.add_metric([one.pillow, what], count)
    return family
