"""Loads the example's data into CouchDB."""

from __future__ import annotations

from typing import Any

import airportsdata
from django.core.management.base import BaseCommand, CommandError

from airports.couch import CouchError, Database
from airports.pillows import AirportPillow
from pillowtop.conf import configuration


class Command(BaseCommand):
    help = "Put all airports that have an IATA code into CouchDB, as they are published."

    def handle(self, **options: Any) -> None:
        database = Database(configuration().couchdb, AirportPillow.couch_db)
        try:
            self._load(database)
        except CouchError as error:
            raise CommandError(str(error)) from error

    def _load(self, database: Database) -> None:
        database.create()
        documents = published(database.documents())
        for saved in database.save(documents):
            self.stdout.write(f"{saved} of {len(documents)} airports are in {database}")


def published(existing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One document an airport, its code for an id, in place of those that exist."""
    revs = {document["_id"]: {"_rev": document["_rev"]} for document in existing}
    return [
        {"_id": code, **revs.get(code, {}), **airport}
        for code, airport in airportsdata.load("IATA").items()
    ]
