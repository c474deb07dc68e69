"""What follows grades and endings: withholding, termination, the organisation's track record, facts for later calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from grants import clock
from grants.awards.models import Award
from grants.calls.rulebook.parts.timetable import months_after
from grants.evaluation.grades import stored_outcome
from grants.evaluation.models import Evaluation, TrackRecord
from grants.funding.models import Tranche
from grants.people.models import Organisation
from grants.workflow.door import SYSTEM, begin, perform

WITHHOLDABLE = ("planned", "requested", "checked", "approved")


def schedule(award: Award) -> list[Evaluation]:
    """Arrange the mid-term and final evaluation of an award that has begun, as its rules ask; once."""
    with transaction.atomic():
        held = Award.objects.select_for_update(of=("self",)).select_related("bid__rules_version", "call").get(pk=award.pk)
        if held.evaluations.exists():
            return list(held.evaluations.all())
        rules, start = held.bid.rules, held.started_on or clock.today()
        made = []
        if rules.evaluation.midterm is not None:
            month = rules.timetable.midterm_month or max(rules.timetable.term_months // 2, 1)
            made.append(_begin(held, Evaluation.Moment.MIDTERM, months_after(start, month)))
        if rules.evaluation.final is not None:
            made.append(_begin(held, Evaluation.Moment.FINAL, months_after(start, rules.timetable.term_months + 1)))
        return made


def _begin(award: Award, moment: str, due: date) -> Evaluation:
    due_at = datetime.combine(due, time(), tzinfo=clock.TZ)
    return begin(Evaluation(award=award, moment=moment, due_at=due_at), by=SYSTEM)


def later(award: Award, months: int) -> None:
    """Move the final report's day later by `months`, while it has not been handed in."""
    for row in award.evaluations.select_for_update().filter(moment=Evaluation.Moment.FINAL, state__in=("due", "returned")):
        day = row.due_at.astimezone(clock.TZ).date() if row.due_at else clock.today()
        row.due_at = datetime.combine(months_after(day, months), time(), tzinfo=clock.TZ)
        row.save(update_fields=["due_at"])


def apply_consequences(evaluation: Evaluation) -> None:
    """Carry out what the confirmed grade leads to: withhold later tranches, write a bar into the record. By the clock, with reason."""
    found = stored_outcome(evaluation)
    reason = _("%(what)s等级「%(grade)s」：%(then)s。") % {
        "what": evaluation.get_moment_display(),
        "grade": found.band.name,
        "then": "、".join(found.consequences),
    }
    if found.withholds:
        for tranche in evaluation.award.tranches.filter(state__in=WITHHOLDABLE).order_by("number"):
            perform(tranche, "withhold", by=SYSTEM, note=reason)
    if found.barred_until is not None:
        _write(evaluation.award, "running", found.band.name, reason, found.barred_until)


def after_closing(award: Award) -> None:
    """A closed award: its contract is fulfilled, its grade goes onto the organisation's record."""
    final = award.evaluations.filter(moment="final", state="confirmed").first()
    if award.contract.state == "effective":
        perform(award.contract, "complete", by=SYSTEM)
    _write(award, "closed", final.grade_name if final else "", "", None)


def after_termination(award: Award) -> None:
    """A terminated award: no tranche is paid any more, and the organisation's record says so."""
    for tranche in _unpaid(award):
        perform(tranche, "cancel", by=SYSTEM, note=_("项目已终止，不再拨付。"))
    if award.contract.state == "effective":
        perform(award.contract, "end", by=SYSTEM, note=_("项目已终止，协议解除。"))
    _write(award, "terminated", "", _("项目终止"), None)


def _unpaid(award: Award) -> QuerySet[Tranche]:
    """Every tranche that can still be stopped; an order that went to the bank cannot, and waits for its slip."""
    rows = award.tranches.filter(state__in=(*WITHHOLDABLE, "withheld", "ordered"))
    return rows.exclude(state="ordered", payment_order__status__in=("sent_unknown", "paid")).order_by("number")


def _write(award: Award, outcome: str, grade: str, reason: str, barred_until: date | None) -> None:
    """One record per award. A bar once written is not shortened by a later entry."""
    reason = reason[:300]
    row, new = TrackRecord.objects.get_or_create(
        award=award,
        defaults={"organisation": award.bid.organisation, "outcome": outcome, "grade": grade, "reason": reason,
                  "barred_until": barred_until, "recorded_at": clock.now()},
    )  # fmt: skip
    if not new:
        row.outcome, row.grade, row.reason, row.recorded_at = outcome, grade or row.grade, reason or row.reason, clock.now()
        row.barred_until = max(filter(None, (row.barred_until, barred_until)), default=None)
        row.save(update_fields=["outcome", "grade", "reason", "recorded_at", "barred_until"])


def past_facts(organisation: Organisation, on: date) -> Mapping[str, Any]:
    """For the eligibility rules of later calls: earlier projects with grade or termination, and a standing bar."""
    from grants.calls.rulebook.eligibility import PastProject  # noqa: PLC0415 - pydantic is slow to import

    rows = list(organisation.track_records.select_related("award"))
    past = tuple(
        PastProject(
            year=(r.award.confirmed_at or r.recorded_at).astimezone(clock.TZ).year, grade=r.grade,
            decided_on=r.recorded_at.astimezone(clock.TZ).date(), terminated=r.outcome == "terminated",
        )
        for r in rows
    )  # fmt: skip
    bars = [r.barred_until for r in rows if r.barred_until and r.barred_until >= on]
    return {"past": past, "barred_until": max(bars, default=None)}
