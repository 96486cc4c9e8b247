"""The open windows of statistics, each with the plugin that holds its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.states import begun, dumped

CACHED = 4096
"""Windows whose plugins stay in memory from one transaction to the next."""

Groups = Mapping[int, list[Message]]
"""Messages by the end of their window."""


class Window(msgspec.Struct, eq=False):
    """A window of a statistic. `state` is what is saved of it; empty before the first message."""

    kind: type[Plugin]
    end: int
    state: bytes = b""
    is_stored: bool = False
    attempts: int = 0
    due_at: int = 0
    error: str = ""
    _plugin: Plugin | None = None

    @property
    def plugin(self) -> Plugin:
        if self._plugin is None:
            self._plugin = begun(self.kind, self.state or None)
        return self._plugin

    def feed(self, messages: list[Message]) -> None:
        """Take messages, all of them or none. Raises what the plugin does."""
        if self.kind.handles():
            return  # it is given them all when the window closes
        plugin = self.plugin
        self._plugin = None  # where it fails it may have got half of a message
        plugin.process_all(messages)
        self.state = dumped(plugin)
        self._plugin = plugin

    def updated(self) -> Any:
        """What the plugin makes of it. Should it change itself by that, nothing remembers it."""
        plugin, self._plugin = self.plugin, None
        return plugin.update()

    def put_back(self, state: bytes) -> None:
        """Be as it was."""
        self.state, self._plugin = state, None


class WindowStore(Protocol):
    """Where windows are kept: see `pillowtop.stats.store.Store`."""

    def windows(self, kinds: Sequence[type[Plugin]], ends: Sequence[int]) -> list[Window]: ...

    def save_windows(self, windows: Sequence[Window]) -> None: ...


class Windows:
    """Those of one pillow, as far as they are needed."""

    def __init__(self, store: WindowStore) -> None:
        self._store = store
        self._known: dict[tuple[str, int], Window] = {}
        self._changed: dict[tuple[str, int], Window] = {}

    def look_up(self, kinds: Sequence[type[Plugin]], ends: Iterable[int]) -> None:
        """Know windows that statistics are about to open."""
        idents = {kind.ident(): kind for kind in kinds}
        missing = [end for end in ends if any((ident, end) not in self._known for ident in idents)]
        if not missing:
            return
        for one in self._store.windows(kinds, missing):
            self._known.setdefault((one.kind.ident(), one.end), one)
        for ident, kind in idents.items():
            for end in missing:
                if (ident, end) not in self._known:
                    self._known[ident, end] = Window(kind, end)

    def open(self, kind: type[Plugin], ends: Iterable[int]) -> dict[int, Window]:
        """Windows that are about to change."""
        ident, ends = kind.ident(), list(ends)
        self.look_up([kind], ends)
        found = {}
        for end in ends:
            window = self._known[ident, end]
            window.is_stored = False
            found[end] = self._changed[ident, end] = window
        return found

    def reopen(self, kind: type[Plugin], end: int) -> Window:
        """A window as it was saved."""
        self._known.pop((kind.ident(), end), None)
        return self.open(kind, [end])[end]

    def save(self) -> None:
        """Save what has changed."""
        if self._changed:
            self._store.save_windows(list(self._changed.values()))
            self._changed = {}
        while len(self._known) > CACHED:
            del self._known[next(iter(self._known))]

    def drop(self, statistic: str) -> None:
        """Know nothing any more of the windows of a statistic."""
        for key in [key for key in self._known if key[0] == statistic]:
            del self._known[key]

    def forget(self, cut: int) -> None:
        """Those that no message can come for any more."""
        for key in [key for key, one in self._known.items() if one.end <= cut and one.is_stored]:
            del self._known[key]
