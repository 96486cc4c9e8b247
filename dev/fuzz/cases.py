"""How the bytes that a fuzzer makes stand for a body and the way it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dev.fuzz import examples, rules


class Case(NamedTuple):
    """The first byte: whether rows come in an envelope, and the size of the blocks."""

    enveloped: bool
    size: int
    body: bytes

    @classmethod
    def read(cls, data: bytes) -> Case:
        head = data[0] if data else 0
        return cls(bool(head & 1), (head >> 1) + 1, data[1:])

    def written(self) -> bytes:
        return bytes([(self.size - 1) << 1 | self.enveloped]) + self.body

    def check(self) -> None:
        """Raises `rules.Broken`, or what the parser raises."""
        rules.check(rules.pieces(self.body, self.size), enveloped=self.enveloped)


def seeds() -> Iterator[bytes]:
    """What a fuzzer starts from."""
    for size in (1, 20, 128):
        yield from (Case(True, size, body).written() for body in examples.pages())
        yield from (Case(False, size, body).written() for body in examples.streams())


def dictionary() -> str:
    """The tokens of feeds in the form that libFuzzer reads."""
    escaped = ("".join(f"\\x{byte:02x}" for byte in token) for token in examples.TOKENS)
    return "".join(f'"{token}"\n' for token in escaped)
