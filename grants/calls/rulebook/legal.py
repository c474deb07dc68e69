"""法律依据: the time limits that each legal basis brings with it.

Grants have no national statute, so their limits are good practice and only warn; buying services falls under 政府采购法, whose
limits bind. A limit left out of a call's file takes the value given here while the file is read: so the frozen value is always
complete and its hash does not change when this table does.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from grants.calls.rulebook.parts.base import Named
from grants.calls.rulebook.parts.timetable import Period, Unit


class LegalBasis(Named):
    """What the money legally is."""

    GRANT = "grant", "资助"
    PROCUREMENT = "procurement", "政府购买服务"
    REWARD = "reward", "以奖代补"
    FOUNDATION = "foundation", "基金会资助"
    MIXED = "mixed", "混合"


@dataclass(frozen=True)
class Limit:
    """One limit: the period, whether a statute makes it binding, and where it comes from."""

    period: Period
    binding: bool
    source: str


@dataclass(frozen=True)
class Limits:
    """Time limits of a legal basis: what ends in `at_least` is a floor, in `at_most` a ceiling."""

    open_at_least: Limit
    cure: Period
    notice_at_least: Limit
    objection_at_least: Limit
    reply_at_most: Limit
    contract_at_most: Limit
    file_years: int
    file_years_source: str

    def defaults(self) -> dict[str, dict[str, Any]]:
        """The periods a timetable takes when its file leaves them out."""
        periods = {
            "cure": self.cure,
            "notice": self.notice_at_least.period,
            "objection": self.objection_at_least.period,
            "objection_reply": self.reply_at_most.period,
            "contract_within": self.contract_at_most.period,
        }
        return {name: period.model_dump() for name, period in periods.items()}


def _working(days: int) -> Period:
    return Period(amount=days, unit=Unit.WORKING)


def _calendar(days: int) -> Period:
    return Period(amount=days, unit=Unit.CALENDAR)


_PRACTICE: Final = Limits(
    open_at_least=Limit(_calendar(15), False, "各地公益创投惯例 15–30 日"),
    cure=_working(3),
    notice_at_least=Limit(_working(5), False, "各地公益创投惯例 5 个工作日（如福田 2021）"),
    objection_at_least=Limit(_working(5), False, "异议期应覆盖公示期"),
    reply_at_most=Limit(_working(5), False, "上海社区公益创投 2009：五日内复核并书面答复"),
    contract_at_most=Limit(_calendar(30), False, "各地惯例：三十日内签约"),
    file_years=10,
    file_years_source="会计档案与机关档案惯例",
)
_STATUTE: Final = Limits(
    open_at_least=Limit(_calendar(20), True, "政府采购法第三十五条"),
    cure=_working(3),
    notice_at_least=Limit(_working(1), True, "财政部令第87号第六十九条"),
    objection_at_least=Limit(_working(7), True, "政府采购法第五十二条"),
    reply_at_most=Limit(_working(7), True, "政府采购法第五十三条"),
    contract_at_most=Limit(_calendar(30), True, "政府采购法第四十六条"),
    file_years=15,
    file_years_source="政府采购法第四十二条",
)
_BY_BASIS: Final = MappingProxyType(
    {
        LegalBasis.GRANT: _PRACTICE,
        LegalBasis.REWARD: _PRACTICE,
        LegalBasis.FOUNDATION: _PRACTICE,
        LegalBasis.MIXED: _PRACTICE,
        LegalBasis.PROCUREMENT: _STATUTE,
    }
)


def limits_of(basis: LegalBasis) -> Limits:
    """The limits of a legal basis; mixed money is granted, not bought, so it follows practice."""
    return _BY_BASIS[basis]
