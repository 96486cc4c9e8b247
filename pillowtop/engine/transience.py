"""Which errors of hooks will pass by themselves (rule 3)."""

from __future__ import annotations

from pillowtop.exceptions import TransientError

ABOUT_A_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
OF_PYTHON = ("builtins", "socket", "ssl")
OF_THE_STATEMENT = "54"
"""Program limit exceeded: an operational error to the driver, and for ever that of a row.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

READ_ONLY = "25006"
"""A transaction that may not write: what PostgreSQL says while another server takes over."""

STATUSES_THAT_PASS = (408, 425, 429)

TRANSIENT_NAMES = frozenset(
    {
        # Of Django and of the database drivers below it; named, as importing them is not ours.
        "OperationalError",
        "InterfaceError",
        # Of the clients that hooks use.
        "ConnectionError",
        "ConnectionTimeout",
        "MaxRetryError",
        "NewConnectionError",
        "ProtocolError",
        "ReadTimeoutError",
        "Timeout",
    }
)


def is_transient(error: BaseException) -> bool:
    """Whether a hook's error asks for another attempt rather than for a dead letter.

    Connection troubles, the database's operational errors, HTTP clients' connection errors and
    answers that pass, and `TransientError`. `OSError` has many children by now that say
    something about a document (a file that is no gzip, an address that answers 404): of those
    that other modules derive from it only the connection errors count.
    """
    state = _sqlstate(error)
    if isinstance(error, TransientError) or state == READ_ONLY:
        return True
    if not isinstance(error, Exception) or state.startswith(OF_THE_STATEMENT):
        return False
    status = _http_status(error)
    if status is not None:
        return status >= 500 or status in STATUSES_THAT_PASS  # noqa: PLR2004
    if isinstance(getattr(error, "reason", None), OSError):  # urllib's URLError
        return True
    if any(kind.__name__ in TRANSIENT_NAMES for kind in type(error).__mro__):
        return True
    of_python = isinstance(error, OSError) and type(error).__module__ in OF_PYTHON
    return of_python and not isinstance(error, ABOUT_A_FILE)


def demand_about_document(error: BaseException) -> None:
    """Raise an error on that is no document's: the greenlet is being stopped, or the process.

    Everything else that a hook may raise is, `SystemExit` and a cancelled task included. (The
    engine knows greenlets by name only.)
    """
    if isinstance(error, (KeyboardInterrupt, GeneratorExit)) or (
        type(error).__name__ == "GreenletExit"
    ):
        raise error


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error, which Django keeps in the driver's own."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")


def _http_status(error: Exception) -> int | None:
    """The status that an HTTP client's error carries, where there is one."""
    answer = getattr(error, "response", None)
    for value in (getattr(answer, "status_code", None), getattr(error, "code", None)):
        if isinstance(value, int):
            return value
    return None
