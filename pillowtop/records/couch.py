"""What CouchDB keeps for us, in `_local` documents: never in a feed, never replicated.

They have no conflict check and can be no lock; they do go back when a database is restored from
a backup, and away when it is deleted, which is what betrays both (rule 7).
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from pillowtop.engine.resuming import Checkpoint
from pillowtop.exceptions import TransientError

logger = logging.getLogger(__name__)

IDENTITY = "pillowtop-identity"
FORM_OF_IDENTITY = re.compile("[!-~]{1,64}")
SETTLE_SECONDS = 0.3

_giving = threading.Lock()


class LocalDocuments(Protocol):
    """The part of a CouchDB database that is used here; ids without `_local/`."""

    def get_local(self, local_id: str) -> dict[str, Any] | None: ...
    def put_local(self, local_id: str, document: dict[str, Any]) -> None: ...


def checkpoint_id(pillow: str) -> str:
    return f"pillowtop-{pillow}"


def read_identity(database: LocalDocuments) -> str | None:
    """The identity of a database; None where it has none, or none that we would give."""
    document = database.get_local(IDENTITY) or {}
    identity = document.get("identity")
    fits = isinstance(identity, str) and FORM_OF_IDENTITY.fullmatch(identity)
    return identity if fits else None


def settled_identity(database: LocalDocuments) -> str:
    """The identity of a database, which is given one where it has none.

    There is no conflict check: of two processes that give one at the same time the later wins,
    so the earlier looks again after a while. Within a process only one of them tries.
    """
    with _giving:
        identity = read_identity(database)
        if identity is not None:
            return identity
        database.put_local(IDENTITY, {"identity": secrets.token_hex(16)})
        time.sleep(SETTLE_SECONDS)
        identity = read_identity(database)
    if identity is None:
        raise TransientError("the database lost the identity that it was just given")
    return identity


def read_checkpoint(database: LocalDocuments, pillow: str) -> Checkpoint | None:
    """The checkpoint of a pillow; None where there is none, or (said aloud) an unreadable one."""
    document = database.get_local(checkpoint_id(pillow))
    if document is None:
        return None
    try:
        return msgspec.convert(document, Checkpoint)
    except (msgspec.ValidationError, RecursionError) as error:
        logger.warning(
            "%s: its checkpoint in CouchDB, _local/%s, cannot be read, and counts as none: %s",
            pillow,
            checkpoint_id(pillow),
            error,
            extra={"action": "checkpoint_unreadable", "pillow": pillow},
        )
        return None


def write_checkpoint(database: LocalDocuments, pillow: str, checkpoint: Checkpoint) -> None:
    document = msgspec.structs.asdict(checkpoint)
    document["pillow"] = pillow
    document["saved_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    database.put_local(checkpoint_id(pillow), document)
