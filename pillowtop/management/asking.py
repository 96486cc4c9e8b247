"""How commands talk to who types them: questions, and what they cannot do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from pillowtop.exceptions import ConfigurationError
from pillowtop.exits import Exit

INTERRUPTED = 128 + signal.SIGINT
"""What shells take for the end by a signal."""


def demand_confirmation(what: str, *, noinput: bool) -> None:
    """Raise `CommandError` unless somebody types yes, or has said that nobody is to be asked."""
    if not noinput and not _confirmed(what):
        raise CommandError(
            "nothing was changed: answer yes, or give --noinput", returncode=Exit.USAGE
        )


def _confirmed(what: str) -> bool:
    try:
        answer = input(f"{what}. Type yes to go on: ")
    except EOFError:  # nobody is there to ask
        return False
    return answer.strip().lower() == "yes"


@contextmanager
def command_errors() -> Iterator[None]:
    """Say in one line what configuration or the Django database do not allow, and Ctrl-C."""
    try:
        yield
    except ConfigurationError as error:
        raise CommandError(str(error), returncode=Exit.CONFIGURATION) from error
    except DatabaseError as error:
        raise CommandError(f"the Django database does not answer: {error}") from error
    except KeyboardInterrupt as error:
        raise CommandError(
            "interrupted: what was asked for until then will be done all the same",
            returncode=INTERRUPTED,
        ) from error
