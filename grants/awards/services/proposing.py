"""立项建议: from signed rankings to proposed awards; and the approver's last stroke over the whole list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.awards import across, checking, selection
from grants.awards import allocation as rules_of
from grants.awards.limits import booked, live, selection_rules, with_lots
from grants.awards.models import AgreedLine, Award, Decision
from grants.awards.numbering import award_number
from grants.awards.reduction import ReducedLine, spread
from grants.awards.rules import preparer
from grants.calls.models import Call
from grants.people.models import User
from grants.workflow.door import begin, perform, require
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid, NotNow, Refusal
from review.models import Panel, Result


def propose(call: Call, *, by: User, within: str = "") -> list[Decision]:
    """Turn every concluded ranking of a call that has none yet into decisions and awards; returns the new decisions in order.

    Order: locks the call, pulls each panel's results, asks `selection.propose` with what already stands booked first, writes one
    decision per ranked bid, lets each award in through the door with its agreed lines. One transaction: all or nothing. A panel
    that recommended no amount recommended what was asked. within: why competing panels are proposed each by itself (`grants.awards.across`).
    Raises NotYou, NotNow (nothing to propose, panels that compete and are not bridged), Invalid (rules contradict).
    """
    with transaction.atomic():
        held = Call.objects.select_for_update(of=("self",)).select_related("agency", "rules_version").get(pk=call.pk)
        role = require(preparer, held, by=by).role
        panels = list(ready(held))
        if not panels:
            raise NotNow(
                _("没有可以立项的评审结果：请先由评审组全体签署并出具评审报告；已经拟定过的不能重复拟定。"), rule="ranking_ready"
            )
        return [d for together in across.lists(held, panels, within) for d in _from_list(held, together, by=by, role=role, within=within.strip())]


def ready(call: Call) -> Any:
    """Concluded panels of a call whose ranking has not been turned into decisions."""
    return (
        Panel.objects.filter(call=call, state="concluded", decisions=None, results__isnull=False)
        .distinct()
        .order_by("concluded_at")
    )


def _from_list(call: Call, panels: list[Panel], *, by: User, role: str, within: str) -> list[Decision]:
    """Decide over the results of one panel, or of several ranked together."""
    results = {r.bid.number: r for panel in panels for r in _results(panel)}
    rules = selection_rules(call.rules)
    candidates, proposal = _select(call, list(results.values()), rules)
    decisions = [_decision(call, results[d.bid], d) for d in proposal.decisions if d.bid in results]
    Decision.objects.bulk_create(decisions)
    for decision in decisions:
        if decision.awarded:
            _award(decision, by=by)
    for panel in panels:
        own = [d for d in decisions if d.panel_id == panel.pk]
        event = _remember(call, panel, own, by, role, together=len(panels), within=within)
        checking.ask(panel, candidates, rules, event.pk)
    return decisions


def _remember(call: Call, panel: Panel, decisions: list[Decision], by: User, role: str, *, together: int, within: str) -> Any:
    """One entry for each panel; several panels ranked together, or each by itself for a reason, say so."""
    public = {
        "panel": str(panel.pk), "result": panel.result_hash(), "bids": len(decisions),
        "awards": sum(d.awarded for d in decisions), "amount": str(sum((d.amount for d in decisions), Decimal("0.00"))),
        **({"together": together} if together > 1 else {}), **({"within_panels": True} if within else {}),
    }  # fmt: skip
    return ledger.record(
        event="call.propose_awards", actor=str(by.pseudonym), role=role, subject=call.subject, scope=call.subject, public=public,
        private={"note": within} if within else None,
    )  # fmt: skip


def _results(panel: Panel) -> list[Result]:
    rows = panel.results.filter(bid__decision=None, bid__state="admitted").select_related("bid__organisation", "bid__sponsor", "panel")
    return list(rows.select_related("bid__rules_version").order_by("rank", "pk"))


def _select(call: Call, results: list[Result], rules: rules_of.SelectionRules) -> tuple[list[rules_of.Candidate], rules_of.Proposal]:
    standing = live(call)
    before = [booked(award, place - len(standing)) for place, award in enumerate(standing)]
    try:
        candidates = with_lots([*before, *_candidates(call, results)], rules, results)
        return candidates, selection.propose(candidates, rules)
    except rules_of.RulesContradict as contradiction:
        sentence = _("按现行规则不能拟定立项：%(why)s") % {"why": contradiction.sentence}
        raise Invalid(sentence, rule=f"selection_{contradiction.rule}") from contradiction


def _candidates(call: Call, results: list[Result]) -> list[rules_of.Candidate]:
    """In the places of their panel, or of one list where several panels are ranked together."""
    found = [_candidate(call, r) for r in results]
    if len({r.panel_id for r in results}) < 2:
        return found
    place = across.places(call, results)
    return [replace(candidate, place=place[candidate.bid]) for candidate in found]


def _candidate(call: Call, result: Result) -> rules_of.Candidate:
    """A ranked bid; one that did not pass is unranked whatever it asks."""
    bid, digits = result.bid, call.rules.review.decimals
    ask = asked(bid)
    score = result.total.quantize(Decimal(1).scaleb(-digits))
    recommended = result.recommended if result.recommended is not None else ask
    return rules_of.Candidate(
        bid.number,
        str(bid.organisation_id),
        result.rank,
        score,
        ask,
        bid.category,
        bid.track,
        recommended,
        bid.organisation.district,
    )


def asked(bid: Any) -> Decimal:
    """What the frozen bid asks for, 元."""
    version = bid.latest
    return Decimal("0.00") if version is None else Decimal(version.content["budget"]["grant"])


def _decision(call: Call, result: Result, found: rules_of.Decision) -> Decision:
    return Decision(
        call=call, bid=result.bid, panel=result.panel, rank=result.rank, score=result.total, awarded=found.awarded, amount=found.amount,
        rule=found.rule, reason=found.sentence[:300], made_at=clock.now(),
    )  # fmt: skip


def _award(decision: Decision, *, by: User) -> Award:
    award = Award(
        call=decision.call, bid=decision.bid, number=award_number(decision.call), amount=decision.amount, prepared_by=by
    )
    facts = Facts(public={"bid": decision.bid.number, "rank": decision.rank, "amount": str(decision.amount)})
    begin(award, by=by, facts=facts)
    _copy_lines(award)
    return award


def _copy_lines(award: Award) -> None:
    """The grant lines of the frozen bid; a smaller award is spread over them in proportion, for people to adjust."""
    version = award.bid.latest
    assert version is not None  # a ranked bid was submitted
    given = [line for line in version.content["budget"]["lines"] if line["source"] == "grant"]
    asked_lines = [ReducedLine(g["category"], g["name"], Decimal(g["amount"]), Decimal(g["amount"])) for g in given]
    agreed = spread(asked_lines, award.amount, reason="按核定金额同比例核减（待逐行调整）")
    AgreedLine.objects.bulk_create(
        AgreedLine(
            award=award,
            position=place,
            category=line.category,
            name=line.name[:100],
            asked=line.asked,
            agreed=line.agreed,
            reason=line.reason,
        )
        for place, line in enumerate(agreed, start=1)
    )


@dataclass(frozen=True)
class Taken:
    """The outcome over a list: awards that took the step, and why the others did not."""

    done: list[Award]
    refused: list[tuple[Award, Refusal]]


def confirm_all(call: Call, *, by: User, note: str = "") -> Taken:
    """确认立项 for every award in notice; those with an open objection are refused and stay."""
    return _each(call, "confirm", "noticed", by=by, note=note)


def _each(call: Call, verb: str, state: str, *, by: User, note: str) -> Taken:
    taken = Taken([], [])
    for award in Award.objects.filter(call=call, state=state).select_related(*Award.door_select).order_by("number"):
        try:
            taken.done.append(perform(award, verb, by=by, note=note))
        except Refusal as refusal:
            taken.refused.append((award, refusal))
    return taken
