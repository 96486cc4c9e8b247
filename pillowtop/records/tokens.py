"""Tokens: which life of a pillow a write belongs to."""

from __future__ import annotations

import time

from django.db import transaction
from django.utils import timezone

from pillowtop.records.database import alias
from pillowtop.records.models import PillowRecord


def raise_token(pillow: str, at_least: int = 0) -> int:
    """Give a pillow a token higher than all it had, and higher than `at_least`.

    A pillow that nobody remembers starts at the seconds since 1970: should its index outlive
    both memories, what stands there still has lower versions.
    """
    with transaction.atomic(using=alias()):
        records = PillowRecord.objects.using(alias())
        record, _ = records.select_for_update().get_or_create(name=pillow)
        known = max(record.token, at_least)
        record.token = known + 1 if known else int(time.time())
        record.started_at = timezone.now()
        record.save(using=alias())
        return record.token


def raise_above(pillow: str, other: str) -> int:
    """Give a pillow a token that is higher than that of another one, too."""
    found = PillowRecord.objects.using(alias()).filter(name=other).first()
    return raise_token(pillow, found.token if found else 0)
