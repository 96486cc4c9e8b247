"""The state of a window's plugin as bytes."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pillowtop.stats.plugins import Message, Plugin


def dumped(plugin: Plugin) -> bytes:
    """Raises `TypeError` for what cannot be saved."""
    try:
        return msgspec.msgpack.encode(plugin.dump())
    except (TypeError, OverflowError, ValueError, RecursionError) as error:
        raise TypeError(
            f"its state cannot be saved: {error}. Override dump() and load() to make of it what "
            "JSON knows, or bytes"
        ) from error


def begun(kind: type[Plugin], state: bytes | None = None) -> Plugin:
    """A plugin for one window: for a new one, or with the state that it was saved with."""
    plugin = kind()
    plugin.initialize()
    if state is not None:
        plugin.load(msgspec.msgpack.decode(state, strict=False))
    return plugin


def kept(messages: list[Message]) -> bytes:
    """Messages as bytes. By the standard library: it knows numbers of any length."""
    return json.dumps([(one.time, one.identity, one) for one in messages]).encode()


def messages_of(body: bytes) -> list[Message]:
    return [_message(*one) for one in json.loads(body)]


def _message(time: int, identity: int, document: dict[str, Any]) -> Message:
    message = Message(document)
    message.time, message.identity = time, identity
    return message
