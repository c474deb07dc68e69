"""核减: writing the agreed budget line by line, and what is still open before a contract may be issued.

The amount of an award is always the sum of its agreed lines; it only ever falls. People served, goals and core services stay as the
frozen bid says (三不变); targets may fall at most in proportion, and only with the grantee's consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants.awards import frozen_bid
from grants.awards.reduction import Core, ReducedLine, Reduction, ReductionProblem, Target, check
from grants.money import NotMoney, exact, total, yuan
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid

if TYPE_CHECKING:
    from grants.awards.models import Award, Contract

Given = Mapping[Any, tuple[Any, str]]
"""Agreed line's primary key → (agreed 元, reason); lines left out stay as they are."""


def write(award: Award, given: Given, reason: str, targets: Mapping[str, int], core: Core | None) -> Facts:
    """Write lines, targets and amount; the grantee's consent starts anew. Called by the award's `reduce` step only.

    core: what the reduced project would serve, aim at and do; None: as before. Raises Invalid naming every line and target.
    """
    lines = list(award.lines.all())
    _refuse_strangers({line.pk for line in lines}, given)
    for line in lines:
        line.agreed, line.reason = _asked_for(line, given)
    wanted = {**award.agreed_targets, **targets}
    _refuse(judged(award, lines, wanted, core, consented=True), lines)
    before, after = award.amount, total([line.agreed for line in lines])
    if after > before:
        raise _invalid("amount", _("核定合计 %(after)s 超过现在的立项金额 %(before)s；核减只减不增。") % _pair(before, after))
    type(lines[0]).objects.bulk_update(lines, ["agreed", "reason"])
    award.amount, award.agreed_targets, award.reduction_reason = after, wanted, reason.strip()[:300]
    award.grantee_agreed_by = award.grantee_agreed_at = None
    changed = {"from": str(before), "to": str(after), "lines": len(given), "targets": len(targets)}
    return Facts(public=changed, private={"note": reason.strip()} if reason.strip() else {}, files={"budget": award.budget_hash()})


def _refuse_strangers(known: set[int], given: Given) -> None:
    if not known:
        raise _invalid("lines", _("这个项目没有预算行，不能核减。"))
    if set(given) - known:
        raise _invalid("lines", _("提交的预算行不属于这个项目，请刷新页面后重填。"))


def _asked_for(line: Any, given: Given) -> tuple[Decimal, str]:
    if line.pk not in given:
        return line.agreed, line.reason
    amount, reason = given[line.pk]
    try:
        return exact(amount), str(reason).strip()[:200]
    except NotMoney as wrong:
        raise _invalid(f"agreed_{line.pk}", f"{line.name}：{wrong.sentence}") from wrong


def judged(award: Award, lines: list[Any], targets: Mapping[str, int], core: Core | None, *, consented: bool) -> Reduction:
    """The pure check of these lines and targets against the frozen bid."""
    version = award.bid.latest
    assert version is not None  # an award's bid was submitted
    content = version.content
    before = frozen_bid.core(content)
    rows = [ReducedLine(line.category, line.name, line.asked, line.agreed, line.reason) for line in lines]
    promised = frozen_bid.targets(content)
    _refuse_unknown_targets(promised, targets)
    wanted = [Target(key, name, least, targets.get(key, least)) for key, (name, least, _unit) in promised.items()]
    amount = total([line.agreed for line in lines])
    return check(rows, award=amount, before=before, after=core or before, targets=wanted, consented=consented)


def _refuse_unknown_targets(promised: Mapping[str, Any], targets: Mapping[str, int]) -> None:
    strange = [key for key in targets if key not in promised]
    if strange:
        raise _invalid("targets", _("申报书没有指标“%(key)s”。") % {"key": strange[0]})


def _refuse(outcome: Reduction, lines: list[Any]) -> None:
    if not outcome.problems:
        return
    problems: dict[str, list[str]] = {}
    for p in outcome.problems:
        field = f"agreed_{lines[p.row].pk}" if p.row is not None else p.rule
        problems.setdefault(field, []).append(f"{p.sentence}{p.way_out}")
    sentence = _("核减方案有 %(n)d 处不合规：%(first)s") % {"n": len(outcome.problems), "first": outcome.problems[0].sentence}
    raise Invalid(sentence, rule=f"reduction_{outcome.problems[0].rule}", problems=problems, verb="reduce")


def open_points(contract: Contract) -> list[str]:
    """What keeps a contract from being issued on the side of the money, in sentences; empty when all is agreed."""
    award = contract.award
    lines = list(award.lines.all())
    found = [_sentence(p) for p in judged(award, lines, award.agreed_targets, None, consented=True).problems]
    agreed = total([line.agreed for line in lines])
    if agreed != award.amount:
        found.append(_("各行核定合计 %(lines)s 与立项金额 %(award)s 不一致") % {"lines": yuan(agreed), "award": yuan(award.amount)})
    if needs_consent(award, lines) and award.grantee_agreed_at is None:
        found.append(_("申报单位签署人还没有确认核减后的预算和指标"))
    if contract.data.get("amount") != f"{award.amount:.2f}" or not _prints(contract, lines, award.agreed_targets):
        found.append(_("协议文本不是按现在的核定结果生成的，请先“重新生成文本”"))
    return found


def needs_consent(award: Award, lines: list[Any]) -> bool:
    """Whether the grantee gets less, or owes other figures, than it asked for."""
    return any(line.agreed != line.asked for line in lines) or bool(award.agreed_targets)


def _prints(contract: Contract, lines: list[Any], targets: Mapping[str, int]) -> bool:
    """Whether the text has these very lines and targets; both were written into its data when it was composed."""
    printed = [item["agreed"] for item in contract.data.get("budget", []) if item["asked"] != "0.00"]
    wanted = [f"{line.agreed:.2f}" for line in lines if line.asked]
    return printed == wanted and contract.agreed_targets == dict(targets)


def _sentence(problem: ReductionProblem) -> str:
    return problem.sentence.rstrip("。")


def _pair(before: Decimal, after: Decimal) -> dict[str, str]:
    return {"before": yuan(before), "after": yuan(after)}


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, rule=f"reduction_{field.partition('_')[0]}", problems={field: [sentence]}, verb="reduce")
