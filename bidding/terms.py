"""How long what people wrote in applications is kept here: drafts that were never handed in, and who was in a team that was not funded.

A stage downstream may hold a bid longer (`hold`): the papers of a project that was funded are an archive (档案法; the call's own 保管年限).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.clock import TZ
from grants.people.erasing import later
from grants.workflow.refusals import Sentence
from grants.workflow.rules import Ask, rule

DRAFT_MONTHS: Final = 12
"""After a call closed: bids that were never handed in (个人信息保护法 §19: the shortest that is needed)."""
OVER: Final = ("draft", "open", "published", "proposed", "approved")
"""States of a call in which its bids are still written."""

HOLDERS: list[Callable[[Any], Sentence | None]] = []


def hold(holder: Callable[[Any], Sentence | None]) -> None:
    """Hand up why a bid's people must be kept: bid → a sentence, or None. Called when a stage is loaded."""
    if holder not in HOLDERS:
        HOLDERS.append(holder)


def closed_on(bid: Any) -> date | None:
    """The day (Asia/Shanghai) on which its call stopped taking bids; None while it takes them."""
    closes = bid.call.closes_at
    return closes.astimezone(TZ).date() if closes is not None and bid.call.state not in OVER and clock.now() >= closes else None


def draft_due(bid: Any) -> date | None:
    """The first day on which a bid that was never handed in may go; None for every other bid."""
    day = closed_on(bid)
    if bid.number or bid.state not in ("draft", "lapsed", "withdrawn") or day is None:
        return None
    return later(day, DRAFT_MONTHS)


def team_due(bid: Any) -> date | None:
    """The first day on which the team of a bid that was not funded may go, by the call's 个人信息月数; None for what was not handed in. Asks no holder."""
    day = closed_on(bid)
    return later(day, bid.rules.retention.personal_months) if bid.number and day is not None else None


def held(bid: Any) -> Sentence | None:
    """Why a bid's people must be kept whatever the day, or None."""
    return next((why for holder in HOLDERS if (why := holder(bid)) is not None), None)


@rule(_("从未提交的草稿已满保存期"))
def draft_past_its_term(ask: Ask) -> object:
    due = draft_due(ask.obj)
    if due is None:
        return _("只有从未提交、征集已经截止的草稿可以删除；提交过的申报书按档案保管年限保存。")
    return True if clock.today() >= due else _("草稿保存到受理截止后一年，%(day)s 起才能删除。") % {"day": due}


@rule(_("未立项申报的团队信息已满保存期"))
def team_past_its_term(ask: Ask) -> object:
    """The day first, which costs no query on any page of a bid; who else keeps it only afterwards."""
    due = team_due(ask.obj)
    if due is None:
        return _("只有提交过、征集已经截止的申报书可以删除团队成员信息。")
    if clock.today() < due:
        return _("团队成员信息按征集规则保存，%(day)s 起才能删除；立项项目的还要满档案保管年限。") % {"day": due}
    return held(ask.obj) or True


@rule(_("还没有删除过"), _("已经删除过，没有可删除的个人信息。"))
def something_to_erase(ask: Ask) -> bool:
    """Erasing twice would only write a second entry."""
    bid = ask.obj
    return bool(bid.answers or bid.typed or bid.team.exclude(name="", licence_no="").exists())


@rule(_("团队名单里还有姓名"), _("已经删除过，没有可删除的个人信息。"))
def team_is_named(ask: Ask) -> bool:
    return bool(ask.obj.team.exclude(name="", licence_no="").exists())
