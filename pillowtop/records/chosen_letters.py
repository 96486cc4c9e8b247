"""Dead letters as operators choose them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.utils import timezone

from pillowtop.engine.letters import hash_id
from pillowtop.records.database import alias
from pillowtop.records.models import DeadLetter

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Choice:
    """Which letters; what is empty or None chooses nothing away. Ages are since `first_at`."""

    doc_ids: Sequence[str] = ()
    pillow: str = ""
    error_type: str = ""
    stage: str = ""
    older_than: timedelta | None = None
    newer_than: timedelta | None = None


def rows(choice: Choice) -> Iterator[dict[str, Any]]:
    """All columns of letters, by pillow, the oldest first; `seq` is decoded."""
    found = _chosen(choice).order_by("pillow", "first_at", "pk").values()
    for row in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield {**row, "seq": msgspec.json.decode(row["seq"]) if row["seq"] else None}


def tally(choice: Choice) -> Counter[tuple[str, str, str]]:
    """How many letters of each pillow, stage and type of error."""
    kinds = _chosen(choice).values_list("pillow", "stage", "error_type")
    return Counter(kinds.iterator(chunk_size=ROWS_AT_ONCE))


def names() -> set[str]:
    """The pillows that have letters."""
    return set(DeadLetter.objects.using(alias()).values_list("pillow", flat=True).distinct())


def have_retried(choice: Choice) -> int:
    """Make letters due now, but those that cannot be tried again. Returns how many are."""
    return _chosen(choice).exclude(next_attempt_at=None).update(next_attempt_at=timezone.now())


def keys(choice: Choice) -> list[int]:
    """What tells the chosen letters from those that come later."""
    return list(_chosen(choice).values_list("pk", flat=True))


def purge(choice: Choice, keys: Sequence[int]) -> int:
    """Remove those of the letters that are still chosen. Returns how many there were."""
    return sum(
        _chosen(choice).filter(pk__in=keys[start : start + ROWS_AT_ONCE]).delete()[0]
        for start in range(0, len(keys), ROWS_AT_ONCE)
    )


def _chosen(choice: Choice) -> QuerySet[DeadLetter]:
    found, now = DeadLetter.objects.using(alias()).all(), timezone.now()
    if choice.doc_ids:
        hashes = [hash_id(doc_id) for doc_id in choice.doc_ids]
        # An id that no database takes is stored, and shown, in another form than its hash is of.
        found = found.filter(Q(doc_hash__in=hashes) | Q(doc_id__in=choice.doc_ids))
    for column in ("pillow", "error_type", "stage"):
        if value := getattr(choice, column):
            found = found.filter(**{column: value})
    if choice.older_than is not None:
        found = found.filter(first_at__lte=now - choice.older_than)
    if choice.newer_than is not None:
        found = found.filter(first_at__gte=now - choice.newer_than)
    return found
