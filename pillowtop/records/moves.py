"""Moves of pillows from one index to another."""

from __future__ import annotations

import msgspec
from django.db import transaction
from django.utils import timezone

from pillowtop.engine.moves import Move, Stage
from pillowtop.engine.resuming import START
from pillowtop.records.chosen_letters import Choice, have_retried
from pillowtop.records.database import alias
from pillowtop.records.models import (
    DeadLetter,
    IndexMove,
    PastPosition,
    PillowRecord,
    PillowStatus,
    Position,
)


def of(pillow: str, new: str) -> Move | None:
    """What is remembered of a move to an index."""
    return _move(IndexMove.objects.using(alias()).filter(pillow=pillow, new=new).first())


def all_of(pillow: str | None = None) -> list[Move]:
    """All moves of a pillow, or of all, the latest last."""
    rows = IndexMove.objects.using(alias()).order_by("began_at")
    chosen = rows if pillow is None else rows.filter(pillow=pillow)
    return [move for row in chosen if (move := _move(row))]


def keep(move: Move) -> None:
    """Remember a move as it is now."""
    fields = {
        "alias": move.alias,
        "old": move.old,
        "uuid": move.uuid,
        "stage": move.stage.value,
        "seq": "" if move.seq is None else msgspec.json.encode(move.seq).decode(),
        "identity": move.identity,
        "keep_until": move.keep_until,
        "lost": move.lost,
    }
    rows = IndexMove.objects.using(alias())
    if move.stage is Stage.FLIPPED:
        fields["moved_at"] = timezone.now()
    # Not `update_or_create`: it reads first, and SQLite lets nobody write then who finds others
    # writing, however long he would wait.
    if not rows.filter(pillow=move.pillow, new=move.new).update(**fields):
        rows.create(pillow=move.pillow, new=move.new, began_at=timezone.now(), **fields)


def kept(pillow: str, new: str) -> Move | None:
    """The move to an index from which there still is a way back."""
    move = of(pillow, new)
    return move if move is not None and move.may_return(timezone.now()) else None


def is_undone(pillow: str, new: str) -> bool:
    """Whether a rollback has put the alias back."""
    move = of(pillow, new)
    return move is not None and move.stage is Stage.ROLLED_BACK


def lose(pillow: str, new: str, why: str) -> None:
    """The old index is not kept in step any more."""
    IndexMove.objects.using(alias()).filter(pillow=pillow, new=new, lost="").update(lost=why)


def take_back(pillow: str, old: str) -> None:
    """An index is about to be filled anew: nobody is to keep it in step as a way back."""
    IndexMove.objects.using(alias()).filter(pillow=pillow, old=old, lost="").update(
        lost=f"ptop_reindex run has begun to fill {old} anew: let it go on to its end"
    )


def disturb(pillow: str, new: str) -> None:
    """The old index has got more than what has changed since the move: all of it is to be written
    anew by its own release, should that serve again."""
    start = msgspec.json.encode(START).decode()
    IndexMove.objects.using(alias()).filter(pillow=pillow, new=new).update(seq=start)


def supersede(move: Move) -> None:
    """A move is about to be made: the indices of those before it will not be kept in step."""
    rows = IndexMove.objects.using(alias()).filter(
        pillow=move.pillow, lost="", stage__in=[Stage.FLIPPING.value, Stage.FLIPPED.value]
    )
    rows.exclude(new=move.new).update(lost=f"the pillow has moved on to {move.new}")


def finish(move: Move) -> None:
    """The new index is in its place: the pillow takes over what was its build's.

    Letters of the build become the pillow's own, and all are tried again, in this index; the
    build's position is of no more use.
    """
    using = alias()
    with transaction.atomic(using=using):
        keep(msgspec.structs.replace(move, stage=Stage.FLIPPED))
        letters = DeadLetter.objects.using(using)
        ours = letters.filter(pillow=move.pillow).values("doc_hash")
        letters.filter(pillow=move.build, doc_hash__in=ours).delete()
        letters.filter(pillow=move.build).update(pillow=move.pillow)
        have_retried(Choice(pillow=move.pillow))
        forget_build(move.build)


def settle(pillow: str, new: str) -> None:
    """The alias is on the index of a move. Whoever made it may have been killed before he could
    say that it is made."""
    move = of(pillow, new)
    if move is not None and move.stage is Stage.FLIPPING:
        finish(move)


def forget_build(build: str) -> None:
    """Nothing is left of the positions and the figures of a pillow that was made for a while."""
    for table in (Position, PastPosition, PillowStatus):
        table._default_manager.using(alias()).filter(pillow=build).delete()  # noqa: SLF001
    PillowRecord.objects.using(alias()).filter(name=build, holder="").delete()


def forget(move: Move) -> None:
    """Nothing is left of a move whose index is gone."""
    with transaction.atomic(using=alias()):
        IndexMove.objects.using(alias()).filter(pillow=move.pillow, new=move.new).delete()
        DeadLetter.objects.using(alias()).filter(pillow=move.build).delete()
        forget_build(move.build)


def _move(row: IndexMove | None) -> Move | None:
    if row is None:
        return None
    return Move(
        pillow=row.pillow,
        alias=row.alias,
        old=row.old,
        new=row.new,
        uuid=row.uuid,
        stage=Stage(row.stage),
        seq=msgspec.json.decode(row.seq) if row.seq else None,
        identity=row.identity,
        keep_until=row.keep_until,
        lost=row.lost,
        began_at=row.began_at,
    )
