"""What CouchDB, the indices and the dead letters hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airports.couch import Database
from dev.demo.indices import Indices
from dev.soak.comparing import Difference, State, differences, expected
from pillowtop.listener import AliasedElasticPillow

REVS = ["pillowtop.rev"]


class SoakedDatabase(Database):
    """One that says whether it has changed."""

    def update_seq(self) -> str:
        return str(self._ask("GET")["update_seq"])


class Reader:
    """Compares what the pillows have made with what they should have."""

    def __init__(
        self,
        database: SoakedDatabase,
        indices: Indices,
        sqlite: Path,
        pillows: Sequence[AliasedElasticPillow],
    ) -> None:
        self._database = database
        self._indices = indices
        self._sqlite = sqlite
        self._pillows = pillows
        self._seq = ""
        self.revs: dict[str, str] = {}
        self.wanted: dict[str, State] = {}

    def differences(self) -> list[Difference]:
        """Of revisions at first; where there is none, of everything."""
        self._read_database()
        return self._compared(REVS) or self._compared(None)

    def _compared(self, fields: list[str] | None) -> list[Difference]:
        found: list[Difference] = []
        for pillow in self._pillows:
            wanted = self.wanted[pillow.name]
            if fields:
                wanted = wanted.revs_only()
            state = State(
                self._indices.sources(pillow.es_alias, fields), self._letters(pillow.name)
            )
            found += differences(pillow.name, wanted, state)
        return found

    def _read_database(self) -> None:
        """Read all documents, unless nothing has changed since they were."""
        seq = self._database.update_seq()
        if seq == self._seq:
            return
        documents = self._database.documents()
        self.revs = {one["_id"]: one["_rev"] for one in documents}
        self.wanted = {pillow.name: expected(pillow, documents) for pillow in self._pillows}
        self._seq = seq

    def _letters(self, pillow: str) -> dict[str, str]:
        # Not read-only: what a killed worker left half-written is taken back by the next reader.
        address = f"file:{quote(str(self._sqlite))}?mode=rw"
        query = "SELECT doc_id, error_type, reason FROM pillowtop_deadletter WHERE pillow = ?"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as books:
            rows: list[Any] = books.execute(query, [pillow]).fetchall()
        return {doc_id: f"{kind}: {reason}" for doc_id, kind, reason in rows}
