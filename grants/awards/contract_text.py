"""Composing a contract: rules, frozen bid, agreed lines, tranches and sources become one `ContractData`, sums tied to the fen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from grants import clock
from grants.awards import frozen_bid
from grants.awards.contract_terms import terms, tranche_terms
from grants.awards.models import Award, Contract
from grants.awards.shares import split
from grants.awards.sources import shares_of
from grants.calls.rulebook.parts.timetable import months_after
from grants.documents.contract_data import (
    BidSection,
    BudgetItem,
    ContractData,
    ContractInconsistent,
    FundingShare,
    KpiTerm,
    Party,
    PayeeAccount,
    PlanStep,
)
from grants.money import total
from grants.people.identity import mask_bank
from grants.people.models import Agency, Organisation
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid

EVIDENCE = {
    "persons": "服务对象登记表", "person_times": "签到表", "sessions": "活动记录与照片", "hours": "服务时长记录",
    "households": "入户记录", "percent": "满意度调查或前后测", "items": "验收单或成果清单",
}  # fmt: skip


def write(contract: Contract) -> Facts:
    """Put a fresh text into an unissued contract: data, digest, shares; the printed file is made anew. Raises Invalid."""
    award = contract.award
    shares = shares_of(award, redraw=contract)
    try:
        data = compose(award, number=contract.number, shares=shares)
    except ContractInconsistent as wrong:
        raise Invalid(_("协议数据前后不一致：%(why)s") % {"why": wrong}, rule=f"contract_{wrong.rule}") from wrong
    contract.data = json.loads(data.canonical())
    contract.shares = {code: str(amount) for code, amount in shares.items()}
    contract.agreed_targets = dict(award.agreed_targets)
    contract.text_hash, contract.file = data.digest, None
    return Facts(public={"number": contract.number, "amount": str(award.amount)}, files={"text": data.digest})


def compose(award: Award, *, number: str, shares: Mapping[str, Decimal]) -> ContractData:
    """The contract's data. Starts today or on the day the bid planned, whichever is later; runs the rules' term.

    Raises ContractInconsistent when sums do not tie out or the account is not the signing party's.
    """
    version, rules, call = award.bid.latest, award.rules, award.call
    assert version is not None  # an award's bid was submitted
    content = version.content
    starts, ends = _term(content, rules.timetable.term_months)
    parts = split(award.amount, [t.percent for t in rules.funding.tranches])
    budget = (*_agreed(award, content), *_match(content))
    return ContractData(
        number=number, version=1, project=award.bid.title, programme=call.title, call_number=call.code,
        funder=_agency(call.agency), grantee=_body(award.payee), executor=_executor(award),
        operator=_body(call.operator) if call.operator else None,
        starts_on=starts, ends_on=ends, place=_place(award, content), goal=frozen_bid.text(content, frozen_bid.GOAL) or award.bid.title,
        beneficiaries="、".join(frozen_bid.groups(content)), head=frozen_bid.head(content, award.organisation.legal_representative),
        asked=Decimal(content["budget"]["grant"]), amount=award.amount, match=total([b.match for b in budget]),
        sources=_sources(rules, shares), tranches=tranche_terms(rules, parts), account=_account(award.payee), budget=budget,
        kpis=_kpis(award, content), plan=_plan(content), sections=_sections(content), terms=terms(rules),
        bid_sha256=version.hash, rules_sha256=award.bid.rules_version.hash, drawn_on=clock.today(),
    )  # fmt: skip


def _term(content: Mapping[str, Any], months: int) -> tuple[date, date]:
    planned = frozen_bid.planned_start(content)
    starts = max(clock.today(), planned) if planned else clock.today()
    return starts, months_after(starts, months) - timedelta(days=1)


def _agency(agency: Agency) -> Party:
    return Party(agency.name, agency.code, agency.address, agency.legal_representative, phone=agency.contact)


def _body(body: Organisation) -> Party:
    return Party(
        body.name, body.uscc or "", body.address, body.legal_representative, body.legal_representative, body.phone, body.record_no
    )


def _executor(award: Award) -> Party | None:
    return None if award.sponsor is None else _body(award.organisation)


def _place(award: Award, content: Mapping[str, Any]) -> str:
    return frozen_bid.text(content, frozen_bid.PLACE) or award.organisation.district or award.organisation.address


def _account(payee: Organisation) -> PayeeAccount:
    assert payee.account_verified_at is not None  # account_is_verified
    day = payee.account_verified_at.astimezone(clock.TZ).date()
    return PayeeAccount(payee.account_name, payee.account_bank, mask_bank(payee.account_number), day)


def _sources(rules: Any, shares: Mapping[str, Decimal]) -> tuple[FundingShare, ...]:
    return tuple(
        FundingShare(s.name, shares[s.id], str(s.kind.value) == "lottery", s.logo_text, "、".join(s.purposes))
        for s in rules.sources
        if shares.get(s.id)
    )


def _agreed(award: Award, content: Mapping[str, Any]) -> list[BudgetItem]:
    names = {line["category"]: line["category_name"] for line in content["budget"]["lines"]}
    asked = [line for line in content["budget"]["lines"] if line["source"] == "grant"]
    return [
        BudgetItem(names.get(line.category, line.category), line.name, _basis(given), line.asked, line.agreed)
        for line, given in zip(award.lines.all(), asked, strict=True)
    ]


def _match(content: Mapping[str, Any]) -> list[BudgetItem]:
    nothing = Decimal("0.00")
    return [
        BudgetItem(line["category_name"], f"{line['name']}（{line['source_name']}）", _basis(line), nothing, nothing, Decimal(line["amount"]))
        for line in content["budget"]["lines"]
        if line["source"] != "grant"
    ]


def _basis(line: Mapping[str, Any]) -> str:
    counted = f"{Decimal(line['unit_price']):,.2f} × {Decimal(line['quantity']).normalize():f}"
    return f"{counted}；{line['note']}" if line["note"] else counted


def _kpis(award: Award, content: Mapping[str, Any]) -> tuple[KpiTerm, ...]:
    kinds = dict(frozen_bid.keyed(content))
    return tuple(
        KpiTerm(name, f"{award.agreed_targets.get(key, least)} {unit}".strip(), EVIDENCE.get(kinds[key]["kind"], "佐证材料"))
        for key, (name, least, unit) in frozen_bid.targets(content).items()
    )


def _plan(content: Mapping[str, Any]) -> tuple[PlanStep, ...]:
    scheduled = [
        PlanStep(f"第 {row.get('month', '')} 个月", str(row.get("work", "")), "") for row in frozen_bid.rows(content, frozen_bid.SCHEDULE)
    ]
    held = [
        PlanStep("项目期内", str(row.get("name", "")), f"{row.get('times', '')} 次，每次 {row.get('persons', '')} 人；{row.get('content', '')}")
        for row in frozen_bid.rows(content, frozen_bid.SERVICES)
    ]
    words = frozen_bid.services(content) or (content["title"],)
    return tuple(scheduled + held) or tuple(PlanStep("项目期内", word, "按绩效指标完成") for word in words)


def _sections(content: Mapping[str, Any]) -> tuple[BidSection, ...]:
    found = [
        BidSection(s["title"], tuple((f["label"], text) for f in s["fields"] if (text := frozen_bid.shown(f)))) for s in content["sections"]
    ]
    return tuple(section for section in found if section.answers)
