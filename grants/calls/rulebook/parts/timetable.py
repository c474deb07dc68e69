"""时间安排: when a call opens and closes, and the periods that follow."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any, Final

from pydantic import ConfigDict, Field

from grants.calls.rulebook.parts.base import Count, Day, Flag, Moment, Named, Part, Positive, Yuan

FILLED: Final = ("cure", "notice", "objection", "objection_reply", "contract_within")
"""Periods that may be left out of a file: the legal basis fills them in (see `legal.py`)."""


class Unit(Named):
    """What a period is counted in."""

    WORKING = "working", "工作日"
    CALENDAR = "calendar", "自然日"


class Period(Part):
    """A number of days from an event; the first day is not counted unless the call says so (民法典§201, §204)."""

    amount: Positive = Field(title="天数", description="How many days.")
    unit: Unit = Field(default=Unit.WORKING, title="单位", description="Working days (with 调休) or calendar days.")
    count_first_day: Flag = Field(
        default=False, title="首日计入", description="Whether the day of the event is day one, as many notices do."
    )

    def words(self, language: str = "zh") -> str:
        """The period as people say it: `5 个工作日(含首日)`, in English `5 working days (first day included)`."""
        if language == "en":
            unit = "working day" if self.unit is Unit.WORKING else "calendar day"
            return f"{self.amount} {unit}{'s' if self.amount != 1 else ''}" + (" (first day included)" if self.count_first_day else "")
        return f"{self.amount} 个{self.unit.zh}" + ("（含首日）" if self.count_first_day else "")


def months_after(day: date, months: int) -> date:
    """The same day `months` later (negative: earlier), or the last day of that month when it is shorter (31 Jan + 1 = 28 Feb)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class Batch(Part):
    """分批: one round of a rolling call, with its own deadline and share of the pool."""

    no: Positive = Field(title="批次", description="1, 2, 3 … in order.")
    closes_at: Moment = Field(title="截止时间", description="Deadline of this batch; exclusive, to the second.")
    amount: Yuan = Field(title="金额", description="元 that this batch may award.")


class Outage(Part):
    """系统故障顺延: how measured downtime before the deadline extends it; published, so that nobody decides it case by case."""

    from_minutes: Positive = Field(default=30, title="起算（分钟）", description="Shorter downtime, added up, extends nothing.")
    within_hours: Positive = Field(default=24, title="截止前（小时）", description="Only downtime within so many hours before the deadline.")
    at_most_hours: Positive = Field(default=48, title="最多顺延（小时）", description="No more than this altogether.")


def _not_required(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in schema["required"] if name not in FILLED]


class Timetable(Part):
    """When things happen; every moment carries an offset and deadlines are exclusive to the second."""

    model_config = ConfigDict(json_schema_extra=_not_required)

    opens_at: Moment = Field(title="开始申报", description="Bids are accepted from this second.")
    questions_until: Moment = Field(title="提问截止", description="Last second at which a question may be asked.")
    closes_at: Moment = Field(title="截止申报", description="A bid at or after this second is late.")
    cure: Period = Field(title="补正期", description="How long an applicant may correct a bid that was sent back.")
    review_by: Day = Field(title="评审完成日", description="Day (Shanghai) by which the panel report must be signed.")
    notice: Period = Field(title="公示期", description="How long the proposed awards are published before they stand.")
    objection: Period = Field(title="异议期", description="How long after the notice appears an objection may be raised.")
    objection_reply: Period = Field(title="异议答复期", description="How long the agency has to answer an objection in writing.")
    contract_within: Period = Field(title="签约时限", description="From the confirmed award to the signed contract.")
    term_months: Positive = Field(title="实施期（月）", description="Months from the effective contract to the end of the project.")
    midterm_month: Count = Field(
        default=0, title="中期评估月", description="Month of the term in which the mid-term evaluation falls; 0 = none."
    )
    batches: tuple[Batch, ...] = Field(
        default=(), title="分批", description="Rounds of a rolling call; empty for a single deadline."
    )
    files_follow_hours: Positive | None = Field(
        default=None, title="附件后补（小时）",
        description="Files declared in time (name, size, SHA-256) may arrive so many hours after the deadline; absent = never.",
        le=168,
    )
    outage: Outage | None = Field(
        default=None, title="系统故障顺延", description="How downtime before the deadline extends it; absent = decided by the approver."
    )
