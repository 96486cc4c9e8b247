"""The messages of the benchmark: what a web server would log, always the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from dev.bench.documents import TOWNS, WORDS

START = datetime(2024, 3, 1, tzinfo=UTC)
APART = timedelta(milliseconds=10)
JITTER = timedelta(seconds=5)
"""How much earlier than its place in the feed a message may have happened."""

LEVELS = ("DEBUG", "INFO", "INFO", "INFO", "WARNING", "ERROR")
USERS = 20_000

FILE = "messages.jsonl"


def messages(count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` messages, a hundred a second, which come somewhat out of order."""
    chance = random.Random(count)  # noqa: S311  (not a secret)
    for number in range(count):
        yield {
            "_id": f"message-{number:08d}",
            "_rev": "1-c30b6b5a33ae2ea7bf5d6e1c8ba3d1ae",
            "timestamp": (START + APART * number - JITTER * chance.random()).isoformat(),
            "level": chance.choice(LEVELS),
            "user": f"{chance.choice(WORDS)}-{chance.randrange(USERS)}",
            "town": chance.choice(TOWNS),
            "duration": round(chance.lognormvariate(3, 1), 2),
        }


def record(count: int, folder: Path) -> None:
    """Save them as a feed, as a `RecordedFeed` reads it."""
    with (folder / FILE).open("wb") as file:
        for number, message in enumerate(messages(count), 1):
            row = {
                "seq": number,
                "id": message["_id"],
                "changes": [{"rev": message["_rev"]}],
                "doc": message,
            }
            file.write(msgspec.json.encode(row) + b"\n")
