"""The way of a change through the hooks of a pillow, up to what is delivered.

No I/O of its own: what a hook does is the hook's business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from pillowtop.changes import Change, Document
from pillowtop.engine.items import Item, Transport
from pillowtop.engine.transience import demand_about_document
from pillowtop.engine.wrapping import describe
from pillowtop.exceptions import ConfigurationError
from pillowtop.feeds.reading import Read


class Hooks(Protocol):
    """What the way asks of a pillow."""

    include_design_docs: bool
    selection_is_stable: bool
    document_class: Any

    def filter(self, change: Change) -> bool: ...
    def change_trigger(self, change: Change) -> Any: ...
    def change_transform(self, document: Any) -> Any: ...


class HookError(Exception):
    """A hook raised: `stage` says which, `cause` what, and its own text why."""

    def __init__(
        self, change: Change, stage: str, cause: BaseException, words: str | None = None
    ) -> None:
        super().__init__(str(cause) if words is None else words)
        self.change = change
        self.stage = stage
        self.cause = cause


class Way:
    """What a pillow makes of changes. Hooks that its class does not override cost nothing.

    `base` is the class whose hooks do nothing (of which the pillow's class may be a subclass).
    Raises `ConfigurationError` where `document_class` is no class that wraps documents.
    """

    def __init__(self, pillow: Hooks, base: type[Hooks]) -> None:
        self._pillow = pillow
        self.calls = 0
        """How many hooks have been called."""

        kind = type(pillow)
        self._filter = pillow.filter if kind.filter is not base.filter else None
        self._python_filter: Callable[[Any], bool] | None = getattr(pillow, "python_filter", None)
        self._wrap = _wrap_of(pillow.document_class)
        self.triggers = kind.change_trigger is not base.change_trigger
        self.transforms = kind.change_transform is not base.change_transform

    def wanted(self, changes: list[Change]) -> list[Change]:
        """The changes that concern the pillow at all: those of design documents mostly do not."""
        if self._pillow.include_design_docs:
            return changes
        return [change for change in changes if not change.is_of_design]

    def wanted_of(self, read: Read) -> list[Change]:
        """The same of a read, at which others may look too."""
        return read.changes if self._pillow.include_design_docs else read.documents

    def refuses(self, change: Change) -> bool:
        """Whether `filter` refuses a live document. Deletions are never asked about (rule 4)."""
        if self._filter is None or change.deleted:
            return False
        return not self._call("filter", change, self._filter, change)

    @property
    def takes_all(self) -> bool:
        """Whether no hook may refuse a live document."""
        return self._filter is None and self._python_filter is None

    @property
    def wants_each_document(self) -> bool:
        """Whether all that the feed does not carry is loaded for it: nothing is refused before, and
        no hook of its own does it."""
        return self._filter is None and not self.triggers

    @cached_property
    def runs_hooks(self) -> bool:
        """Whether any code of the user's runs."""
        return self.touches_documents or not self.takes_all

    @property
    def may_stand_in_target(self) -> bool:
        """Whether a document refused now may have been accepted before (rule 4).

        No revision tells: the first one of a document may follow a conflict, a changed filter or
        another database. Only the class can promise that its selection is stable.
        """
        return not self._pillow.selection_is_stable

    @cached_property
    def leaves_out(self) -> bool:
        """Whether what filters refuse is left out, and they see documents as they are in the feed.

        Then nothing is to be done for what is refused, and `accepted` tells what is not.
        """
        as_they_are = not self.triggers and self._wrap is None
        return as_they_are and not (self.takes_all or self.may_stand_in_target)

    def accepted(self, changes: list[Change]) -> list[Change]:
        """The changes that no filter refuses: those `item` is to be told that they are accepted.

        Many pillows may have nothing to do with most changes of a database: this is all that one
        of those costs. Where a filter raises it does so here, and which change it was about is
        found by asking of one at a time.
        """
        self.calls += len(changes)
        passes, python_passes = self._filter, self._python_filter
        if passes is not None:
            changes = [one for one in changes if one.deleted or passes(one)]
        if python_passes is not None:
            changes = [
                one
                for one in changes
                # What is not in the feed is loaded, and judged then. `decoded` is asked first, as
                # a property takes as long as a filter.
                if one.deleted
                or (document := one.decoded or one.document) is None
                or python_passes(document)
            ]
        return changes

    def document(self, change: Change, *, accepted: bool = False) -> Document | None:
        """Extract and transform a live document; None where a hook answers None or refuses."""
        document: Any = self._extracted(change)
        if document is None:
            return None
        if self._wrap:
            document = self._wrapped(change, document)
            if document is None:  # the class's way to say that it is none of its own
                return None
        if not (accepted or self.python_accepts(change, document)):
            return None
        if self.transforms:
            document = self._call("transform", change, self._pillow.change_transform, document)
        return self._unwrapped(change, document)

    def python_accepts(self, change: Change, document: Any = None) -> bool:
        """What `python_filter` says of a document, of the one in the feed by default."""
        if self._python_filter is None:
            return True
        judged = change.document if document is None else document
        return bool(self._call("filter", change, self._python_filter, judged))

    @property
    def touches_documents(self) -> bool:
        """Whether a hook may change documents; otherwise the bytes of the feed are delivered."""
        return self.triggers or self.transforms or self._wrap is not None

    def _extracted(self, change: Change) -> Any:
        if not self.triggers and change.has_document:
            return change.document
        return self._call("trigger", change, self._pillow.change_trigger, change)

    def _wrapped(self, change: Change, document: Any) -> Any:
        assert self._wrap is not None
        try:
            return self._call("transform", change, self._wrap, document)
        except HookError as error:
            words = describe(self._pillow.document_class, document, error.cause)
            raise HookError(change, error.stage, error.cause, words) from error.cause

    def _unwrapped(self, change: Change, document: Any) -> Document | None:
        if not hasattr(document, "to_json"):
            plain: Document | None = document
            return plain
        try:
            unwrapped: Document = self._call("transform", change, _to_json, document)
        except HookError as error:
            words = describe(type(document), getattr(document, "_obj", None), error.cause)
            raise HookError(change, error.stage, error.cause, words) from error.cause
        return unwrapped

    def _call(self, stage: str, change: Change, hook: Callable[[Any], Any], argument: Any) -> Any:
        self.calls += 1
        try:
            return hook(argument)
        except BaseException as error:
            demand_about_document(error)
            raise HookError(change, stage, error) from error


def _wrap_of(document_class: Any) -> Callable[[Document], Any] | None:
    wrap: Callable[[Document], Any] | None = getattr(document_class, "wrap", None)
    if document_class is not None and not callable(wrap):
        raise ConfigurationError(
            "document_class must be a class with a method wrap (of jsonobject or couchdbkit), not "
            f"{document_class!r}"
        )
    return wrap


class Packer:
    """Makes the items of a pillow's changes, each with its version.

    With `shared` others see the same changes: their documents may be looked at, not changed.
    """

    def __init__(self, way: Way, transport: Transport, *, shared: bool = False) -> None:
        self._way = way
        self._transport = transport
        self._shared = shared
        self._bytes = not (way.touches_documents or transport.decodes)
        self._plain = self._bytes and way.takes_all

    def item(self, change: Change, version: int, accepted: bool = False) -> Item | None:
        """The write that a change asks for; None where it asks for none.

        `accepted` says that filters have been asked. Raises `HookError` where a hook or the
        packing of its result fails.
        """
        try:
            if self._plain and not change.deleted and change.has_document:
                return self._transport.pack_bytes(change, version)
            return self._item(change, version, accepted and change.has_document)
        except HookError:
            raise
        except BaseException as error:
            demand_about_document(error)
            raise HookError(change, "pack", error) from error

    def _item(self, change: Change, version: int, accepted: bool) -> Item | None:
        if change.deleted:
            return self._transport.pack_deletion(change, version)
        if not accepted and self._way.refuses(change):
            return self._removal(change, version)
        if self._bytes and change.has_document:
            if not (accepted or self._way.python_accepts(change)):
                return self._removal(change, version)
            return self._transport.pack_bytes(change, version)
        own = change.copy() if self._shared else change
        document = self._way.document(own, accepted=accepted)
        if document is None:
            return self._removal(change, version)
        item = self._transport.pack(own, document, version)
        # Freed while it is still in the processor's cache, and before the collector counts it.
        own.forget_decoded()
        return item

    def _removal(self, change: Change, version: int) -> Item | None:
        if not self._way.may_stand_in_target:
            return None
        return self._transport.pack_deletion(change, version)


def _to_json(document: Any) -> Any:
    return document.to_json()
