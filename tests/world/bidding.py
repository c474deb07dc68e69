"""Bids at every stage of their life, filled from whatever the call's rules ask, through the services a person clicks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from bidding import services
from bidding.completeness import asked_attachments, needs_sponsor
from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.people.models import Organisation
from grants.people.services import sponsor_on
from grants.workflow.door import perform
from tests.world.people import Body, Office


def opens(call: Call) -> datetime:
    """One hour into the period in which bids are accepted."""
    assert call.opens_at is not None
    return call.opens_at + timedelta(hours=1)


def before_closing(call: Call) -> datetime:
    """The last second in which a bid is accepted."""
    assert call.closes_at is not None
    return call.closes_at - timedelta(seconds=1)


def pdf(text: str = "附件") -> bytes:
    """A small file that is a PDF to whoever inspects it; its text makes it different from others."""
    body = f"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj % {text}".encode()
    return b"%PDF-1.4\n" + body + b"\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Size 1>>\nstartxref\n0\n%%EOF\n"


def started(call: Call, who: Body, title: str = "银龄守望——独居老人关爱项目", **more: Any) -> Bid:
    """A fresh draft. more: category, track, need, sponsor; chosen from the rules when left out."""
    rules = call.rules
    need = rules.needs.items[0].code if rules.needs.items else ""
    chosen = {"category": rules.categories[0].code, "need": need, "sponsor": _sponsor(call, who.organisation), **more}
    return services.start_bid(call, who.organisation, by=who.signatory, title=title[:30], **chosen)


def _sponsor(call: Call, organisation: Organisation) -> Organisation | None:
    return sponsor_on(organisation, clock.today()) if needs_sponsor(call.rules, organisation) else None


def filled(call: Call, who: Body, *, amount: Decimal | None = None, **more: Any) -> Bid:
    """A draft with everything in it that its call asks for. amount: what it asks, 元 (default: a fifth of the cap)."""
    bid = started(call, who, **more)
    for section in call.rules.forms.application:
        services.save_answers(bid, section.code, {**answers(section, call), **_title(section, bid)}, by=who.signatory)
    services.save_budget(bid, budget(call, amount or (call.rules.amounts.cap / 5)), by=who.signatory)
    services.save_kpis(bid, beneficiaries(call), by=who.signatory)
    services.save_team(bid, team(call), by=who.signatory)
    for asked in asked_attachments(bid):
        if asked.required:
            until = date(2030, 12, 31) if asked.expires else None
            services.attach(bid, asked.code, pdf(asked.name), by=who.signatory, name=f"{asked.code}.pdf", expires_on=until)
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def _title(section: Any, bid: Bid) -> dict[str, str]:
    return {"name": bid.title} if any(f.code == "name" and f.kind == "text" for f in section.fields) else {}


def answers(section: Any, call: Call) -> dict[str, Any]:
    """An acceptable answer to every question of a section; one that promises an indicator promises enough."""
    least = {k.code: str((k.minimum or 0) + 10) for k in call.rules.outcomes.kpis}
    return {f.code: least[f.kpi] if f.kpi in least else answer(f) for f in section.fields if f.kind != "file"}


def answer(field: Any) -> Any:
    """An acceptable answer to one question or cell."""
    least, most = getattr(field, "minimum", None), getattr(field, "maximum", None)
    if field.kind == "table":
        return [{c.code: answer(c) for c in field.columns} for _ in range(max(field.min_rows, 1))]
    return {
        "number": str(int(least) + 1 if least is not None else int(min(most or 90, 90))),
        "money": f"{least if least is not None else Decimal(1000):.2f}",
        "date": "2026-06-01",
        "choice": next(iter(field.options), ""),
        "multichoice": list(field.options[:1]),
        "yesno": True,
    }.get(str(field.kind), "为辖区独居老人建立结对探访,每周一次。")


def budget(call: Call, amount: Decimal) -> list[dict[str, Any]]:
    """A lawful budget that asks for exactly `amount`: one free category, and as much cash match as the call wants."""
    rules = call.rules
    free = next(c.code for c in rules.budget.categories if not c.banned and c.cap_share is None and c.cap_amount is None)
    lines = [{"category": free, "name": "探访活动", "unit_price": f"{amount:.2f}", "quantity": "1", "source": "grant"}]
    match = _match(amount, rules.amounts.cap_share, rules.amounts.match_share)
    if match:
        lines.append({"category": free, "name": "自筹活动经费", "unit_price": f"{match:.2f}", "quantity": "1", "source": "match_cash"})
    return lines


def _match(amount: Decimal, cap_share: Decimal | None, match_share: Decimal | None) -> Decimal:
    """The least match, 元, with which `amount` is within `cap_share` and the match at least `match_share` per cent of the whole."""
    shares = [share for share in (cap_share, None if match_share is None else 100 - match_share) if share is not None]
    if not shares:
        return Decimal(0)
    return (amount * 100 / min(shares)).quantize(Decimal("0.01"), ROUND_UP) - amount


def beneficiaries(call: Call) -> list[dict[str, Any]]:
    """Indicators of the call and one group that is served."""
    asked = [{"code": k.code, "target": str((k.minimum or 0) + 80)} for k in call.rules.outcomes.kpis]
    return [*asked, {"kind": "persons", "name": "直接受益", "target": "60", "group": call.rules.outcomes.beneficiaries[0]}]


def team(call: Call) -> list[dict[str, Any]]:
    """Enough members, licensed where the call wants it, one of them supervising."""
    wanted = call.rules.eligibility.professionals
    title = wanted.titles[0] if wanted else ""
    return [
        {"name": f"成员{i}", "role": "社工", "qualification": title, "licence_no": f"ZS{i:04d}", "is_supervisor": i == 0}
        for i in range(3)
    ]


def submitted(call: Call, who: Body, **more: Any) -> Bid:
    """Filled and handed in."""
    bid = filled(call, who, **more)
    return services.submit(bid, by=who.signatory, declarations=pledges(call))


def pledges(call: Call) -> list[str]:
    """Codes of every declaration of the call."""
    return [d.code for d in call.rules.forms.declarations]


def screened(bid: Bid, desk: Office) -> Bid:
    """Machine checks run, and every open rule settled by the clerk as met, with evidence. The call must be closed."""
    services.screen(bid.call, by=desk.officer)
    for finding in open_rules(bid):
        services.record_finding(bid, finding.rule, "pass", by=desk.officer, evidence_note="中国社会组织政务服务平台查询截图 2026-04-01")
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def open_rules(bid: Bid) -> list[Any]:
    """Findings that wait for a clerk."""
    from bidding.screening import NEEDS_CLERK, standing

    return [f for f in standing(Bid.objects.get(pk=bid.pk)) if f.outcome == NEEDS_CLERK]


def admitted(bid: Bid, desk: Office) -> Bid:
    """Screened and admitted to review. The call must be closed and the applicant eligible."""
    return perform(screened(bid, desk), "admit", by=desk.officer)
