"""The `PILLOWTOP` setting: one dict, with a default for everything tuned."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from django.conf import settings

from pillowtop.endpoints import Endpoint
from pillowtop.engine.batches import Limits
from pillowtop.engine.resuming import Believed
from pillowtop.exceptions import ConfigurationError, PasswordInClear


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Configuration:
    """All keys of `PILLOWTOP`, their defaults and what they mean."""

    COUCHDB_URL: str = _setting("", "where CouchDB is: `http://host:5984`")
    COUCHDB_USERNAME: str = _setting("", "the user to sign in as")
    COUCHDB_PASSWORD: str = field(
        default="", repr=False, metadata={"help": "the password of that user"}
    )
    COUCHDB_AUTHENTICATION: str = _setting("basic", "`basic`, or `cookie` for a session")
    COUCHDB_CA_CERTS: str | None = _setting(None, "a file of certificates to trust")
    ELASTICSEARCH_URL: str = _setting("", "where Elasticsearch is: `http://host:9200`")
    ELASTICSEARCH_USERNAME: str = _setting("", "the user to sign in as")
    ELASTICSEARCH_PASSWORD: str = field(
        default="", repr=False, metadata={"help": "the password of that user"}
    )
    ELASTICSEARCH_API_KEY: str = field(
        default="", repr=False, metadata={"help": "an encoded API key, in place of a user"}
    )
    ELASTICSEARCH_CA_CERTS: str | None = _setting(None, "a file of certificates to trust")
    ALLOW_CLEAR_PASSWORDS: bool = _setting(
        False, "whether a password may go to another host without TLS"
    )
    DATABASE: str = _setting("default", "the alias of the Django database for bookkeeping")
    CHECKPOINTS: str = _setting(
        "couch", "whose checkpoint counts: `couch` for the database's own, or `django`"
    )
    SOURCE_FIELD: str = _setting("pillowtop", "the field that says where a document is from")
    BATCH_DOCUMENTS: int = _setting(1000, "documents in a batch at most")
    BATCH_BYTES: int = _setting(5 * 1024 * 1024, "bytes in a batch at most")
    BATCH_LINGER_SECONDS: float = _setting(0.5, "for how long a batch may wait to fill")
    CHECKPOINT_SECONDS: float = _setting(
        1.0,
        "how often the checkpoint is saved; while nothing is delivered, a third as often, and "
        "of more than 15 pillows more seldom still",
    )
    REQUEST_SECONDS: float = _setting(60.0, "for how long a bulk may take to be answered")
    SILENCE_SECONDS: float = _setting(30.0, "after how much silence a feed is opened again")
    PROBE_SECONDS: float = _setting(0.5, "how often a server that is down is looked for")
    BACKOFF_SECONDS: float = _setting(30.0, "the longest wait before an attempt is repeated")
    RETRY_MINUTES: tuple[float, ...] = _setting(
        (5, 20, 45), "when a dead letter is tried again, after each failure; then once a day"
    )
    STORM_DOCUMENTS: int = _setting(1000, "of how many of the latest documents a storm is judged")
    STORM_SHARE: float = _setting(0.5, "which share of them has to fail for a storm, up to 1")
    STORM_SECONDS: float = _setting(60.0, "how often a batch is tried in a storm")
    LEASE_SECONDS: float = _setting(
        8.0, "how long a process may be silent before another one takes its pillows over"
    )
    STANDBY_SECONDS: float = _setting(5.0, "how often a pillow that stands by looks again")
    STALL_SECONDS: float = _setting(45.0, "after how long a pillow that stands still starts anew")
    DRAIN_SECONDS: float = _setting(8.0, "for how long a stop waits for what is under way")

    @property
    def couchdb(self) -> Endpoint:
        if not self.COUCHDB_URL:
            raise ConfigurationError("set PILLOWTOP['COUCHDB_URL'] to where CouchDB is")
        return self.couchdb_at(self.COUCHDB_URL)

    def couchdb_at(self, url: str) -> Endpoint:
        """A CouchDB server's endpoint with the credentials of the settings."""
        if self.COUCHDB_AUTHENTICATION not in ("basic", "cookie"):
            raise ConfigurationError(
                "PILLOWTOP['COUCHDB_AUTHENTICATION'] is 'basic' or 'cookie', "
                f"not {self.COUCHDB_AUTHENTICATION!r}"
            )
        return self._private(
            "COUCHDB",
            url,
            username=self.COUCHDB_USERNAME,
            password=self.COUCHDB_PASSWORD,
            authentication="cookie" if self.COUCHDB_AUTHENTICATION == "cookie" else "basic",
            ca_certs=self.COUCHDB_CA_CERTS,
        )

    @property
    def elasticsearch(self) -> Endpoint:
        if not self.ELASTICSEARCH_URL:
            raise ConfigurationError("set PILLOWTOP['ELASTICSEARCH_URL'] to where Elasticsearch is")
        return self._private(
            "ELASTICSEARCH",
            self.ELASTICSEARCH_URL,
            username=self.ELASTICSEARCH_USERNAME,
            password=self.ELASTICSEARCH_PASSWORD,
            api_key=self.ELASTICSEARCH_API_KEY,
            ca_certs=self.ELASTICSEARCH_CA_CERTS,
        )

    def _private(self, setting: str, url: str, **options: Any) -> Endpoint:
        """The endpoint of a server. Raises `PasswordInClear` where others could listen."""
        endpoint = Endpoint.parse(url, **options)
        if endpoint.in_clear and not self.ALLOW_CLEAR_PASSWORDS:
            raise PasswordInClear(
                f"the password or API key for {endpoint} would be sent in clear: use https:// (and "
                f"{setting}_CA_CERTS for an authority of your own), or, where something else "
                "encrypts what is sent, set PILLOWTOP['ALLOW_CLEAR_PASSWORDS'] to True"
            )
        return endpoint

    @property
    def servers(self) -> dict[str, str]:
        """What stands at `host:port`, as far as the settings say it."""
        found = {}
        if self.COUCHDB_URL:
            found[f"{self.couchdb.host}:{self.couchdb.port}"] = "CouchDB"
        if self.ELASTICSEARCH_URL:
            found[f"{self.elasticsearch.host}:{self.elasticsearch.port}"] = "Elasticsearch"
        return found

    @property
    def checkpoints(self) -> Believed:
        return "couch" if self.CHECKPOINTS == "couch" else "django"

    @property
    def limits(self) -> Limits:
        return Limits(self.BATCH_DOCUMENTS, self.BATCH_BYTES, self.BATCH_LINGER_SECONDS)


MOST = 2**31 - 1
"""More than any number that makes sense; and what waits for so many seconds still can."""

KEYS = [key.name for key in fields(Configuration)]


def configuration() -> Configuration:
    """The settings as they are now. Raises `ConfigurationError` on an unknown key."""
    given = getattr(settings, "PILLOWTOP", {})
    if not isinstance(given, dict):
        raise ConfigurationError("PILLOWTOP must be a dict of settings")
    for key in given:
        if key not in KEYS:
            raise ConfigurationError(f"PILLOWTOP has no key {key!r}{suggestion(key, KEYS)}")
    tuned = Configuration(**given)
    for key in given:
        _demand_type(key, getattr(tuned, key), getattr(Configuration, key))
    if tuned.STORM_SHARE > 1:
        raise ConfigurationError(
            f"PILLOWTOP['STORM_SHARE'] is a share, up to 1, not {tuned.STORM_SHARE!r}"
        )
    if tuned.CHECKPOINTS not in ("couch", "django"):
        raise ConfigurationError(
            f"PILLOWTOP['CHECKPOINTS'] is 'couch' or 'django', not {tuned.CHECKPOINTS!r}"
        )
    return tuned


def _demand_type(key: str, value: Any, default: Any) -> None:
    """Numbers must be positive numbers, switches True or False, everything else text."""
    if isinstance(default, bool):
        fits = isinstance(value, bool)
        what = "True or False"
    elif isinstance(default, tuple):
        fits = isinstance(value, (list, tuple)) and all(map(_is_positive, value))
        what = "a list of positive numbers"
    elif isinstance(default, (int, float)):
        wanted: Any = int if isinstance(default, int) else (int, float)
        fits = isinstance(value, wanted) and _is_positive(value)
        what = "a positive whole number" if wanted is int else "a positive number"
    else:
        fits = isinstance(value, str) or (value is None and default is None)
        what = "text"
    if not fits:
        raise ConfigurationError(f"PILLOWTOP[{key!r}] must be {what}, not {_shown(key, value)}")


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= MOST


def _shown(key: str, value: Any) -> str:
    secret = any(word in key for word in ("PASSWORD", "API_KEY", "URL"))
    return type(value).__name__ if secret else repr(value)


def suggestion(word: str, words: list[str]) -> str:
    """` (did you mean 'X'?)` where a word is close to one of those known; empty otherwise."""
    folded = {each.casefold(): each for each in words}
    close = get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.5)
    return f" (did you mean {folded[close[0]]!r}?)" if close else ""
