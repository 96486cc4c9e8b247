"""What operators do to indices and aliases: each method is one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pillowtop.elastic.cluster import Cluster
from pillowtop.elastic.index import FoundIndex


class Size(NamedTuple):
    documents: int
    size_bytes: int


class Indices:
    """Of one cluster. Raises what `Cluster.request` raises."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def find(self, *names: str) -> dict[str, FoundIndex]:
        """What exists under these names of indices and aliases, which may end with a `*`."""
        body = self._cluster.request(
            names[0], "GET", f"/{','.join(names)}",
            params={"ignore_unavailable": "true", "allow_no_indices": "true"},
        )  # fmt: skip
        return {name: FoundIndex.read(name, details) for name, details in body.items()}

    def settings(self, index: str) -> dict[str, Any]:
        """All settings of an index that are not defaults, with dotted keys."""
        body = self._cluster.request(
            index, "GET", f"/{index}/_settings", params={"flat_settings": "true"}
        )
        found: dict[str, Any] = body[index]["settings"]
        return found

    def set(self, index: str, settings: Mapping[str, Any]) -> None:
        """Change settings; None stands for the server's default."""
        self._cluster.request(index, "PUT", f"/{index}/_settings", body=dict(settings))

    def refresh(self, index: str) -> None:
        self._cluster.request(index, "POST", f"/{index}/_refresh")

    def change_aliases(self, alias: str, actions: list[dict[str, Any]]) -> None:
        """All of the actions, or none."""
        self._cluster.request(alias, "POST", "/_aliases", body={"actions": actions})

    def delete(self, index: str) -> None:
        self._cluster.request(index, "DELETE", f"/{index}")

    def sizes(self, *names: str) -> dict[str, Size]:
        """How much there is in indices; those that are closed are left out."""
        path, params = f"/{','.join(names)}", {"ignore_unavailable": "true"}
        # What nobody searches is not refreshed, and would count what it had long ago.
        self._cluster.request(names[0], "POST", f"{path}/_refresh", params=params)
        body = self._cluster.request(names[0], "GET", f"{path}/_stats/docs,store", params=params)
        return {
            name: Size(one["primaries"]["docs"]["count"], one["total"]["store"]["size_in_bytes"])
            for name, one in body.get("indices", {}).items()
        }
