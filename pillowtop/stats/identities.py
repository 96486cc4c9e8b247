"""What a message is known by where it comes again: 64 bits."""

from __future__ import annotations

from hashlib import blake2b


def identity_of(*parts: str | bytes) -> int:
    """The bits that stand for some words."""
    words = [part.encode() if isinstance(part, str) else part for part in parts]
    # The lengths tell ("a", "bc") from ("ab", "c").
    lengths = ",".join(str(len(word)) for word in words).encode()
    return int.from_bytes(blake2b(b"".join((lengths, *words)), digest_size=8).digest(), "little")
