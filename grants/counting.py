"""The SHA-256 counter generator: the same numbers on any machine and with any version, repeatable with a pocket hash. Pure.

word(i) = the first 8 bytes, big-endian, of SHA-256(seed ‖ i as 8 bytes big-endian), i = 0, 1, 2 … — library generators change between
versions. A number below n is word mod n; a word at or above the largest multiple of n under 2⁶⁴ is thrown away (rejection), so that no
number is more likely than another. Test vectors stand in tests/pure/test_draw.py.
"""

from __future__ import annotations

import hashlib
from typing import Final

_WORDS: Final = 1 << 64


class Counting:
    """The generator of the module's docstring. One per draw; never shared between two purposes."""

    def __init__(self, seed: bytes) -> None:
        if not seed:
            raise ValueError("a draw needs a seed")
        self._seed = seed
        self._next = 0

    def word(self) -> int:
        """The next 64-bit word."""
        digest = hashlib.sha256(self._seed + self._next.to_bytes(8, "big")).digest()
        self._next += 1
        return int.from_bytes(digest[:8], "big")

    def below(self, limit: int) -> int:
        """A number 0 … limit − 1, all equally likely. Raises ValueError when limit < 1."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        ceiling = _WORDS - _WORDS % limit
        while (word := self.word()) >= ceiling:
            pass
        return word % limit
