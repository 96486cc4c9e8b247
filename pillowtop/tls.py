"""TLS for connections to servers: certificates are always verified.

`setting` is the name of the setting that `ca_certs` came from.
"""

from __future__ import annotations

import ssl

from pillowtop.endpoints import Address, Endpoint
from pillowtop.exceptions import ConfigurationError, PillowtopError, ServerBusy


def tls_context(endpoint: Endpoint | Address, setting: str) -> ssl.SSLContext:
    """Trusts `endpoint.ca_certs`, or else what the system trusts."""
    try:
        return ssl.create_default_context(cafile=endpoint.ca_certs)
    except (OSError, ValueError) as error:  # the latter for what can be no path
        raise ConfigurationError(
            f"{setting}: certificates cannot be read from {endpoint.ca_certs!r}: {error}"
        ) from error


def tls_error(endpoint: Endpoint | Address, setting: str, error: ssl.SSLError) -> PillowtopError:
    """What a failed handshake means."""
    place = f"{endpoint.host}:{endpoint.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConfigurationError(
            f"{place} shows a certificate that is not trusted ({error.verify_message}): set "
            f"{setting} to the file of the authority that issued it"
        )
    return ServerBusy(f"{place} does not speak TLS: is it https? ({error.reason or error})")


def handshake_error(error: BaseException) -> ssl.SSLError | None:
    """The error of TLS that a client's error came from; None where there is none.

    A connection that just ended is none: that is how a server dies.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return None if isinstance(cause, ssl.SSLEOFError) else cause
        cause = cause.__cause__ or cause.__context__
    return None
