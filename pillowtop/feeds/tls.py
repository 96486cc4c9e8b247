"""TLS for connections to CouchDB."""

from __future__ import annotations

import ssl

from pillowtop import tls
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import PillowtopError

SETTING = "COUCHDB_CA_CERTS"


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    return tls.tls_context(endpoint, SETTING)


def tls_error(endpoint: Endpoint, error: ssl.SSLError) -> PillowtopError:
    return tls.tls_error(endpoint, SETTING, error)
