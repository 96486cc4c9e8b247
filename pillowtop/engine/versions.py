"""External versions: the order of all writes of a pillow, over all its lives (rule 2)."""

from __future__ import annotations

from pillowtop.exceptions import StartAgain

NUMBERS_PER_TOKEN = 2**31


def token_of(version: int) -> int:
    """The token of the life that drew a version."""
    return version // NUMBERS_PER_TOKEN


class VersionsExhausted(StartAgain):
    """A life has drawn 2^31 numbers; the next life draws under a higher token."""


class Versions:
    """Draws versions: token x 2^31 + a number that only goes up.

    The token is raised in the Django database at each start, so that whatever a former life
    has left under way arrives with a lower version. Elasticsearch takes versions below 2^63.
    """

    def __init__(self, token: int) -> None:
        self.token = token
        self._next = 1

    def draw(self, count: int = 1) -> int:
        """Draw `count` consecutive versions, and return the first."""
        if self._next + count > NUMBERS_PER_TOKEN:
            raise VersionsExhausted(f"token {self.token} has no versions left; starting again")
        first = self.token * NUMBERS_PER_TOKEN + self._next
        self._next += count
        return first
