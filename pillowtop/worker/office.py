"""What all lanes of a process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pillowtop.conf import Configuration
from pillowtop.engine.storms import Storm
from pillowtop.worker.backlogs import Backlogs
from pillowtop.worker.bookkeeper import Bookkeeper
from pillowtop.worker.figures import Figures
from pillowtop.worker.gates import Gates
from pillowtop.worker.leasing import Leases
from pillowtop.worker.mail import Mail
from pillowtop.worker.patience import Patience
from pillowtop.worker.sharing import Group

SELDOM, MOST_SELDOM = 3, 30
"""In which of the times for saving a checkpoint it is saved while nothing is delivered."""

IDLE_SAVES = 5
"""How many pillows may save one then at each of these times."""


@dataclass(frozen=True)
class Office:
    settings: Configuration
    books: Bookkeeper
    gates: Gates
    leases: Leases
    mail: Mail
    groups: Mapping[str, Group] = field(default_factory=dict)
    """With whom a pillow shares its feed, by its name."""

    backlogs: Backlogs = field(default_factory=Backlogs)
    _storms: dict[str, Storm] = field(default_factory=dict)
    _figures: dict[str, Figures] = field(default_factory=dict)

    @property
    def seldom_seconds(self) -> float:
        """How often a pillow that delivers nothing saves its checkpoint: of many in a process most
        have nothing to do."""
        times = min(len(self._figures) / IDLE_SAVES, MOST_SELDOM)
        return self.settings.CHECKPOINT_SECONDS * max(times, SELDOM)

    def patience(self, pillow: str) -> Patience:
        """Fresh patience for one thing that a pillow does."""
        figures = self.figures(pillow)
        return Patience(pillow, self.gates, self.settings.BACKOFF_SECONDS, figures)

    def figures(self, pillow: str) -> Figures:
        """What a pillow has to show, over all its lives in this process."""
        if pillow not in self._figures:
            self._figures[pillow] = Figures(pillow, self.settings.servers)
        return self._figures[pillow]

    def storm(self, pillow: str) -> Storm:
        """What is known of a pillow's failures over all its lives in this process."""
        settings = self.settings
        return self._storms.setdefault(
            pillow, Storm(settings.STORM_DOCUMENTS, settings.STORM_SHARE)
        )
