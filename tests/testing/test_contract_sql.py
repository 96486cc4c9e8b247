"""`PillowContract` of a pillow that writes into the Django database."""

from __future__ import annotations

import pytest

from pillowtop.listener import SQLPillow
from pillowtop.models import PillowRecord
from pillowtop.testing import PillowContract


class RecordPillow(SQLPillow):
    """Writes to a table that is there in any case."""

    couch_db = "orders"

    def process_sql(self, document, delete=False):
        rows = PillowRecord.objects.filter(name=document["_id"])
        if delete:
            rows.delete()
        else:
            PillowRecord.objects.update_or_create(
                name=document["_id"], defaults={"token": document["n"]}
            )


@pytest.mark.django_db
class TestRecordPillow(PillowContract):
    pillow = RecordPillow
    documents = ({"_id": "a", "n": 1}, {"_id": "b", "n": 2})

    def state(self):
        return dict(PillowRecord.objects.values_list("name", "token"))
