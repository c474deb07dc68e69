"""Reports: the same form engine as bids, the KPIs reached, and the evidence behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.completeness import answer_field
from bidding.services.keeping import Kept, clashes_of
from grants import clock, ledger
from grants.awards import frozen_bid
from grants.calls.rulebook import form, marks
from grants.calls.rulebook.parts.form import Section
from grants.documents.files import store
from grants.evaluation.models import Evaluation, Evidence
from grants.evaluation.rules import reporter
from grants.money import NotMoney, number, whole
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow

contributor = reporter | may("claim", on="organisation") | may("claim", on="payee") | may("check_tranches")
ASKED_BY_TRANCHES = {
    "logo": gettext_lazy("资金来源标识照片"),
    "audit": gettext_lazy("审计报告或财务专家意见"),
    "rectification": gettext_lazy("整改报告"),
}
EDITABLE = ("due", "returned")
PAPERS = frozenset({"pdf", "jpg", "png", "docx", "xlsx"})
MAX_PAPER = 20 * 1024 * 1024


def sections(evaluation: Evaluation) -> Sequence[Section]:
    """The sections this report asks for, from the rules the bid was written for."""
    forms = evaluation.award.bid.rules.forms
    return forms.midterm if evaluation.moment == Evaluation.Moment.MIDTERM else forms.final


def may_report(evaluation: Evaluation, person: Any) -> bool:
    """Whether a person may write the report now."""
    return evaluation.state in EDITABLE and reporter.allows(evaluation, person, clock.now())


def save_report(evaluation: Evaluation, section: str, answers: Mapping[str, Any], *, by: Any) -> Evaluation:
    """Replace one section's answers as a draft. Blanks are kept; wrong values are refused by field.

    Raises NotYou, NotNow (handed in already), Invalid with the fields.
    """
    asked = next(s for s in sections(evaluation) if s.code == section)
    held: Evaluation = keep_report(evaluation, section, {f.code: answers.get(f.code) for f in asked.fields}, by=by, strict=True).held
    return held


@transaction.atomic
def keep_report(
    evaluation: Evaluation,
    section: str,
    given: Mapping[str, Any],
    *,
    by: Any,
    based_on: Mapping[str, str] | None = None,
    strict: bool = False,
) -> Kept:
    """Save some answers of one section, as `bidding.services.keep` does: nothing that a colleague changed meanwhile is overwritten.

    based_on: answer → mark. strict: refuse what is wrong instead of keeping it as typed. Raises NotYou, NotNow, Invalid.
    """
    require(reporter, evaluation, by=by)
    held = Evaluation.objects.select_for_update(of=("self",)).select_related(*Evaluation.door_select).get(pk=evaluation.pk)
    if held.state not in EDITABLE:
        raise NotNow(_("报告已经提交，不能再修改；如需修改，请评估人退回。"), rule="report_editable")
    asked = next(s for s in sections(held) if s.code == section)
    before, noted = _section(held, asked), held.marks.get(section, {})
    tidy = form.normalise([asked], {section: {code: value for code, value in given.items() if code in before}})[section]
    merged = marks.merge(noted, before, tidy, based_on or {})
    values = {code: value for code, value in {**before, **merged.accepted}.items() if not form.is_empty(value)}
    wrong = _wrong(asked, values, refuse=strict)
    if merged.accepted:
        noted = marks.bumped(noted, merged.accepted, by=str(by.pk), at=clock.now().isoformat())
        held.answers, held.marks = {**held.answers, section: values}, {**held.marks, section: noted}
        held.achieved = _achieved(held)
        held.save(update_fields=["answers", "marks", "achieved"])
    return _kept(held, asked, merged.clashes, {name: told for name, told in wrong.items() if name.partition("-")[0] in merged.accepted})


def standing(evaluation: Evaluation, asked: Section) -> Kept:
    """The answers of a section as they are, with their marks, for showing it."""
    return _kept(evaluation, asked, (), {})


def _kept(evaluation: Evaluation, asked: Section, clashing: tuple[str, ...], wrong: Mapping[str, list[str]]) -> Kept:
    now, noted = _section(evaluation, asked), evaluation.marks.get(asked.code, {})
    shown = {answer: marks.mark(noted, answer, value) for answer, value in now.items()}
    return Kept(evaluation, now, shown, clashes_of(noted, now, clashing), wrong)


def _section(evaluation: Evaluation, asked: Section) -> dict[str, Any]:
    return {f.code: evaluation.answers.get(asked.code, {}).get(f.code) for f in asked.fields}


def _wrong(asked: Section, values: Mapping[str, Any], *, refuse: bool) -> dict[str, list[str]]:
    """Control → sentences. Raises Invalid when there are any and they are to be refused."""
    found = form.validate([asked], {asked.code: values}, final=False)
    wrong: dict[str, list[str]] = {}
    for each in found:
        wrong.setdefault(answer_field(each.field, each.row, each.column), []).append(each.message)
    if wrong and refuse:
        raise Invalid(_("有 %(n)d 处填写有误，请按提示修改。") % {"n": len(found)}, rule="report_fields", problems=wrong)
    return wrong


def problems(evaluation: Evaluation) -> list[str]:
    """Everything that keeps the report from being handed in, as sentences with the section's title."""
    asked = sections(evaluation)
    titles = {s.code: s.title for s in asked}
    found = form.validate(asked, evaluation.answers, final=True)
    return [f"{titles.get(p.section, p.section)}:{p.message}" for p in found]


def _achieved(evaluation: Evaluation) -> dict[str, str]:
    """KPI code → value reported, from the questions that report a KPI."""
    found = {}
    for section in sections(evaluation):
        for field in section.fields:
            value = evaluation.answers.get(section.code, {}).get(field.code)
            if field.kpi and _is_figure(value):
                found[field.kpi] = str(value)
    return found


def _is_figure(value: Any) -> bool:
    """What is kept as it was typed may be no number yet; then it is no result."""
    try:
        number(value)
    except NotMoney:
        return False
    return True


def against_plan(evaluation: Evaluation) -> list[dict[str, Any]]:
    """KPI by KPI: promised in the frozen bid or agreed since (reduction, change), reached so far, per cent — for the page and the evaluator."""
    version = evaluation.award.bid.latest
    agreed = evaluation.award.agreed_targets
    rows = [(row, agreed.get(key, row["target"])) for key, row in frozen_bid.keyed(version.content)] if version else []
    return [_row(row, target, evaluation.achieved) for row, target in rows]


def _row(row: Mapping[str, Any], agreed: Any, achieved: Mapping[str, str]) -> dict[str, Any]:
    code = row.get("code") or row.get("kind")
    target, got = Decimal(str(agreed)), achieved.get(str(code))
    percent = None if got is None or not target else whole(Decimal(got) * 100 / target)
    return {"name": row["name"], "unit": row.get("unit", ""), "target": target, "reached": got, "percent": percent}


def papers_of(award: Any) -> dict[str, str]:
    """Code → name of what may be put into a project's file: the call's closing list, and what tranches may ask for."""
    asked = {i.code: i.name for i in award.bid.rules.evaluation.closing}
    return {**{code: str(name) for code, name in ASKED_BY_TRANCHES.items()}, **asked}


def add_evidence(award: Any, code: str, *, name: str, file: Any, by: Any) -> Evidence:
    """Put a paper into the project's file, under the item of the closing list it answers. Raises NotYou, NotNow, Invalid, FileRefused."""
    role = require(contributor, award, by=by).role
    if code not in papers_of(award):
        sentence = _("项目档案没有“%(code)s”这一项，请从清单中选择。") % {"code": code}
        raise Invalid(sentence, rule="evidence_code", problems={"code": [sentence]})
    with transaction.atomic():
        state = type(award).objects.select_for_update(of=("self",)).get(pk=award.pk).state
        if state not in ("active", "terminated"):
            raise NotNow(_("项目不在执行中，档案不能再变动。"), rule="award_running")
        kept = store(file, name=file.name, allowed=PAPERS, max_bytes=MAX_PAPER)
        made = Evidence.objects.create(award=award, code=code, name=name, file=kept, added_by=by, added_at=clock.now())
        ledger.record(
            event="evidence.added", actor=str(by.pseudonym), role=role, subject=award.subject, scope=award.call.subject,
            verb="evidence", source=award.state, target=award.state, public={"code": code}, files={code: kept.sha256},
        )  # fmt: skip
    return made
