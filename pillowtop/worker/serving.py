"""Says over HTTP how the pillows of the process are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, Self

import msgspec
from gevent.pywsgi import WSGIServer

from pillowtop.endpoints import Address
from pillowtop.engine.health import Health, Status, judge, keeps_from_working
from pillowtop.exceptions import ConfigurationError
from pillowtop.worker.metrics import Metrics
from pillowtop.worker.reporting import Reports

logger = logging.getLogger(__name__)

AT_ONCE = 100
STOP_SECONDS = 0.5
JSON = "application/json"


class Reply(NamedTuple):
    status: HTTPStatus
    content_type: str
    body: bytes


class StatusServer:
    """Answers requests while within its block, in greenlets of their own.

    Raises `ConfigurationError` where the address cannot be listened at.
    """

    def __init__(self, address: Address, pillows: Sequence[Reports]) -> None:
        self._address = address
        self._pillows = pillows
        self._metrics = Metrics(self._judged)
        self._pages: dict[str, Callable[[str], Reply]] = {
            "/live": lambda _accept: _json({"live": True}),
            "/ready": lambda _accept: self._ready(),
            "/status": lambda _accept: _json(Status.of(self._judged())),
            "/metrics": lambda accept: Reply(HTTPStatus.OK, *self._metrics.exposed(accept)),
        }
        self._server = WSGIServer(
            (address.host, address.port), self._answer, log=None, error_log=logger, spawn=AT_ONCE
        )

    def __enter__(self) -> Self:
        try:
            self._server.start()
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(
                f"--status-bind {self._address}: cannot listen there: {error} (does another worker "
                "run? Give each an address of its own)"
            ) from error
        logger.info(
            "serves /live, /ready, /status and /metrics at http://%s:%d",
            self._address.shown_host,
            self._server.server_port,
            extra={"action": "serving", "port": self._server.server_port},
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.stop(timeout=STOP_SECONDS)

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        reply = self._reply(environ)
        headers = [
            ("Content-Type", reply.content_type),
            ("Content-Length", str(len(reply.body))),
            ("Cache-Control", "no-store"),
            # Whoever is silent must not keep a place from others.
            ("Connection", "close"),
        ]
        start(f"{reply.status.value} {reply.status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def _reply(self, environ: dict[str, Any]) -> Reply:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _json({"error": "GET and HEAD only"}, HTTPStatus.METHOD_NOT_ALLOWED)
        page = self._pages.get(environ["PATH_INFO"])
        if page is None:
            return _json(
                {"error": "not found", "there are": list(self._pages)}, HTTPStatus.NOT_FOUND
            )
        return page(environ.get("HTTP_ACCEPT", ""))

    def _ready(self) -> Reply:
        reasons = {
            one.pillow: [str(problem) for problem in found]
            for one in self._judged()
            if (found := keeps_from_working(one.problems))
        }
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return _json({"ready": not reasons, "reasons": reasons}, status)

    def _judged(self) -> list[Health]:
        """How the pillows are at this moment."""
        shots = [one.snapshot() for one in self._pillows]
        return [judge(shot.pillow, shot, 0.0) for shot in shots]


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(status, JSON, msgspec.json.encode(value) + b"\n")
