"""密钥丢失: when too few officers still have their keys, who says so, who confirms it, and until when a found key counts (ADR 22)."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from bidding.seal_rules import custodian
from grants import clock
from grants.clock.calendar import end_of_period, midnight_after
from grants.people.rules import may, not_same_as
from grants.workflow.rules import Ask, rule

LEAST_DAYS = 10
"""Working days for which kept copies are taken after a loss was declared, at least."""

desk = may("draft_calls") | may("approve_calls")
another_than_who_reported = not_same_as(
    "lost_reported_by", _("不是报告丢失的人"), _("密钥丢失是您报告的，须由另一位经办人或负责人核对后宣布（报告与宣布分离）。")
)
declarer = desk & another_than_who_reported
who_knows = custodian | desk
"""A key that is found again may be known to its officer or to the desk."""


@rule(_("还没有人报告密钥丢失"), _("已经有人报告密钥丢失，请由另一位经办人或负责人核对后宣布，或先撤销报告。"))
def not_yet_reported(ask: Ask) -> bool:
    return ask.obj.lost_reported_by_id is None


@rule(_("已报告密钥丢失"), _("还没有人报告密钥丢失；先由一位经办人或负责人写明经过。"))
def lost_is_reported(ask: Ask) -> bool:
    return ask.obj.lost_reported_by_id is not None


@rule(_("剩下的钥匙不够开标"), typed=True)
def too_few_left(ask: Ask) -> object:
    """Offices are named, so that a call is never given up while enough officers can still open it."""
    there = {row.name for row in ask.obj.officers.all()}
    named = set(ask.details.get("offices", ()))
    if not named or not named <= there:
        return _("请勾选钥匙已经丢失的岗位。")
    left = len(there - named)
    if left < ask.obj.threshold:
        return True
    return _("还有 %(n)d 名开标人有钥匙，%(m)d 名就能开标：请他们开标，不必宣布丢失。") % {"n": left, "m": ask.obj.threshold}


@rule(_("刚刚再次验证过身份"), _("这一步须再次验证身份：验证后五分钟内有效，请重新验证。"), typed=True)
def shown_again(ask: Ask) -> bool:
    proof = ask.details.get("authenticated")
    return proof is not None and proof.is_fresh


def kept_until(last: date | None) -> datetime:
    """When kept copies are taken no more, if the loss is declared now: after `last`, or after the least number of days. ValueError: earlier."""
    least = end_of_period(clock.now(), LEAST_DAYS, "working").ends_at
    wanted = least if last is None else midnight_after(last)
    if wanted < least:
        raise ValueError(least)
    return wanted
