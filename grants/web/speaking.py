"""Finished sentences in the reader's language.

Rules, arithmetic and frozen records say things in whole Chinese sentences, figures included, and many are kept: a finding, a reason, a change
that bidders acknowledged. The record stays as it was said. A page in another language looks for the pattern the sentence was made from, translates
the pattern and puts the figures back; a sentence made from no known pattern is shown as it is. Stages register the patterns they speak by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache

from django.utils.translation import get_language, gettext

Patterns = Callable[[], Iterable[str]]
_SOURCES: list[Patterns] = []
_HOLE = re.compile(r"%\((\w+)\)[sd]|%%")


def speaks(patterns: Patterns) -> None:
    """Register sentences with holes (`%(name)s`), asked for when the first page in another language is shown."""
    _SOURCES.append(patterns)


def patterns_of(*tables: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    """Every sentence of tables rule → sentence, or rule → (sentence, way out)."""
    return [text for table in tables for value in table.values() for text in ((value,) if isinstance(value, str) else value)]


def spoken(sentence: str) -> str:
    """The sentence in the language of the page."""
    language = get_language() or "zh-hans"
    return sentence if language.startswith("zh") else _spoken(language, str(sentence))


@lru_cache(maxsize=4096)
def _spoken(language: str, sentence: str) -> str:
    """`language` keeps answers of two languages apart; the active one is read by gettext."""
    whole = gettext(sentence) if sentence else sentence
    if whole != sentence:
        return whole
    for shape, pattern in _shapes():
        found = shape.fullmatch(sentence)
        if found is not None:
            told = re.sub(r"%\((\w+)\)d", r"%(\1)s", gettext(pattern))  # what is found in a sentence is text, figures too
            return told % {name: _spoken(language, text) for name, text in found.groupdict().items()}
    return _pieces(language, sentence)


def _pieces(language: str, sentence: str) -> str:
    """Several sentences in a row, or a way down the rules (`资助额度 · 上限`, `领域“助老”`): each by itself."""
    several = re.findall(r"[^。]+。?", sentence)
    if len(several) > 1:
        return " ".join(_spoken(language, one.strip()) for one in several)
    if " · " in sentence:
        return " · ".join(_spoken(language, part) for part in sentence.split(" · "))
    named = re.fullmatch(r"([^“”]+)“([^“”]+)”", sentence)
    return f"{_spoken(language, named[1])} “{named[2]}”" if named else sentence


@cache
def _shapes() -> list[tuple[re.Pattern[str], str]]:
    """Patterns as expressions, those with the most words first, so that a general one does not swallow a particular one."""
    every = {pattern for source in _SOURCES for pattern in source() if "%" in pattern}
    return [(_shape(pattern), pattern) for pattern in sorted(every, key=lambda text: (-len(_HOLE.sub("", text)), text))]


def _shape(pattern: str) -> re.Pattern[str]:
    at, parts, seen = 0, [], set()
    for hole in _HOLE.finditer(pattern):
        parts.append(re.escape(pattern[at : hole.start()]))
        at, name = hole.end(), hole[1]
        parts.append("%" if name is None else f"(?P={name})" if name in seen else f"(?P<{name}>.*?)")
        seen.add(name)
    return re.compile("".join([*parts, re.escape(pattern[at:])]), re.DOTALL)
