"""The tables of pillowtop."""

from __future__ import annotations

from django.db import models


class PillowRecord(models.Model):
    """One pillow. `token` goes up at each start and orders the writes of all its lives.

    The rest is its lease: which process may run it (empty: none), and a counter that this process
    moves as long as it lives. `heir` is a `pillowtop.engine.leases.Holder`, as JSON, to whom the
    holder is asked to give it; with `yields` whoever waits for the lease may ask that.
    """

    name = models.CharField(max_length=200, primary_key=True)
    token = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    holder = models.CharField(max_length=16, blank=True)
    host = models.CharField(max_length=255, blank=True)
    machine = models.CharField(max_length=100, blank=True)
    pid = models.BigIntegerField(default=0)
    process_born = models.BigIntegerField(default=0)
    beat = models.BigIntegerField(default=0)
    heir = models.TextField(blank=True)
    yields = models.BooleanField(default=False)

    class Meta:
        app_label = "pillowtop"

    def __str__(self) -> str:
        return self.name


class Position(models.Model):
    """What the Django database remembers of a checkpoint, next to the document in CouchDB.

    `seq` is JSON text without a limit; the other fields are those of
    `pillowtop.engine.resuming.Checkpoint`. `letters` goes up with each letter, ahead of the rest.
    """

    pillow = models.CharField(max_length=200)
    stream = models.CharField(max_length=255)
    seq = models.TextField()
    identity = models.CharField(max_length=64)
    filter = models.CharField(max_length=64)
    target = models.CharField(max_length=255)
    token = models.BigIntegerField()
    generation = models.BigIntegerField()
    born = models.BigIntegerField(default=0)
    letters = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "pillowtop"
        constraints = (
            models.UniqueConstraint(fields=["pillow", "stream"], name="pillowtop_one_position"),
        )

    def __str__(self) -> str:
        return f"{self.pillow} in {self.stream}"


class PastPosition(models.Model):
    """A position that a pillow once had: noted now and then, and before each change by hand.

    `verb` is what changed it; empty for those noted now and then.
    """

    pillow = models.CharField(max_length=200)
    stream = models.CharField(max_length=255)
    seq = models.TextField()
    identity = models.CharField(max_length=64)
    verb = models.CharField(max_length=20, blank=True)
    noted_at = models.DateTimeField()

    class Meta:
        app_label = "pillowtop"
        indexes = (models.Index(fields=["pillow", "noted_at"], name="pillowtop_past_of"),)

    def __str__(self) -> str:
        return f"{self.pillow} at {self.noted_at}"


class DeadLetter(models.Model):
    """A document that could not be delivered, and why: one row per pillow, stream and document.

    `stage` is one of feed, filter, trigger, transform, pack, transport. `doc_hash` is the SHA-256
    of the document's id, which may be longer than an index of a database takes.
    """

    pillow = models.CharField(max_length=200)
    stream = models.CharField(max_length=255)
    doc_id = models.TextField()
    doc_hash = models.CharField(max_length=64)
    seq = models.TextField(blank=True)
    rev = models.CharField(max_length=255, blank=True)
    deletion = models.BooleanField(default=False)
    stage = models.CharField(max_length=20)
    error_type = models.CharField(max_length=255)
    reason = models.TextField()
    traceback = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "pillowtop"
        constraints = (
            models.UniqueConstraint(
                fields=["pillow", "stream", "doc_hash"], name="pillowtop_one_letter"
            ),
        )
        indexes = (models.Index(fields=["pillow", "next_attempt_at"], name="pillowtop_letter_due"),)

    def __str__(self) -> str:
        return f"{self.pillow}: {self.doc_id} ({self.error_type})"


class Rerun(models.Model):
    """A document that the process which runs the pillow is to take again, as it is then.

    `ticket` is what one command asked for; `outcome` is empty until it is done. With `clears` the
    target is to hold nothing else of the document afterwards.
    """

    pillow = models.CharField(max_length=200)
    ticket = models.CharField(max_length=16, db_index=True)
    doc_id = models.TextField()
    clears = models.BooleanField(default=False)
    outcome = models.CharField(max_length=20, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "pillowtop"
        indexes = (models.Index(fields=["pillow", "done_at"], name="pillowtop_rerun_waits"),)

    def __str__(self) -> str:
        return f"{self.pillow}: {self.doc_id}"


class PillowStatus(models.Model):
    """The figures of a pillow as the worker that runs it reported them last.

    `figures` is a `pillowtop.engine.figures.Snapshot`; `process` is `host:pid`. `reported_at` is
    the database's own time.
    """

    pillow = models.CharField(max_length=200, primary_key=True)
    process = models.CharField(max_length=255)
    figures = models.JSONField()
    reported_at = models.DateTimeField()

    class Meta:
        app_label = "pillowtop"

    def __str__(self) -> str:
        return f"{self.pillow} by {self.process}"


class IndexMove(models.Model):
    """A pillow's move from one index to another, under one alias.

    `stage` is a `pillowtop.engine.moves.Stage`; `uuid` is the new index's. From `seq` on (as
    JSON, in the database of `identity`) both are written to, until `keep_until`: so long the old
    one can take its place again. `lost` says why it cannot any more.
    """

    pillow = models.CharField(max_length=200)
    alias = models.CharField(max_length=255)
    old = models.CharField(max_length=255)
    new = models.CharField(max_length=255)
    uuid = models.CharField(max_length=64, blank=True)
    stage = models.CharField(max_length=20)
    seq = models.TextField(blank=True)
    identity = models.CharField(max_length=64, blank=True)
    keep_until = models.DateTimeField(null=True)
    lost = models.TextField(blank=True)
    began_at = models.DateTimeField()
    moved_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "pillowtop"
        constraints = (
            models.UniqueConstraint(fields=["pillow", "new"], name="pillowtop_one_move"),
        )

    def __str__(self) -> str:
        return f"{self.pillow} from {self.old} to {self.new}"


class OperatorRequest(models.Model):
    """Something that is asked of the process that runs the pillow (rule 8).

    By commands (`reset`, `accept`, and those that name a position: `seq` as JSON, and the
    `identity` of its database if known), or by that process itself (`sweep`, with the token of
    the life that began to read everything again).
    """

    pillow = models.CharField(max_length=200)
    verb = models.CharField(max_length=20)
    seq = models.TextField(blank=True)
    identity = models.CharField(max_length=64, blank=True)
    token = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "pillowtop"

    def __str__(self) -> str:
        return f"{self.verb} {self.pillow}"
