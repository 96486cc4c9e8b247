"""Makes the indices of a pillow that has several, as documents ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pillowtop.elastic.keeper import IDENTIFYING, IndexKeeper

if TYPE_CHECKING:
    from pillowtop.elastic.cluster import Cluster
    from pillowtop.elastic.index import SeveralIndices


class SeveralKeeper(IndexKeeper):
    """Looks at each index before the first document of a life for it."""

    def __init__(self, cluster: Cluster, target: SeveralIndices, source_field: str) -> None:
        super().__init__(cluster, target, source_field)
        self._several = target
        self._ready: set[str] = set()

    def prepare(self) -> str:
        """Demand that the alias is none of an index, or not there yet. Returns its name.

        Raises `TransientError`, `AccessDenied`, `TargetUnusable` or `ConfigurationError`.
        """
        self.forget()
        return self.identity()

    def look(self) -> None:
        """No release of the pillow has indices of its own."""

    def identity(self) -> str:
        found = self._look(IDENTIFYING)
        self._several.demand_alias(found)
        # What is not behind the alias any more is looked at before it is written to again.
        self._ready &= {one.name for one in found}
        return self._several.identity()

    def make(self, index: str) -> None:
        """Have an index ready to be written to. Raises as `prepare` does."""
        if index not in self._ready:
            one = self._several.at(index)
            IndexKeeper(self._cluster, one, self._source_field).prepare()
            self._ready.add(index)

    def forget(self) -> None:
        """Have all indices be looked at again."""
        self._ready.clear()
