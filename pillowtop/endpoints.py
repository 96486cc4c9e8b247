"""Where a server is and how to get in, without ever showing a secret."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pillowtop.exceptions import ConfigurationError

DEFAULT_PORTS = {"http": 80, "https": 443}
ADDRESS = re.compile(r"(?:\[(?P<ipv6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:/@\[\]]+)):(?P<port>\d{1,5})")
MAX_PORT = 65535
UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
OF_A_URL = re.compile(r"[!-~]*")


@dataclass(frozen=True)
class Endpoint:
    """A server's address, credentials and TLS settings. Its repr and str hold no secret.

    `ca_certs` is the path of a file of certificates to trust in place of the system's.
    """

    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    authentication: Literal["basic", "cookie"] = "basic"
    ca_certs: str | None = None

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        username: str = "",
        password: str = "",
        api_key: str = "",
        authentication: Literal["basic", "cookie"] = "basic",
        ca_certs: str | None = None,
    ) -> Endpoint:
        """Take credentials out of the URL; those given separately go before them.

        Raises `ConfigurationError` where the URL has no http(s) scheme, no host, a bad port or
        what no URL has, or where credentials are not what they must be. Its message shows none of
        them.
        """
        parts = _split(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ConfigurationError(
                "a server's URL must look like http://host:port (or https://…), "
                f"not {_without_credentials(url)!r}"
            )
        port = _port(parts)
        username = username or unquote(parts.username or "")
        password = password or unquote(parts.password or "")
        api_key = api_key.strip()
        _refuse_unsendable(username=username, password=password, API_key=api_key)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        netloc = host if port is None else f"{host}:{port}"
        plain = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
        _refuse_odd_characters(plain, api_key)
        return cls(
            url=plain,
            username=username,
            password=password,
            api_key=api_key,
            authentication=authentication,
            ca_certs=ca_certs,
        )

    def __str__(self) -> str:
        return self.url

    @property
    def tls(self) -> bool:
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def path(self) -> str:
        """The path below the host, without a trailing slash: empty, or `/like/this`."""
        return urlsplit(self.url).path

    @property
    def in_clear(self) -> bool:
        """Whether a password or an API key would go over a network as it is."""
        return bool(self.password or self.api_key) and not (self.tls or _is_loopback(self.host))

    def authorization(self) -> dict[str, str]:
        """The header for basic or API key authentication; empty without credentials."""
        if self.api_key:
            return {"authorization": f"ApiKey {self.api_key}"}
        if self.username and self.authentication == "basic":
            pair = f"{self.username}:{self.password}".encode()
            return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}


@dataclass(frozen=True)
class Address:
    """Where something listens that has no URL. `ca_certs` is as that of an `Endpoint`."""

    host: str
    port: int
    tls: bool = False
    ca_certs: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """`host:port`, or `[host]:port` for IPv6. Raises `ValueError`, whose words say how."""
        found = ADDRESS.fullmatch(text)
        if not found or int(found["port"]) > MAX_PORT:
            raise ValueError(
                f"{text!r} is no HOST:PORT: give both, as in 127.0.0.1:9100 or [::1]:9100"
            )
        return cls(found["ipv6"] or found["host"], int(found["port"]))

    def __str__(self) -> str:
        return f"{self.shown_host}:{self.port}"

    @property
    def shown_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


# What `urlsplit` says of a URL quotes it, and so perhaps a password.
def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(
            "a server's URL cannot be read: it must look like http://host:port (or https://…)"
        ) from None
    if parts.scheme in DEFAULT_PORTS and "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise ConfigurationError(
            f"a server's URL, {parts.scheme}://…, has an @ behind its host, as if a password had "
            "a /, ? or # in it: escape the password (percent-encoding), or use …_USERNAME and "
            "…_PASSWORD"
        )
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ConfigurationError(
            f"a server's URL, {parts.scheme}://…, has a port that is none (0 to 65535); where that "
            "is a part of a password: use …_USERNAME and …_PASSWORD"
        ) from None


def _refuse_odd_characters(plain_url: str, api_key: str) -> None:
    """Those which no line of a request may have."""
    if not OF_A_URL.fullmatch(plain_url):
        raise ConfigurationError(
            f"a server's URL holds a space or what is not ASCII, {plain_url!r}: write a path in "
            "percent-encoding, and the name of a host as xn--…"
        )
    if not api_key.isascii():
        raise ConfigurationError("the API key for a server holds what is not ASCII")


def _refuse_unsendable(**credentials: str) -> None:
    for name, value in credentials.items():
        if UNSENDABLE.search(value):
            raise ConfigurationError(
                f"the {name.replace('_', ' ')} for a server has a control character in it, such as "
                "a newline"
            )


def _without_credentials(url: str) -> str:
    return url.rpartition("@")[2]
