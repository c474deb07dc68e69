"""变更: money between lines, targets, time, people — asked for by the grantee, decided by whoever the call's thresholds name, applied by
the decision itself. The award's total never changes, so award = Σ lines = Σ tranches = Σ sources holds before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from bidding.budget import BudgetLine, BudgetRules, CategoryRule, Source, check
from bidding.completeness import budget_values
from grants import clock
from grants.awards import frozen_bid
from grants.awards.models import Award
from grants.calls.rulebook import expressions
from grants.funding.expenses import Change, ChangeLimits, Decider, Route, route
from grants.funding.models import ChangeRequest
from grants.funding.records import invalid, locked_award, nothing_came_back
from grants.money import ZERO, total, yuan
from grants.workflow.door import SYSTEM, begin, perform

APPLIED = "applied"


def limits_of(award: Award) -> ChangeLimits:
    """The thresholds of the rules the bid was written for."""
    rules = award.bid.rules.funding.changes
    return ChangeLimits(rules.record_up_to, rules.operator_up_to, rules.extensions_max, rules.extension_months)


def extended_by(award: Award) -> int:
    """Months by which applied changes have extended the project."""
    return award.changes.filter(state=APPLIED).aggregate(n=Sum("extension_months"))["n"] or 0


def targets_of(award: Award) -> dict[str, tuple[str, int, str]]:
    """Key → (name, figure that counts now, unit) of every indicator."""
    version = award.bid.latest
    promised = frozen_bid.targets(version.content) if version else {}
    return {key: (name, int(award.agreed_targets.get(key, figure)), unit) for key, (name, figure, unit) in promised.items()}


def propose_change(
    award: Award, *, by: Any, reason: str, lines: Mapping[int, Decimal] | None = None, targets: Mapping[str, int] | None = None,
    extension_months: int = 0, people: str = "",
) -> ChangeRequest:  # fmt: skip
    """Ask for a change of a running project. lines: id of an agreed line → its new amount, 元; targets: key → new figure.

    Movements within the recording threshold take effect at once. Raises NotYou, NotNow (not running, another change open),
    Invalid (nothing changes, total differs, a line below what is spent, over a cap, extension not allowed).
    """
    with transaction.atomic():
        held = locked_award(award)
        nothing_came_back(held)
        made = _draft(held, by, reason, lines or {}, targets or {}, extension_months, people)
        begin(made, by=by, note=reason.strip())
        if made.decider == Decider.RECORD:
            made = perform(made, "record", by=SYSTEM)
    return made


def _draft(
    award: Award, by: Any, reason: str, lines: Mapping[int, Decimal], targets: Mapping[str, int], months: int, people: str
) -> ChangeRequest:
    if not reason.strip():
        raise invalid("reason", _("请写明变更的原因。"))
    before, figures = {str(line.pk): line.agreed for line in award.lines.all()}, targets_of(award)
    _known(lines, targets, before, figures)
    after = {**before, **{str(pk): amount for pk, amount in lines.items()}}
    moved = {key: figure for key, figure in targets.items() if figure != figures[key][1]}
    found = judge(award, after, moved, months, people)
    made = ChangeRequest(
        award=award, number=award.changes.count() + 1, reason=reason.strip(), people=people.strip(), extension_months=months,
        before={"lines": _text(before), "targets": {key: figures[key][1] for key in moved}},
        after={"lines": _text(after), "targets": moved}, decider=found.decider, sentence=found.sentence[:300], requested_by=by,
    )  # fmt: skip
    if problem := obstacle(made):
        raise invalid("lines", problem)
    return made


def _known(lines: Mapping[int, Decimal], targets: Mapping[str, int], before: Mapping[str, Decimal], figures: Mapping[str, Any]) -> None:
    if not {str(pk) for pk in lines} <= set(before):
        raise invalid("lines", _("有一行不在核定预算中，请刷新页面后重填。"))
    if not set(targets) <= set(figures) or any(figure < 0 for figure in targets.values()):
        raise invalid("targets", _("指标不在协议中，或目标值为负，请刷新页面后重填。"))


def _text(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {key: f"{amount:.2f}" for key, amount in amounts.items()}


def judge(award: Award, after: Mapping[str, Decimal], targets: Mapping[str, int], months: int, people: str) -> Route:
    """Who decides. Raises Invalid where the change may not be made at all, or changes nothing."""
    names = _names(award)
    before = {names[str(line.pk)]: line.agreed for line in award.lines.all()}
    wanted = {names[key]: amount for key, amount in after.items()}
    substance = [*([_("指标")] if targets else []), *([_("人员")] if people.strip() else [])]
    made = award.changes.filter(state=APPLIED, extension_months__gt=0).count()
    found = route(Change(before, wanted, substance, months, made), limits_of(award))
    if found.decider == Decider.NOBODY:
        raise invalid("lines", found.sentence)
    if before == wanted and not substance and not months:
        raise invalid("lines", _("没有任何变动，不需要申请。"))
    return found


def _names(award: Award) -> dict[str, str]:
    """Id of an agreed line → a name that is unique in the award."""
    found: dict[str, str] = {}
    for line in award.lines.all():
        found[str(line.pk)] = line.name if line.name not in found.values() else f"{line.name}（{line.position + 1}）"
    return found


def obstacle(change: ChangeRequest) -> str:
    """Why the change cannot take effect as the project stands now, or ""."""
    award = change.award
    lines = list(award.lines.all())
    if {str(line.pk): f"{line.agreed:.2f}" for line in lines} != change.before["lines"]:
        return _("核定预算在申请之后又有变动，请撤回后按现在的预算重新申请。")
    after = {key: Decimal(amount) for key, amount in change.after["lines"].items()}
    if total(list(after.values())) != award.amount:
        sentence = _("变更后合计 %(sum)s，与立项金额 %(award)s 不一致；变更只能在各行之间调整。")
        return sentence % {"sum": yuan(total(list(after.values()))), "award": yuan(award.amount)}
    return _spent_below(award, lines, after) or _over_caps(award, lines, after)


def _spent_below(award: Award, lines: list[Any], after: Mapping[str, Decimal]) -> str:
    spent = award.expenses.filter(money="grant", disallowed_reason="").values_list("line_id").annotate(s=Sum("amount"))
    used = {pk: amount for pk, amount in spent}  # noqa: C416 - the queryset yields rows, not pairs, to the type checker
    for line in lines:
        if after[str(line.pk)] < used.get(line.pk, ZERO):
            sentence = _("“%(line)s”已支出 %(spent)s，不能调到 %(after)s。")
            return sentence % {"line": line.name, "spent": yuan(used[line.pk]), "after": yuan(after[str(line.pk)])}
    return ""


CAPS = frozenset({"category_share", "category_amount"})


def _over_caps(award: Award, lines: list[Any], after: Mapping[str, Decimal]) -> str:
    """The call's caps per category and its combined limits, on the grant as it would be."""
    rules = award.bid.rules
    rows = [BudgetLine(x.category, x.name, after[str(x.pk)], Decimal(1), after[str(x.pk)], Source.GRANT) for x in lines if after[str(x.pk)]]
    caps = tuple(CategoryRule(c.code, c.name, c.cap_share, c.cap_amount, c.banned) for c in rules.budget.categories)
    report = check(rows, BudgetRules(categories=caps, cap=award.amount))
    over = next((p for p in report.problems if p.rule in CAPS), None)
    if over is not None:
        return f"{over.sentence}{over.way_out}"
    for each in rules.budget.rules:
        verdict = expressions.judge(expressions.parse(each.expr), budget_values(rules, report.totals))
        if not verdict.holds:
            return f"{each.message}（{verdict.because}）"
    return ""


def carry_out(change: ChangeRequest) -> dict[str, Any]:
    """Write the change into the award. Called by the deciding steps only, inside the door's transaction. Returns what the ledger keeps."""
    award = locked_award(change.award)
    before = award.budget_hash()
    for line in award.lines.all():
        amount = Decimal(change.after["lines"][str(line.pk)])
        if amount != line.agreed:
            line.agreed, line.raised = amount, max(ZERO, amount - line.asked)
            line.save(update_fields=["agreed", "raised"])
    award.agreed_targets = {**award.agreed_targets, **change.after["targets"]}
    award.save(update_fields=["agreed_targets"])
    change.applied_at = clock.now()
    return {
        "number": change.number, "decider": str(change.decider), "extension_months": change.extension_months,
        "targets": change.after["targets"], "people": bool(change.people), "budget_before": before, "budget_after": award.budget_hash(),
    }  # fmt: skip


def rows_of(change: ChangeRequest) -> list[tuple[str, str, str]]:
    """(what, before, after) of everything that differs, for the page and the annex."""
    names, figures = _names(change.award), targets_of(change.award)
    old, new = change.before["lines"], change.after["lines"]
    money = [(names.get(key, key), yuan(Decimal(old[key])), yuan(Decimal(new[key]))) for key in new if old[key] != new[key]]
    was = change.before["targets"]
    promised = [(figures[key][0] if key in figures else key, str(was[key]), str(figure)) for key, figure in change.after["targets"].items()]
    time = [(_("实施期"), "—", _("延长 %(n)d 个月") % {"n": change.extension_months})] if change.extension_months else []
    return [*money, *promised, *time, *([(_("人员"), "—", change.people)] if change.people else [])]
