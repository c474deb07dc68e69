"""分配规则与立项建议: what `grants.awards.selection` reads and answers with, and its sentences. Pure; amounts in 元."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from grants.money import ZERO
from grants.sentences import marked as _

SENTENCES: Final[Mapping[str, str]] = {
    "awarded_reserved": _("予以立项：第 %(place)s 名，在“%(category)s”子额度 %(quota)s 内（累计 %(used)s），资助 %(amount)s。"),
    "awarded": _("予以立项：第 %(place)s 名，在资助总额 %(pool)s 内（累计 %(used)s），资助 %(amount)s。"),
    "unranked": _("不予立项：没有有效得分，未参加排序。"),
    "below_line": _("不予立项：得分 %(score)s，低于及格线 %(line)s。"),
    "no_band": _("不予立项：得分 %(score)s 不在任何资助档内。"),
    "no_amount": _("不予立项：评审组没有建议资助金额。"),
    "organisation": _("不予立项：申报单位已有 %(held)d 个项目获得立项（%(others)s），达到每单位 %(limit)d 个的上限。"),
    "awards_max": _("不予立项：立项数已达上限 %(limit)d 个。"),
    "places": _("不予立项：“%(group)s”名额 %(limit)d 个已满。"),
    "ceiling": _("不予立项：“%(group)s”额度 %(limit)s 已用 %(used)s，剩余 %(left)s，不足 %(amount)s。"),
    "source": _("不予立项：可用于“%(category)s”的资金（%(sources)s）合计 %(limit)s，已用 %(used)s，剩余 %(left)s，不足 %(amount)s。"),
    "pool": _("不予立项：资助总额 %(pool)s 已用 %(used)s%(locked)s，剩余 %(left)s，不足 %(amount)s。"),
    "stopped": _("不予立项：排名在前的“%(blocker)s”超出剩余额度，按规则到此为止，不再顺延。"),
    "lot": _("得分与资助线相差不超过 %(band)s 分，视为同等，公开抽签第 %(lot)d 签。"),
    "locked": _("、未用完且不调剂的子额度 %(locked)s"),
}


class WhenFull(StrEnum):
    """额度不足时: go on with the next bid, or end the queue. Values as in the rules of a call."""

    SKIP = "skip"
    STOP = "stop"


class AmountBy(StrEnum):
    """How much a chosen bid gets: its ask, what the panel recommended, or the fixed amount of its score band."""

    ASK = "rank"
    RECOMMENDED = "reduce"
    BAND = "grade_bands"


class Rollover(StrEnum):
    """Where an unfilled sub-quota goes: to the other categories of this call, or not (kept for next year, or returned)."""

    OTHERS = "others"
    NEXT_YEAR = "next_year"
    RETURN = "return"


@dataclass(frozen=True)
class Category:
    """服务领域. reserve: 元 set aside; places: awards set aside; ceiling: 元 never exceeded; cap: most 元 for one project."""

    code: str
    name: str
    reserve: Decimal | None = None
    places: int | None = None
    ceiling: Decimal | None = None
    cap: Decimal | None = None
    rollover: Rollover = Rollover.OTHERS


@dataclass(frozen=True)
class Track:
    """组别: a separate competition; its amount (元) and places are never exceeded."""

    code: str
    name: str
    amount: Decimal | None = None
    places: int | None = None
    cap: Decimal | None = None


@dataclass(frozen=True)
class FundSource:
    """资金来源: 元 it brings, and the category codes it may serve (empty: every category)."""

    code: str
    name: str
    amount: Decimal
    categories: frozenset[str] = frozenset()

    def serves(self, category: str) -> bool:
        """Whether it may pay for this category."""
        return not self.categories or category in self.categories


@dataclass(frozen=True)
class AmountBand:
    """资助档: from a score on, a fixed 元."""

    name: str
    at_least: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Candidate:
    """A bid as the panel's report leaves it. place None: unranked. Amounts in 元.

    lot: drawn among those in the grey band (`selection.with_lots`).
    """

    bid: str
    organisation: str
    place: int | None
    score: Decimal | None
    ask: Decimal
    category: str = ""
    track: str = ""
    recommended: Decimal | None = None
    district: str = ""
    lot: int | None = None


@dataclass(frozen=True)
class SelectionRules:
    """The allocation rule of a call; pool in 元 is the money for projects only; district_cap: 元 in one district at most."""

    pool: Decimal
    categories: tuple[Category, ...] = ()
    tracks: tuple[Track, ...] = ()
    sources: tuple[FundSource, ...] = ()
    pass_line: Decimal = ZERO
    cap: Decimal | None = None
    awards_per_organisation: int | None = None
    awards_max: int | None = None
    when_full: WhenFull = WhenFull.SKIP
    amount_by: AmountBy = AmountBy.ASK
    bands: tuple[AmountBand, ...] = ()
    district_cap: Decimal | None = None
    grey_band: Decimal | None = None


@dataclass(frozen=True)
class Decision:
    """One bid's line of the proposal. rule: awarded, awarded_reserved, or what refused it; amount 0.00 when refused."""

    bid: str
    awarded: bool
    amount: Decimal
    rule: str
    sentence: str


@dataclass(frozen=True)
class Proposal:
    """All decisions in order of place. locked: unfilled sub-quotas that may not go to others (category → 元)."""

    decisions: tuple[Decision, ...]
    awarded: Decimal
    left: Decimal
    by_category: Mapping[str, Decimal]
    locked: Mapping[str, Decimal]


class RulesContradict(ValueError):
    """The allocation rule cannot be carried out; `sentence` says why in Chinese."""

    def __init__(self, rule: str, sentence: str) -> None:
        self.rule = rule
        self.sentence = sentence
        super().__init__(sentence)
