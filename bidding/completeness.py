"""What still has to be done before a bid can be submitted: every problem at once, each with the page and the field to mend it on.

Reads the bid and its call's rules, writes nothing, imports no model. Money is compared exactly to the fen; exactly at a cap passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding import frozen
from bidding.budget import BudgetLine, BudgetRules, BudgetTotals, CategoryRule, check
from grants import clock
from grants.calls.rulebook import expressions
from grants.calls.rulebook.form import validate

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

UNIVERSITIES = "university"
"""An institution's kind on file does not tell universities apart; a rule that admits either admits both."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend. page: "about", "sections/<code>", "budget", "kpis", "team" or "attachments".

    field: the input, row or item on that page, may be empty. sentence: what is wrong and the way out. wrong: something is there that
    cannot stay, as against something that is still missing.
    """

    page: str
    field: str
    sentence: str
    wrong: bool = False

    @property
    def fragment(self) -> str:
        """Where to mend it, relative to the address of the bid's task list."""
        return f"{self.page}/#id_{self.field}" if self.field else f"{self.page}/"


def problems(bid: Any) -> list[Problem]:
    """Everything that keeps `bid` from being submitted, in the order of its pages; empty when it is complete."""
    return [*_unreadable(bid), *_about(bid), *_answers(bid), *_budget(bid), *_kpis(bid), *_team(bid), *_attachments(bid), *_carried(bid)]


def _page(page: str, field: str, sentence: str, *, wrong: bool = False) -> Problem:
    return Problem(page, field, str(sentence), wrong)


def _unreadable(bid: Any) -> Iterator[Problem]:
    """What was kept as it was typed because it can be no title, no amount, no choice."""
    for page, kept in bid.typed.items():
        field = next(iter(kept)) if page == "about" else ""
        yield _page(page, field, _("有内容无法识别，已按您输入的原样留着；请打开这一页，点“保存”查看并更正。"), wrong=True)


def _about(bid: Any) -> Iterator[Problem]:
    rules = bid.rules
    if not bid.title.strip():
        yield _page("about", "title", _("请填写项目名称。"))
    if bid.category not in {c.code for c in rules.categories}:
        yield _page("about", "category", _("请选择本次征集的一个服务领域。"))
    yield from _track(bid, rules)
    yield from _need(bid, rules)
    yield from _kind(bid, rules)
    yield from _sponsor(bid, rules)


def _track(bid: Any, rules: CallRules) -> Iterator[Problem]:
    if not rules.tracks:
        return
    track = next((t for t in rules.tracks if t.code == bid.track), None)
    if track is None:
        yield _page("about", "track", _("请选择参加的组别。"))
    elif not admits(track.kinds, bid.organisation):
        sentence = _("“%(track)s”只接受%(kinds)s，贵单位登记为“%(kind)s”，请选择其他组别。")
        kinds = "、".join(k.zh for k in track.kinds)
        yield _page("about", "track", sentence % {"track": track.name, "kinds": kinds, "kind": kind_name(bid.organisation)})


def _need(bid: Any, rules: CallRules) -> Iterator[Problem]:
    known = {item.code for item in rules.needs.items}
    if bid.need not in known and (bid.need or rules.needs.mode == "only_list"):
        yield _page("about", "need", _("本次征集只接受需求指引表内的项目，请选择所对应的需求。"))


def _kind(bid: Any, rules: CallRules) -> Iterator[Problem]:
    if not admits(rules.eligibility.kinds, bid.organisation):
        sentence = _("本次征集只接受%(kinds)s申报，贵单位登记为“%(kind)s”；如登记有误，请先更正单位信息。")
        kinds = "、".join(k.zh for k in rules.eligibility.kinds)
        yield _page("about", "", sentence % {"kinds": kinds, "kind": kind_name(bid.organisation)})


def not_admitted(bid: Any) -> list[str]:
    """Why the applicant cannot bid in this call at all, whatever is written: known before a word of the bid is."""
    return [problem.sentence for problem in _kind(bid, bid.rules)]


def admits(kinds: Any, organisation: Any) -> bool:
    """Whether an organisation is of one of the rulebook's entity kinds."""
    kind = str(organisation.kind_of_body)
    return kind in kinds or (kind == "institution" and UNIVERSITIES in kinds)


def kind_name(organisation: Any) -> str:
    """The Chinese name of an organisation's kind."""
    return str(organisation.Kind(organisation.kind_of_body).label)


def needs_sponsor(rules: CallRules, organisation: Any) -> bool:
    """Whether a registered body must sign and hold the account for this applicant (挂靠, domain §3.4)."""
    if getattr(organisation, "judged_elsewhere", False):  # `sealed_offline`: the sheet's choices are its sponsors
        return False
    sponsor = rules.eligibility.sponsor
    if sponsor is not None and admits(sponsor.kinds, organisation):
        return True
    return bool(rules.eligibility.legal_person) and not organisation.is_legal_person


def _sponsor(bid: Any, rules: CallRules) -> Iterator[Problem]:
    if not needs_sponsor(rules, bid.organisation):
        return
    wanted = rules.eligibility.sponsor.name if rules.eligibility.sponsor else ""
    if bid.sponsor is None:
        yield _page("about", "sponsor", sponsor_wanted(rules))
    elif wanted and bid.sponsor.name != wanted:
        yield _page("about", "sponsor", _("本次征集指定的托管组织是“%(name)s”，请改选。") % {"name": wanted})
    elif not sponsorship_stands(bid, clock.today()):
        sentence = _("与“%(name)s”的托管协议没有被对方接受或不在有效期内，请续签或改选。")
        yield _page("about", "sponsor", sentence % {"name": bid.sponsor.name})


def sponsor_wanted(rules: CallRules) -> str:
    """What is told to an applicant who must have a sponsor and has chosen none."""
    wanted = rules.eligibility.sponsor.name if rules.eligibility.sponsor else ""
    who = _("“%(name)s”") % {"name": wanted} if wanted else _("一家已登记的组织")
    return str(_("贵单位没有法人资格，须由%(who)s托管签约和收款，请先签订托管协议并在此选择。") % {"who": who})


def sponsorship_stands(bid: Any, day: date) -> bool:
    """Whether the sponsor has accepted an agreement that is valid on `day` (Shanghai), and is itself verified."""
    agreements = bid.organisation.sponsored_by.filter(sponsor_id=bid.sponsor_id, accepted_at__isnull=False)
    stands = agreements.filter(valid_from__lte=day, valid_to__gte=day).exists()
    return stands and bid.sponsor.state == "verified"


def _answers(bid: Any) -> Iterator[Problem]:
    asked = bid.rules.forms.application
    answers = frozen.with_files(asked, bid.answers, [*bid.attachments.all(), *frozen.declared(bid)])
    wrong = set(validate(asked, answers, final=False))
    for found in validate(asked, answers, final=True):
        field = answer_field(found.field, found.row, found.column)
        yield _page(f"sections/{found.section}", field, found.message, wrong=found in wrong)


def answer_field(field: str, row: int = 0, column: str = "") -> str:
    """The name of an answer's input in the section's form; row is 1-based, 0 outside tables."""
    return f"{field}-{row - 1}-{column}" if row and column else field


def budget_rules(bid: Any) -> BudgetRules:
    """The call's limits as the arithmetic reads them; of several caps on one project the lowest counts."""
    rules: CallRules = bid.rules
    places = (
        *(c.cap for c in rules.categories if c.code == bid.category),
        *(t.cap for t in rules.tracks if t.code == bid.track),
        *(n.cap for n in rules.needs.items if n.code == bid.need),
    )
    return BudgetRules(
        categories=tuple(CategoryRule(c.code, c.name, c.cap_share, c.cap_amount, c.banned) for c in rules.budget.categories),
        cap=min([rules.amounts.cap, *(cap for cap in places if cap is not None)]),
        floor=rules.amounts.floor,
        cap_share=rules.amounts.cap_share,
        match_share=rules.amounts.match_share,
        in_kind_share=rules.amounts.in_kind_share,
        banned_items=rules.budget.banned,
        max_lines=rules.budget.max_lines,
    )


COMBINED = gettext_lazy("%(message)s(%(because)s)")


def _budget(bid: Any) -> Iterator[Problem]:
    for row, rule, sentence in budget_told(frozen.budget_lines(bid), budget_rules(bid), bid.rules):
        field = "" if row is None else f"form-{row}-name"
        yield _page("budget", field, sentence, wrong=rule not in ("empty", "floor", "combined"))


def budget_told(lines: Sequence[BudgetLine], limits: BudgetRules, rules: CallRules) -> Iterator[tuple[int | None, str, str]]:
    """(row, rule, sentence with its way out) of everything wrong with a budget, the call's own limits last ("combined").

    `budget-rules.js` tells the very same of a bid that is still sealed.
    """
    report = check(lines, limits)
    yield from ((found.row, found.rule, f"{found.sentence}{found.way_out}") for found in report.problems)
    if not lines:
        return
    for each in rules.budget.rules:
        verdict = expressions.judge(expressions.parse(each.expr), budget_values(rules, report.totals))
        if not verdict.holds:
            yield None, "combined", str(COMBINED) % {"message": each.message, "because": verdict.because}


def budget_values(rules: CallRules, sums: BudgetTotals) -> dict[str, Any]:
    """Names that budget rules may use: each category's grant money, and the totals, in 元."""
    values = {c.code: sums.by_category.get(c.code, sums.grant * 0) for c in rules.budget.categories}
    return {**values, "grant": sums.grant, "match": sums.match, "in_kind": sums.match_in_kind, "project": sums.project}


def _kpis(bid: Any) -> Iterator[Problem]:
    rows = list(bid.kpis.all())
    for asked in bid.rules.outcomes.kpis:
        promised = [row.target for row in rows if row.code == asked.code]
        page, field = kpi_place(bid.rules, asked.code)
        if asked.required and not promised:
            yield _page(page, field, _("请填写指标“%(name)s”的目标值。") % {"name": asked.name})
        elif promised and asked.minimum is not None and sum(promised) < asked.minimum:
            sentence = _("指标“%(name)s”的目标值 %(given)s 低于本次征集的最低值 %(least)s。")
            shown = {"name": asked.name, "given": _plain(Decimal(sum(promised))), "least": _plain(asked.minimum)}
            yield _page(page, field, sentence % shown)
    yield from _beneficiaries(bid, rows)


def kpi_place(rules: CallRules, code: str) -> tuple[str, str]:
    """(page, field) where an indicator is written: a question of the form that promises it, else the page of indicators."""
    for section in rules.forms.application:
        for field in section.fields:
            if field.kpi == code:
                return f"sections/{section.code}", field.code
    return "kpis", code


def _beneficiaries(bid: Any, rows: list[Any]) -> Iterator[Problem]:
    """Who is served, by kind (domain §3.1); a one-page micro-grant form may leave that to its text."""
    groups = set(bid.rules.outcomes.beneficiaries)
    if not bid.rules.amounts.micro and not any(row.group in groups and row.target > 0 for row in rows):
        yield _page("kpis", "groups", _("请至少写明一个受益人群的人数或人次。"))
    for row in rows:
        if row.group and row.group not in groups:
            yield _page("kpis", "groups", _("受益人群“%(group)s”不在本次征集的类别中，请改选。") % {"group": row.group})


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _team(bid: Any) -> Iterator[Problem]:
    rules, members = bid.rules.eligibility, list(bid.team.all())
    least = max(1, 0 if bid.organisation.is_legal_person else rules.minimum_adults)
    if len(members) < least:
        yield _page("team", "", _("请至少列出 %(n)d 名项目成员（须为成年人）。") % {"n": least})
    if rules.professionals is None:
        return
    held = sum(1 for m in members if is_professional(m.qualification, m.licence_no, rules.professionals.titles))
    if held < rules.professionals.at_least:
        sentence = _("本次征集要求至少 %(n)d 名持证专业人员（%(titles)s），现有 %(held)d 名；请补充姓名、职业资格和证书编号。")
        titles = "、".join(rules.professionals.titles)
        yield _page("team", "", sentence % {"n": rules.professionals.at_least, "titles": titles, "held": held})
    supervisors = sum(1 for m in members if m.is_supervisor)
    if supervisors < rules.professionals.supervisors:
        yield _page("team", "", _("请至少指定 %(n)d 名督导。") % {"n": rules.professionals.supervisors})


def is_professional(qualification: str, licence_no: str, titles: Any) -> bool:
    """Whether a member holds one of the licences that count, with its number."""
    return qualification in titles and bool(licence_no.strip())


def _carried(bid: Any) -> Iterator[Problem]:
    """Answers that were carried over from the profile or an earlier bid, and that nobody has confirmed or changed."""
    from bidding.prefilled import unsettled  # noqa: PLC0415 - it imports the models, which ask this module when submitting

    if getattr(bid.organisation, "judged_elsewhere", False):
        return
    labels = {(s.code, f.code): f.label for s in bid.rules.forms.application for f in s.fields}
    for mark in unsettled(bid):
        page = f"sections/{mark.section}" if mark.field else mark.section
        label = labels.get((mark.section, mark.field), _("人员名单"))
        yield _page(page, mark.field, _("“%(label)s”是从单位资料或以往申报带入的，请核对后确认或修改。") % {"label": label})


def asked_attachments(bid: Any) -> list[Any]:
    """Items of the call's attachment list that this applicant is asked for with the bid."""
    return [
        a for a in bid.rules.attachments
        if a.phase == "application" and (not a.required_for or admits(a.required_for, bid.organisation))
    ]  # fmt: skip


def _attachments(bid: Any) -> Iterator[Problem]:
    rows = [*bid.attachments.all(), *frozen.declared(bid)]
    for asked in asked_attachments(bid):
        given = [row for row in rows if row.code == asked.code]
        if asked.required and not given:
            yield _page("attachments", asked.code, _("请上传“%(name)s”。") % {"name": asked.name})
        for row in given:
            yield from _expiry(asked, row)


def _expiry(asked: Any, row: Any) -> Iterator[Problem]:
    if not asked.expires:
        return
    if row.expires_on is None:
        yield _page("attachments", asked.code, _("请填写“%(name)s”的有效期截止日。") % {"name": asked.name})
    elif row.expires_on < clock.today():
        sentence = _("“%(name)s”已于 %(day)s 过期，请更换在有效期内的文件。")
        yield _page("attachments", asked.code, sentence % {"name": asked.name, "day": row.expires_on.isoformat()}, wrong=True)
