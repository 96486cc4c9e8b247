"""What all lanes of a process share."""

from __future__ import annotations

from dataclasses import dataclass

from pillowtop.conf import Configuration
from pillowtop.worker.bookkeeper import Bookkeeper
from pillowtop.worker.gates import Gates
from pillowtop.worker.patience import Patience


@dataclass(frozen=True)
class Office:
    settings: Configuration
    books: Bookkeeper
    gates: Gates

    def patience(self, pillow: str) -> Patience:
        """Fresh patience for one thing that a pillow does."""
        return Patience(pillow, self.gates, self.settings.BACKOFF_SECONDS)
