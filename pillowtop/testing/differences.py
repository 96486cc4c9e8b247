"""What differs between two states, in words; and what hooks could have left behind. No I/O."""

from __future__ import annotations

import copy
import sys
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence, MutableSet
from typing import Any

CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)
NOT_THEIRS = ("builtins", "pillowtop.listener")
SHOWN = 5
SHOWN_CHARACTERS = 300


def differences(before: Any, after: Any) -> str:
    """What became of what, a line each."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return f"    {shown(before)}\n    became {shown(after)}"
    keys = [*before, *(key for key in after if key not in before)]
    lines = [
        f"    {key!r}: {_held(before, key)} became {_held(after, key)}"
        for key in keys
        if key not in before or key not in after or before[key] != after[key]
    ]
    more = [f"    and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join(lines[:SHOWN] + more)


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def shared_state(kind: type) -> dict[str, Any]:
    """Copies of the containers of a class, its bases, and the modules that they stand in."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:
        if base.__module__ in NOT_THEIRS:
            continue
        found.update(_copies(f"{base.__module__}.{base.__qualname__}", vars(base)))
        found.update(_copies(base.__module__, vars(sys.modules[base.__module__])))
    return found


def _held(state: Mapping[Any, Any], key: Any) -> str:
    return shown(state[key]) if key in state else "nothing"


def _copies(place: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(values.items()):
        if isinstance(value, CONTAINERS) and not name.startswith("__"):
            try:
                yield f"{place}.{name}", copy.deepcopy(value)
            except Exception:  # noqa: BLE001, S112  (what cannot be copied cannot be compared)
                continue
