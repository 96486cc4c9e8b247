"""The leases of pillows, in the Django database."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
from django.db.models import F

from pillowtop.engine.leases import Holder, Standing
from pillowtop.records.database import alias
from pillowtop.records.models import PillowRecord

NOBODY = Standing(Holder(), 0)


def look(pillow: str) -> Standing:
    row = PillowRecord.objects.using(alias()).filter(name=pillow).first()
    if row is None:
        return NOBODY
    holder = Holder(row.holder, row.host, row.machine, row.pid, row.process_born)
    return Standing(holder, row.beat, row.yields)


def take(pillow: str, seen: Standing, by: Holder) -> bool:
    """Take a lease, unless it has moved since it was seen. Whether it is ours now."""
    records = PillowRecord.objects.using(alias())
    records.get_or_create(name=pillow)
    rows = records.filter(name=pillow, holder=seen.holder.id, beat=seen.beat)
    return bool(rows.update(**_held_by(by)))


def offer(holder: str, pillow: str) -> None:
    """Have whoever waits for a lease ask for it."""
    rows = PillowRecord.objects.using(alias()).filter(name=pillow, holder=holder)
    rows.update(yields=True)


def ask(pillow: str, heir: Holder) -> None:
    """Ask whoever holds a lease for it, unless somebody else has asked already."""
    rows = PillowRecord.objects.using(alias()).filter(name=pillow, heir="")
    rows.update(heir=msgspec.json.encode(heir).decode())


def renew(holder: str, pillows: Collection[str]) -> dict[str, Holder | None]:
    """Renew leases. Returns those which are the holder's, and who asks for them."""
    rows = PillowRecord.objects.using(alias()).filter(name__in=list(pillows), holder=holder)
    rows.update(beat=F("beat") + 1)
    return {name: _heir(heir) for name, heir in rows.values_list("name", "heir")}


def hand_over(holder: str, pillow: str, heir: Holder) -> None:
    """Give a lease to who has asked for it. Should he be dead, the usual rules hold for him."""
    rows = PillowRecord.objects.using(alias()).filter(name=pillow, holder=holder)
    rows.update(**_held_by(heir))


def held(pillows: Iterable[str]) -> set[str]:
    """Those of them whose lease somebody holds, or has held when he died."""
    rows = PillowRecord.objects.using(alias()).filter(name__in=list(pillows)).exclude(holder="")
    return set(rows.values_list("name", flat=True))


def release(holder: str, pillows: Collection[str]) -> None:
    """Give leases back; whoever waits may take them at once."""
    rows = PillowRecord.objects.using(alias()).filter(name__in=list(pillows), holder=holder)
    rows.update(holder="", yields=False, beat=F("beat") + 1)


def _held_by(holder: Holder) -> dict[str, object]:
    return {
        "holder": holder.id,
        "host": holder.host,
        "machine": holder.machine,
        "pid": holder.pid,
        "process_born": holder.born,
        "heir": "",
        "yields": False,
        "beat": F("beat") + 1,
    }


def _heir(text: str) -> Holder | None:
    return msgspec.json.decode(text, type=Holder) if text else None
