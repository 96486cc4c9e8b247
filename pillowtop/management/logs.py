"""The log of commands that run pillows."""

from __future__ import annotations

import logging
import time


def set_up_logging(verbosity: int) -> None:
    """Show the log of pillowtop where the project has set up no logging for it."""
    requests = logging.getLogger("elastic_transport")
    if requests.level == logging.NOTSET:
        requests.setLevel(logging.WARNING)  # it would log every look at the index
    logger = logging.getLogger("pillowtop")
    if logger.hasHandlers():
        return
    handler = logging.StreamHandler()
    form = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    form.converter = time.gmtime
    handler.setFormatter(form)
    logger.addHandler(handler)
    logger.setLevel({0: logging.ERROR, 1: logging.INFO}.get(verbosity, logging.DEBUG))
