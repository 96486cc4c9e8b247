"""The leases of pillows, in the Django database."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F

from pillowtop.engine.leases import Holder, Standing
from pillowtop.records.database import alias
from pillowtop.records.models import PillowRecord

NOBODY = Standing(Holder(), 0)


def look(pillow: str) -> Standing:
    row = PillowRecord.objects.using(alias()).filter(name=pillow).first()
    if row is None:
        return NOBODY
    return Standing(Holder(row.holder, row.host, row.machine, row.pid, row.process_born), row.beat)


def take(pillow: str, seen: Standing, by: Holder) -> bool:
    """Take a lease, unless it has moved since it was seen. Whether it is ours now."""
    records = PillowRecord.objects.using(alias())
    records.get_or_create(name=pillow)
    rows = records.filter(name=pillow, holder=seen.holder.id, beat=seen.beat)
    return bool(
        rows.update(
            holder=by.id,
            host=by.host,
            machine=by.machine,
            pid=by.pid,
            process_born=by.born,
            beat=seen.beat + 1,
        )
    )


def renew(holder: str, pillows: Collection[str]) -> set[str]:
    """Renew leases. Returns which of them are the holder's."""
    rows = PillowRecord.objects.using(alias()).filter(name__in=list(pillows), holder=holder)
    rows.update(beat=F("beat") + 1)
    return set(rows.values_list("name", flat=True))


def release(holder: str, pillows: Collection[str]) -> None:
    """Give leases back; whoever waits may take them at once."""
    rows = PillowRecord.objects.using(alias()).filter(name__in=list(pillows), holder=holder)
    rows.update(holder="", beat=F("beat") + 1)
