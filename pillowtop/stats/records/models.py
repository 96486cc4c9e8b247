"""What must be remembered besides rows: all of it moves in the transaction of the position.

Times are in microseconds since 1970. `end` is the end of a window.
"""

from __future__ import annotations

from django.db import models


class StatsProgress(models.Model):
    """How far a pillow is: see `pillowtop.stats.progress.Progress`."""

    pillow = models.CharField(max_length=200, primary_key=True)
    newest = models.BigIntegerField(null=True)
    watermark = models.BigIntegerField(null=True)
    forgotten = models.BigIntegerField(null=True)
    counted = models.BigIntegerField(default=0)
    late = models.BigIntegerField(default=0)
    beyond = models.BigIntegerField(default=0)
    ahead = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)

    class Meta:
        app_label = "pillowtop_stats"

    def __str__(self) -> str:
        return self.pillow


class Enrolment(models.Model):
    """A statistic that a pillow computes.

    See `pillowtop.stats.store.Enrolled`. `filler` is the name under which a backfill of it runs.
    """

    pillow = models.CharField(max_length=200)
    statistic = models.CharField(max_length=200)
    version = models.BigIntegerField()
    lacks = models.TextField(blank=True)
    set_aside = models.TextField(blank=True)
    stage = models.CharField(max_length=10, blank=True)
    skips = models.BinaryField(default=bytes)
    skips_since = models.BigIntegerField(default=0)
    skips_until = models.BigIntegerField(default=0)
    filled_since = models.BigIntegerField(null=True)
    filler = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "pillowtop_stats"
        constraints = (
            models.UniqueConstraint(
                fields=["pillow", "statistic"], name="pillowtop_stats_one_enrolment"
            ),
        )

    def __str__(self) -> str:
        return f"{self.statistic} of {self.pillow}"


class OpenWindow(models.Model):
    """A window of a statistic that messages may still come for, with its state as msgpack.

    `is_stored` says that the rows are those of the state. What failed is tried again at `due_at`.
    """

    pillow = models.CharField(max_length=200)
    statistic = models.CharField(max_length=200)
    end = models.BigIntegerField()
    state = models.BinaryField(default=bytes)
    is_stored = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)
    due_at = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        app_label = "pillowtop_stats"
        constraints = (
            models.UniqueConstraint(
                fields=["pillow", "statistic", "end"], name="pillowtop_stats_one_window"
            ),
        )
        indexes = (models.Index(fields=["pillow", "is_stored", "end"]),)

    def __str__(self) -> str:
        return f"{self.statistic} until {self.end}"


class KeptMessages(models.Model):
    """Messages of a window, for statistics that want all of them at once.

    `bucket` is that of an interval, which its statistics share, or a statistic's own.
    """

    pillow = models.CharField(max_length=200)
    bucket = models.CharField(max_length=200)
    end = models.BigIntegerField()
    body = models.BinaryField()

    class Meta:
        app_label = "pillowtop_stats"
        indexes = (models.Index(fields=["pillow", "bucket", "end"]),)

    def __str__(self) -> str:
        return f"messages of {self.bucket} until {self.end}"


class CountedMessages(models.Model):
    """Which messages have been counted, 8 bytes each: see `pillowtop.stats.seen.Seen`."""

    pillow = models.CharField(max_length=200)
    slot = models.BigIntegerField()
    body = models.BinaryField()

    class Meta:
        app_label = "pillowtop_stats"
        indexes = (models.Index(fields=["pillow", "slot"]),)

    def __str__(self) -> str:
        return f"{len(self.body) // 8} messages of {self.pillow}"


class PendingMessage(models.Model):
    """A message that a statistic has failed at, or that is kept for it."""

    pillow = models.CharField(max_length=200)
    statistic = models.CharField(max_length=200)
    end = models.BigIntegerField()
    body = models.BinaryField()
    attempts = models.IntegerField(default=0)
    due_at = models.BigIntegerField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        app_label = "pillowtop_stats"
        indexes = (
            models.Index(fields=["pillow", "due_at"]),
            models.Index(fields=["pillow", "statistic", "end"]),
        )

    def __str__(self) -> str:
        return f"a message for {self.statistic}"
