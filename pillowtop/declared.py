"""What developers declare of pillows and what is sent to servers as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from pillowtop.exceptions import ConfigurationError


def demand_json(attribute: str, declared: object) -> None:
    """Raise `ConfigurationError` where something cannot be sent as JSON."""
    try:
        plain = msgspec.to_builtins(declared)
        # Refuses keys that are no text, infinity, and half surrogate pairs.
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False)
        text.encode()
        _demand_text_as_keys(plain)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigurationError(f"{attribute} must be what JSON can hold: {error}") from error


def _demand_text_as_keys(plain: object) -> None:
    for key, value in plain.items() if isinstance(plain, Mapping) else ():
        if not isinstance(key, str):
            raise TypeError(f"{key!r} is the name of no field")
        _demand_text_as_keys(value)
    for value in plain if isinstance(plain, list) else ():
        _demand_text_as_keys(value)
