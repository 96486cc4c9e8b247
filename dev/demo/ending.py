"""How commands end that start servers of their own: interrupted, or with a line that says why."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from airports.couch import CouchError
from dev.demo.indices import SearchError
from dev.demo.interruption import heed_signals
from dev.demo.running import CommandFailed
from dev.servers import MissingTool, ServerError
from pillowtop.exceptions import ConfigurationError

FAILED = 1
MISCONFIGURED = 3
INTERRUPTED = 130


def concluded(console: Console, run: Callable[[], int]) -> int:
    """The exit code of what runs until it is done, or until a signal comes."""
    heed_signals()
    try:
        return run()
    except KeyboardInterrupt:
        console.print("interrupted: everything that was started is stopped")
        return INTERRUPTED
    except (MissingTool, ConfigurationError) as error:
        console.print(escape(str(error)))
        return MISCONFIGURED
    except (ServerError, CouchError, SearchError, CommandFailed) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return FAILED
