"""The documents of the benchmark: orders of about 1 KB, always the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

WORDS = [
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbour", "island", "jasper",
    "kernel", "lagoon", "meadow", "northern", "opal", "prairie", "quartz", "ridge", "summit",
    "tundra", "umber", "valley", "willow", "yonder", "zephyr",
]  # fmt: skip
TOWNS = ("Lisbon", "Zürich", "Kraków", "Aarhus", "Málaga", "Göteborg", "Leeds", "Ōsaka")
STATES = ("received", "paid", "packed", "shipped", "returned")
LINES = 8
NOTE_WORDS = 24


def orders(count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` orders with lines, an address and a note; a few letters are not ASCII."""
    chance = random.Random(count)  # noqa: S311  (not a secret)
    for number in range(count):
        yield _order(number, chance)


def _order(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "_id": f"order-{number:08d}",
        "type": "order",
        "state": chance.choice(STATES),
        "placed": f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}:15:00Z",
        "customer": {
            "number": chance.randrange(100_000),
            "name": f"{chance.choice(WORDS)} {chance.choice(WORDS)}".title(),
            "town": chance.choice(TOWNS),
            "street": f"{chance.choice(WORDS).title()} Street {chance.randrange(200)}",
        },
        "lines": [_line(chance) for _ in range(LINES)],
        "note": " ".join(chance.choices(WORDS, k=NOTE_WORDS)),
    }


def _line(chance: random.Random) -> dict[str, Any]:
    return {
        "article": f"{chance.choice(WORDS)}-{chance.randrange(10_000):04d}",
        "title": f"{chance.choice(WORDS)} {chance.choice(WORDS)}",
        "quantity": chance.randrange(1, 9),
        "price": chance.randrange(100, 20_000) / 100,
    }
