from __future__ import annotations

import pytest

from tests.real_servers import request


@pytest.fixture
def ten_docs(couch_database):
    """The URL of a database of the documents d0 to d9."""
    docs = [{"_id": f"d{number}", "number": number} for number in range(10)]
    assert request("POST", f"{couch_database}/_bulk_docs", {"docs": docs}).status == 201
    return couch_database
