"""The servers of a soak: those that the environment names, its own in place of the others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.servers import CouchServer, SearchServer

OWN: dict[str, tuple[str, type[CouchServer | SearchServer]]] = {
    "COUCHDB_URL": ("couchdb", CouchServer),
    "ELASTICSEARCH_URL": ("elasticsearch", SearchServer),
}


@dataclass(frozen=True)
class Places:
    """`own` are not started yet; `names` says of each whether it is."""

    own: Mapping[str, CouchServer | SearchServer]

    @property
    def names(self) -> dict[str, str]:
        return {
            name: self.own[name].title if name in self.own else variable
            for variable, (name, _) in OWN.items()
        }

    @property
    def given(self) -> list[str]:
        return [name for name in self.names if name not in self.own]


def find_places(folder: Path) -> Places:
    """Servers with their data in `folder`, which the environment names from now on."""
    own = {}
    for variable, (name, kind) in OWN.items():
        if os.environ.get(variable):
            continue
        data = folder / name
        shutil.rmtree(data, ignore_errors=True)
        own[name] = kind(data)
        os.environ[variable] = own[name].url
    return Places(own)
