"""What an analysis says: one frozen value, and its canonical form for storing and hashing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from review.calibration.model import Connection
from review.calibration.reliability import Reliability


class Refusal(StrEnum):
    """Why a figure of the analysis is not there."""

    NONE = ""
    TOO_FEW = "too_few"  # fewer than three bids, or a single expert
    ONE_REVIEW = "one_review"  # no bid has a second review
    NO_SPREAD = "no_spread"  # every total is equal
    UNBRIDGED = "unbridged"  # panels that share too few reviews


@dataclass(frozen=True)
class Words:
    """One sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class BidView:
    """One bid. Scores 0…100, two places; ranks from 1.

    mean: plain mean of the totals. calibrated: the same with the experts' strictness taken out. low, high: 90 % interval of the rank.
    p_funded: share of draws in which it is funded, three places. Without a ballot everything is None: missing is never a number.
    """

    bid: str
    ballots: int
    official: Decimal | None
    rank: int | None
    funded: bool
    mean: Decimal | None
    calibrated: Decimal | None
    calibrated_rank: int | None
    low: int | None
    high: int | None
    p_funded: Decimal | None


@dataclass(frozen=True)
class ExpertView:
    """One expert code. strictness: points above (+, lenient) or below (−, strict) the others, None with a single review.

    trust: how much of the expert's own data went into strictness, per cent: n/(n + λ). five: lowest, lower quartile, median, upper
    quartile, highest total.
    """

    expert: str
    n: int
    calibratable: bool
    strictness: Decimal | None
    trust: Decimal | None
    five: tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


@dataclass(frozen=True)
class Histogram:
    """Marks of one criterion in ten equal steps of its points (the last includes the top); mean in points, two places."""

    criterion: str
    name: str
    counts: tuple[int, ...]
    n: int
    mean: Decimal | None


@dataclass(frozen=True)
class Robust:
    """One thing changed, and which awards would change. kind: expert, weight or rule; what: expert code, criterion or rule.

    came, went: bids that would be funded, or no longer. step: per cent for a weight.
    """

    kind: str
    what: str
    step: int
    came: tuple[str, ...]
    went: tuple[str, ...]
    words: Words

    @property
    def changes(self) -> int:
        """Bids whose decision would change."""
        return len(self.came) + len(self.went)


@dataclass(frozen=True)
class Alarm:
    """Something to ask about, never a verdict. kind: residual, constant or copy. figure: t, the repeated total, or the correlation."""

    kind: str
    expert: str
    other: str
    bid: str
    figure: Decimal
    words: Words


@dataclass(frozen=True)
class Analysis:
    """The whole analysis of a panel's sealed ballots; for information (参考) unless the rules chose calibrated scores before opening.

    refusal: why there is no calibration or no order across panels. changing: expected number of decisions that another panel of equal
    quality would change. shrinkage: λ, sigma_*: standard deviations in points. unused: ballots left out because a stage is missing.
    """

    rule: str
    refusal: Refusal
    bids: tuple[BidView, ...]
    experts: tuple[ExpertView, ...]
    criteria: tuple[Histogram, ...]
    reliability: Reliability | None
    reliability_words: Words
    robust: tuple[Robust, ...]
    connection: Connection | None
    connection_words: Words
    alarms: tuple[Alarm, ...]
    changing: Decimal | None
    shrinkage: Decimal | None
    sigma_expert: Decimal | None
    sigma_chance: Decimal | None
    unused: int = 0
    method: str = "GY-ANALYSIS-1"

    @property
    def fragile(self) -> tuple[Robust, ...]:
        """The changes that would change an award."""
        return tuple(each for each in self.robust if each.changes)

    def data(self) -> dict[str, Any]:
        """As JSON without floats: decimals as text, in the order of the fields."""
        value: dict[str, Any] = plain(self)
        return value

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Analysis:
        """The analysis back from its JSON. Raises KeyError, ValueError or TypeError for what `data` never wrote."""
        found: Analysis = _back(cls, data)
        return found


def plain(value: Any) -> Any:
    """A dataclass, mapping, sequence, Decimal or number as what canonical JSON can say."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def _back(kind: Any, value: Any) -> Any:
    """The inverse of `plain`, led by the annotations."""
    arguments = get_args(kind)
    if isinstance(kind, UnionType):
        inner = next(each for each in arguments if each is not type(None))
        return None if value is None else _back(inner, value)
    if get_origin(kind) is tuple:
        inside = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_back(each, part) for each, part in zip(inside, value, strict=True))
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{f.name: _back(hints[f.name], value[f.name]) for f in fields(kind)})
    if get_origin(kind) is Mapping:
        return dict(value)
    return kind(value) if kind is Decimal or (isinstance(kind, type) and issubclass(kind, StrEnum)) else value
