"""How a contradiction is declared and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.problems import Severity


def _monday_to_friday(day: date) -> bool:
    return day.weekday() < 5


@dataclass(frozen=True)
class World:
    """What the linter knows of the calendar; `published_years` None means: do not ask whether 调休 is published."""

    is_workday: Callable[[date], bool] = _monday_to_friday
    published_years: Collection[int] | None = None


@dataclass(frozen=True)
class Flaw:
    """What a check found: the key, the sentence, and how to repair it."""

    severity: Severity
    key: str
    message: str
    way_out: str


Check = Callable[[CallRules, World], Iterator[Flaw]]


@dataclass(frozen=True)
class Contradiction:
    """A kind of contradiction: a stable code, its name in Chinese, the function that looks for it."""

    code: str
    name: str
    check: Check


CONTRADICTIONS: list[Contradiction] = []


def contradiction(code: str, name: str) -> Callable[[Check], Check]:
    """Register a check under a stable `code` (never reused) and a Chinese `name` that the handbook prints."""

    def register(check: Check) -> Check:
        CONTRADICTIONS.append(Contradiction(code, name, check))
        CONTRADICTIONS.sort(key=lambda each: each.code)
        return check

    return register


def error(key: str, message: str, way_out: str) -> Flaw:
    """A flaw that stops publishing."""
    return Flaw(Severity.ERROR, key, message, way_out)


def warning(key: str, message: str, way_out: str) -> Flaw:
    """A flaw that must be read and may be right."""
    return Flaw(Severity.WARNING, key, message, way_out)


def by_law(binding: bool, key: str, message: str, way_out: str) -> Flaw:
    """An error where a statute binds, a warning where only practice speaks."""
    return (error if binding else warning)(key, message, way_out)


def plain(number: Decimal | int) -> str:
    """A weight or score for a sentence, without idle zeros: 95, 8.5."""
    return f"{Decimal(number).normalize():f}"


def repeated(codes: Iterable[str]) -> list[str]:
    """The codes that occur more than once, each once, in order of their second appearance."""
    seen: set[str] = set()
    twice = [code for code in codes if code in seen or seen.add(code)]  # type: ignore[func-returns-value]
    return list(dict.fromkeys(twice))
