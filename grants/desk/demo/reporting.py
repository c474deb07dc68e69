"""Mid-term and final reports, evidence, the evaluator's sheet, confirmation, closing."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from bidding.models import BidVersion
from grants.awards.models import Award
from grants.desk.demo import papers
from grants.desk.demo.cast import Cast, Office
from grants.desk.demo.paying import services_spent
from grants.evaluation import services
from grants.evaluation.gate import MADE_BY_THE_SYSTEM
from grants.evaluation.grades import sheet
from grants.evaluation.models import Evaluation
from grants.people.models import User
from grants.workflow.door import perform

PROGRESS = {"midterm": Decimal("0.55"), "final": Decimal("1.05")}


def evaluation(award: Award, moment: str) -> Evaluation:
    """One evaluation as it stands now."""
    return Evaluation.objects.select_related(*Evaluation.door_select, "award__bid__rules_version").get(award=award, moment=moment)


def report(award: Award, moment: str, cast: Cast) -> Evaluation:
    """The grantee writes and hands in the report."""
    person = cast.of(award.bid.organisation_id).person
    found = evaluation(award, moment)
    for section in services.sections(found):
        given = {f.code: _answer(f, award, moment) for f in section.fields if f.kind != "file"}
        services.save_report(found, section.code, given, by=person)
    return perform(evaluation(award, moment), "submit", by=person)


def grade(award: Award, moment: str, share: str, evaluator: User, office: Office) -> Evaluation:
    """Nominate, grade every criterion at `share` of its weight, confirm."""
    perform(evaluation(award, moment), "nominate", by=office.approver, evaluator=evaluator)
    luck = Random(f"{award.number}/{moment}")  # noqa: S311 - marks of a story
    found = evaluation(award, moment)
    scores = {c.code: _mark(c.weight, share, luck) for c in sheet(found).criteria}
    perform(found, "grade", by=evaluator, scores=scores, comment="现场走访、抽查签到和凭证，与报告一致。")
    return perform(evaluation(award, moment), "confirm", by=office.approver)


def _mark(weight: Decimal, share: str, luck: Random) -> Decimal:
    part = Decimal(share) + Decimal(luck.randint(-20, 20)) / 1000
    return min((weight * part).quantize(Decimal("0.1")), weight)


def evidence(award: Award, code: str, name: str, cast: Cast) -> None:
    """One paper into the project's file."""
    person = cast.of(award.bid.organisation_id).person
    page = papers.picture(name, award.number, award.bid.title)
    services.add_evidence(award, code, name=name, file=page, by=person)


def closing_papers(award: Award, cast: Cast) -> None:
    """Everything of the call's closing list that is not the record itself."""
    for item in award.bid.rules.evaluation.closing:
        if item.code not in MADE_BY_THE_SYSTEM and not award.evidence.filter(code=item.code).exists():
            evidence(award, item.code, item.name, cast)


def close(award: Award, office: Office) -> Award:
    """结项, once the gate finds nothing missing."""
    return perform(award, "close", by=office.approver, note="验收合格，同意结项。")


def _version(award: Award) -> BidVersion:
    found = award.bid.latest
    assert found is not None  # an award's bid was handed in
    return found


def _answer(field: Any, award: Award, moment: str) -> Any:
    promised = {row["code"]: Decimal(str(row["target"])) for row in _version(award).content["kpis"] if row.get("code")}
    if field.code == "satisfaction":
        return "94"
    if field.kpi in promised:
        return str(int(promised[field.kpi] * PROGRESS[moment]))
    if field.code == "spent":
        return f"{services_spent(award):.2f}"
    if field.kind == "money":
        return "0.00"
    if field.kind == "table":
        return [{c.code: _answer(c, award, moment) for c in field.columns} for _ in range(max(field.min_rows, 1))]
    plain = {"number": "12", "date": f"{award.started_on}", "choice": next(iter(getattr(field, "options", ())), ""), "yesno": True}
    text = f"按计划开展{award.bid.title}各项活动，签到、照片和凭证齐全；问题已与社区商议并调整。"
    value = plain.get(str(field.kind), text)
    most = getattr(field, "max_chars", 0)
    return value[:most] if isinstance(value, str) and most else value
