"""What can go wrong, and what the engine does about it.

The class of an error decides what happens next; its message names the cause and what to do.

    PillowtopError
      TransientError        tried again without limit; the feed waits
        ServerUnreachable   refused, reset, no such host: probed until it answers
        ServerBusy          answered with 429 or 5xx: back-off
        AnswerLate          not answered in time: back-off, and less at once
        FeedInterrupted     a feed was cut, fell silent or ended: opened again
        DocumentMissing     a document that the feed named is not there (yet)
      StandBy               nothing to do until the world changes; looked at again by itself
        DatabaseMissing
        IndexElsewhere      the alias points to an index of another hash
        HeldElsewhere       another process has the pillow's lease
          HandedOver        or has asked for it, and is to have it
        Stormy              too many documents fail: one batch a minute is tried
      DocumentRefused       a target will never take this document: a dead letter
      Stalled               nothing moves, and nothing known is waited for: another life
      LifeEnded             before all that it had read was delivered
      StartAgain            the ground has changed: where to start is decided anew
        WrittenByLaterLife  the target holds writes of a higher token than ours
      Halted                the pillow stops until somebody acts; the others go on
        AccessDenied        401, 403
        SequenceRefused     the server does not accept the checkpoint's seq
        DatabaseRecreated   the database is not the one that the checkpoint is about
        DatabaseChanged     the target holds what came from another database
        FilterChanged       the checkpoint was made with another filter
        LeaseLost           another process writes for this pillow
        TargetUnusable      what is wrong with index, alias or pipeline
        DocumentFailed      a document failed, and on_error is "halt"
        ConfigurationError  settings or attributes that cannot work
          PasswordInClear   a password for a server that is not reached by TLS
"""

from __future__ import annotations


class PillowtopError(Exception):
    """The root of all errors of pillowtop."""


class TransientError(PillowtopError):
    """It will work later: hooks may raise it (or a subclass) to have a document tried again."""


class ServerUnreachable(TransientError):
    """No connection to a server, or one that broke before it answered.

    `host` and `port` say where to probe for its return.
    """

    def __init__(self, host: str, port: int, cause: object) -> None:
        super().__init__(f"{host}:{port} cannot be reached: {cause}")
        self.host = host
        self.port = port


class ServerBusy(TransientError):
    """A server answered, but with 429 or 5xx, or with something that is not its protocol."""


class AnswerLate(TransientError):
    """A server did not answer in time; what it was sent may be applied all the same, or later."""


class FeedInterrupted(TransientError):
    """A feed ended, was cut or fell silent. Its last seq is still good."""


class DocumentMissing(TransientError):
    """A document that the feed named cannot be read: purged, or a replica is behind."""


class DocumentRefused(PillowtopError):
    """A target will never take this document."""


class StandBy(PillowtopError):
    """The pillow has to wait for something that is looked at again from time to time.

    `seconds` says how often; None leaves it to the settings.
    """

    seconds: float | None = None


class DatabaseMissing(StandBy):
    """The CouchDB database does not exist (any more). What was indexed is kept."""


class IndexElsewhere(StandBy):
    """The alias points to an index that another version of the pillow made."""


class Stormy(StandBy):
    """So many documents fail that it cannot be the documents."""

    def __init__(self, words: str, seconds: float) -> None:
        super().__init__(words)
        self.seconds = seconds


class Stalled(PillowtopError):
    """Nothing of a pillow has moved for too long, and nobody knows what it waits for."""


class LifeEnded(PillowtopError):
    """A life of a pillow has ended before all that it had read was delivered."""


class HeldElsewhere(StandBy):
    """Another process has the lease of the pillow."""

    def __init__(self, words: str, seconds: float) -> None:
        super().__init__(words)
        self.seconds = seconds


class HandedOver(HeldElsewhere):
    """Another process has asked for the lease of the pillow, and is to have it."""


class StartAgain(PillowtopError):
    """What the position is about has changed while it was read: decide anew where to start."""


class WrittenByLaterLife(StartAgain):
    """The target refused a write as older than what a later life of the pillow has written."""

    def __init__(self, token: int) -> None:
        super().__init__(f"the target holds writes of token {token}, which is above ours")
        self.token = token


class Halted(PillowtopError):
    """The pillow stops until somebody acts; the message says how."""


class AccessDenied(Halted):
    """A server refused the credentials (401) or the rights (403)."""


class SequenceRefused(Halted):
    """CouchDB does not accept the seq of the checkpoint."""


class DatabaseRecreated(Halted):
    """The database was deleted and made again since the checkpoint was saved."""


class DatabaseChanged(Halted):
    """The pillow has followed another database since, into the same target."""


class FilterChanged(Halted):
    """The checkpoint was made with another filter, or other parameters of it."""


class LeaseLost(Halted):
    """Another process has started to write for this pillow."""


class TargetUnusable(Halted):
    """Something is wrong with the index, alias or pipeline, not with a document.

    `status` and `cause_type` are those of the answer that says so, where one does.
    """

    def __init__(self, words: str, *, status: int = 0, cause_type: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.cause_type = cause_type


class DocumentFailed(Halted):
    """A document of a pillow that is to halt then."""


class ConfigurationError(Halted):
    """A setting or an attribute of a pillow cannot work."""


class PasswordInClear(ConfigurationError):
    """A password or an API key would go over a network as it is."""
