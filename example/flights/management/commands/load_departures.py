"""Loads the example's messages into CouchDB."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from airports.couch import CouchError, Database
from flights.messages import messages
from flights.pillows import DeparturePillow
from pillowtop.conf import configuration


class Command(BaseCommand):
    help = "Put a message for each departure of a week into CouchDB, where it is not there yet."

    def handle(self, **options: Any) -> None:
        database = Database(configuration().couchdb, DeparturePillow.couch_db)
        try:
            database.create()
            known = {document["_id"] for document in database.documents()}
            new = [one for one in messages() if one["_id"] not in known]
            for saved in database.save(new):
                self.stdout.write(f"{saved} of {len(new)} departures are in {database}")
        except CouchError as error:
            raise CommandError(str(error)) from error
