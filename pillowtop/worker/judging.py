"""Whether what has failed may become dead letters."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pillowtop.engine.letters import ON_ERROR, Letter, OnError
from pillowtop.engine.storms import Storm
from pillowtop.exceptions import ConfigurationError, DocumentFailed, Stormy

logger = logging.getLogger(__name__)


class Judge:
    """Asked before the letters of a batch are written, and told when they are."""

    def __init__(self, pillow: str, on_error: OnError, storm: Storm, pause_seconds: float) -> None:
        if on_error not in ON_ERROR:
            raise ConfigurationError(f"on_error is one of {', '.join(ON_ERROR)}, not {on_error!r}")
        self._pillow = pillow
        self._on_error = on_error
        self._storm = storm
        self._pause_seconds = pause_seconds

    def admitted(self, delivered: int, failed: Sequence[Letter]) -> list[Letter]:
        """Those of the letters that are to be written.

        Raises `DocumentFailed` where the pillow wants to halt, and `Stormy` where too much fails:
        then none is written, and the position stays before them.
        """
        if not failed:
            return []
        if self._on_error == "ignore":
            self._ignore(failed)
            return []
        if self._on_error == "halt" and not self._storm.is_apart:
            raise DocumentFailed(
                f"{_said(failed[0])}. on_error is 'halt': mend the document or the pillow, then "
                "start run_ptop again"
            )
        if self._storm.would_rage(delivered, len(failed)):
            self._storm.begin()
            raise Stormy(
                f"too many documents fail, the last of them {_said(failed[-1])}. Nothing of the "
                "batch is written down as failed; one is tried every "
                f"{self._pause_seconds:g} s, and when that succeeds the pillow goes on",
                self._pause_seconds,
            )
        return list(failed)

    def note(self, delivered: int, failed: int) -> None:
        self._storm.note(delivered, failed)

    def _ignore(self, failed: Sequence[Letter]) -> None:
        if self._storm.is_apart:
            self._storm.ignored_apart.update(one.doc_id for one in failed)
        logger.warning(
            "%s: ignores %d documents (on_error is 'ignore'), among them %s",
            self._pillow,
            len(failed),
            _said(failed[0]),
            extra={"action": "ignored", "pillow": self._pillow, "doc_id": failed[0].doc_id},
        )


def _said(letter: Letter) -> str:
    return (
        f"document {letter.doc_id!r} at {letter.stage}: {letter.error_type}: "
        f"{letter.reason.rstrip('.')}"
    )
