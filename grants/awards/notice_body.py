"""What a public notice says: built from a whitelist of fields, then read by the gate against personal numbers (domain §8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from grants import clock
from grants.awards.models import Award
from grants.calls.models import Call
from grants.clock.calendar import Period, end_of_period
from grants.people.privacy import Leak, leaks, publishable
from review.models import Panel
from review.panels import sitting

FIELDS = ("title", "call", "code", "agency", "contact", "intro", "days", "rows", "total", "count", "experts", "objection")
ROW = ("number", "project", "organisation", "sponsor", "category", "amount")


def build(call: Call, awards: Sequence[Award], *, intro: str = "", titles: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The body of a notice over these awards, amounts as text in 元. titles: award number → project name to show instead.

    Raises FieldNotPublic when anything but the whitelisted fields got in.
    """
    with translation.override("zh-hans"):  # what is published and kept is Chinese whatever the officer's page is
        return _build(call, awards, intro, titles or {})


def _build(call: Call, awards: Sequence[Award], intro: str, titles: Mapping[str, str]) -> dict[str, Any]:
    rules, period = call.rules, call.rules.timetable.notice
    rows = [publishable(_row(award, titles), ROW) for award in awards]
    body = {
        "title": _("%(call)s拟立项项目公示") % {"call": call.title},
        "call": call.title,
        "code": call.code,
        "agency": call.agency.name,
        "contact": call.agency.contact or rules.agency.contact,
        "intro": intro.strip() or _intro(call),
        "days": period.words(),
        "rows": rows,
        "total": f"{sum((a.amount for a in awards), Decimal('0.00')):.2f}",
        "count": len(rows),
        "experts": experts(call) if rules.allocation.publish_experts else [],
        "objection": _how_to_object(),
    }
    return publishable(body, FIELDS)


def _row(award: Award, titles: Mapping[str, str]) -> dict[str, Any]:
    bid = award.bid
    category = next((c.name for c in award.call.rules.categories if c.code == bid.category), "")
    return {
        "number": award.number,
        "project": titles.get(award.number, "").strip() or bid.title,
        "organisation": bid.organisation.name,
        "sponsor": bid.sponsor.name if bid.sponsor else "",
        "category": category,
        "amount": f"{award.amount:.2f}",
    }


def _intro(call: Call) -> str:
    return _("“%(call)s”（编号 %(code)s）经资格审查、专家评审和主办方审核，拟对下列项目予以资助，现予公示。") % {
        "call": call.title,
        "code": call.code,
    }


def _how_to_object() -> str:
    return _("对公示内容有异议的，请在异议期内书面提出：个人须署真实姓名并留联系方式，单位须加盖公章，写明具体事实和理由。匿名材料只作线索。")


def experts(call: Call) -> list[str]:
    """Names of whoever sat on the concluded panels; published with the awards, never before (domain §1)."""
    panels = Panel.objects.filter(call=call, state="concluded").order_by("created_at")
    return list(dict.fromkeys(str(member.expert.user) for panel in panels for member in sitting(panel)))


def found_leaks(call: Call, body: Mapping[str, Any]) -> list[Leak]:
    """Personal numbers in the body; the agency's own published line may stand."""
    known: Iterable[str] = filter(None, (call.agency.contact, call.rules.agency.contact))
    return [replace(leak, sentence=leak.sentence.replace(f"“{leak.field}”", f"“{_named(leak.field)}”")) for leak in leaks(body, known=known)]


def _named(field: str) -> str:
    """A field of the body as a person at the page knows it: rows.2.project → 第 2 行项目名称."""
    first, _dot, rest = field.partition(".")
    if first != "rows":
        return {"intro": _("说明文字"), "experts": _("评审专家"), "contact": _("咨询方式"), "title": _("标题")}.get(first, field)
    place, _dot, column = rest.partition(".")
    names = {"project": _("项目名称"), "organisation": _("申报单位"), "sponsor": _("托管组织"), "category": _("服务领域")}
    return _("第 %(n)s 行%(what)s") % {"n": place, "what": names.get(column, column)}


def periods(call: Call, start: datetime) -> tuple[Period, Period]:
    """When the notice and the time to object end, counted as the call's rules say."""
    times = call.rules.timetable
    notice, objection = times.notice, times.objection
    return (
        end_of_period(start, notice.amount, notice.unit.value, count_first_day=notice.count_first_day),
        end_of_period(start, objection.amount, objection.unit.value, count_first_day=objection.count_first_day),
    )


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body for a page: amounts as Decimal 元 again."""
    rows = [{**row, "amount": Decimal(row["amount"])} for row in body["rows"]]
    return {**body, "rows": rows, "total": Decimal(body["total"])}


def printed(notice: Any) -> dict[str, Any]:
    """The context of templates/documents/notice.html."""
    body = notice.body
    start = notice.published_at.astimezone(clock.TZ).date()
    contacts = [("咨询与异议受理", body["contact"])] if body["contact"] else []
    contacts += [("评审专家", "、".join(body["experts"]))] if body["experts"] else []
    return {
        "number": notice.number,
        "title": notice.title,
        "issuer": body["agency"],
        "intro": body["intro"],
        "columns": ["项目编号", "项目名称", "申报单位", "服务领域", "资助金额（元）"],
        "rows": [_printed_row(row) for row in body["rows"]],
        "total": Decimal(body["total"]),
        "opens_on": start,
        "closes_on": notice.last_day,
        "days_text": body["days"],
        "how_to_object": body["objection"],
        "contacts": contacts,
        "digest": "",
    }


def _printed_row(row: Mapping[str, str]) -> list[str]:
    who = f"{row['organisation']}（托管：{row['sponsor']}）" if row["sponsor"] else row["organisation"]
    return [row["number"], row["project"], who, row["category"], f"{Decimal(row['amount']):,.2f}"]
