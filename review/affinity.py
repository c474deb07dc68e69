"""契合度: how well an expert suits a bid, 1 … 1000, from what both declared — nothing guessed from texts, nothing learnt. Pure.

affinity = 1000 · (0.70 · field + 0.20 · skill + 0.10 · wish), half up. field: share of the bid's service fields that the expert declared;
unknown (the expert declared none, or the bid has none) counts as one half and says so, so that silence is neither bad nor good.
skill: 1 where the expert holds a seat the bid's score sheet needs, or the general seat; one half otherwise. wish: 0, ½ or 1, ½ when
nobody was asked — a tenth at most, so that no wish outweighs a field. A conflict is no affinity at all: it forbids the pair.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

HALF: Final = Fraction(1, 2)
FIELD, SKILL, WISH = Fraction(70, 100), Fraction(20, 100), Fraction(10, 100)
ENDINGS: Final = ("服务领域", "服务", "领域", "类")


@dataclass(frozen=True)
class Suits:
    """The figure, and whether the expert's field or the bid's is unknown."""

    affinity: int
    unknown: bool


def affinity(fields: Iterable[str], wanted: Iterable[str], *, skilled: bool, wish: Fraction = HALF) -> Suits:
    """fields: what the expert declared. wanted: names of the bid's fields, each a tuple's worth of synonyms joined by “|”.

    Raises ValueError for a wish outside 0 … 1.
    """
    if not 0 <= wish <= 1:
        raise ValueError("a wish is between 0 and 1")
    held, asked = {plain(f) for f in fields} - {""}, [names for text in wanted if (names := _names(text))]
    unknown = not held or not asked
    field = HALF if unknown else Fraction(sum(1 for names in asked if names & held), len(asked))
    worth = 1000 * (FIELD * field + SKILL * (1 if skilled else HALF) + WISH * wish)
    return Suits(max(1, int(worth + HALF)), unknown)


def _names(text: str) -> set[str]:
    return {plain(name) for name in text.split("|")} - {""}


def plain(name: str) -> str:
    """A field's name without width, blanks and general endings: 为老服务 and 为老 are one field."""
    text = "".join(unicodedata.normalize("NFKC", name).split()).lower()
    for ending in ENDINGS:
        if text.endswith(ending) and len(text) > len(ending):
            return text[: -len(ending)]
    return text
