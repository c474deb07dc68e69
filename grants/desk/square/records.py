"""Records of single things for the square — calls, notices, results, projects, organisations — each through the whitelist."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from grants import clock
from grants.awards import frozen_bid
from grants.awards.models import Award, Decision, Objection, PublicNotice
from grants.calls.models import Call
from grants.calls.needs.places import DISTRICT_WIDE, street_of
from grants.clock.calendar import overrides
from grants.clock.working_days import Overrides, is_workday
from grants.desk.square.supply import COUNTED, Funded, field_of, source_name
from grants.desk.square.whitelist import public
from grants.evaluation.models import Evaluation, TrackRecord
from grants.money import ZERO, whole
from grants.people.models import Organisation

KINDS = dict(Organisation.Kind.choices)


def days_left(moment: datetime) -> int:
    """Whole days until `moment`, in Shanghai's calendar; 0 on the last day."""
    return max((moment.astimezone(clock.TZ).date() - clock.today()).days, 0)


def working_days_left(last: date, table: Overrides) -> int:
    """Working days from today to the last day, both counted. table: this installation's 调休, read once per page."""
    span = (last - clock.today()).days
    return sum(is_workday(clock.today() + timedelta(days=n), table) for n in range(max(span + 1, 0)))


# --- calls ---------------------------------------------------------------------------------------------------------------


def call_record(call: Call) -> dict[str, Any]:
    """One call for a list: money, who may bid, fields, streets, days left. Reads the rules, no query."""
    rules = call.rules
    kinds = {*map(str, rules.eligibility.kinds), *(str(k) for track in rules.tracks for k in track.kinds)}
    places = {street_of(item.place) for item in rules.needs.items} | {street_of(call.agency.name)}
    return public("call", {
        "code": call.code, "title": call.title, "agency": call.agency.name, "state": call.state, "state_label": str(call.get_state_display()),  # type: ignore[attr-defined]
        "opens_at": call.opens_at, "closes_at": call.closes_at, "days_left": days_left(call.closes_at) if call.closes_at else 0,
        "cap": rules.amounts.cap, "pool": rules.pool.grants, "kinds": sorted(kinds, key=list(KINDS).index),
        "fields": list(dict.fromkeys(str(field_of(call, c.code)) for c in rules.categories)),
        "streets": sorted(places - {""}) or [DISTRICT_WIDE],
    })  # fmt: skip


def open_calls() -> list[dict[str, Any]]:
    """Calls one may bid in now or soon, the nearest deadline first. One query."""
    rows = Call.objects.filter(state__in=("published", "open")).select_related("agency", "rules_version").order_by("closes_at", "code")
    return [call_record(call) for call in rows]


def past_calls() -> Any:
    """Closed rounds, newest first; a queryset to be paged."""
    rows = Call.objects.filter(state__in=("closed", "decided", "archived")).select_related("agency")
    return rows.order_by("-closes_at", "code")


def past_records(calls: list[Call]) -> list[dict[str, Any]]:
    """Closed rounds with their projects and money, and whether there are results to read. Two queries."""
    given = Award.objects.filter(call__in=calls, state__in=COUNTED).values_list("call_id").annotate(n=Count("pk"), money=Sum("amount")).order_by()
    held = {call: (n, money) for call, n, money in given}
    told = set(PublicNotice.objects.filter(call__in=calls).values_list("call_id", flat=True))
    return [_past(call, *held.get(call.pk, (0, ZERO)), told=call.pk in told) for call in calls]


def _past(call: Call, awards: int, awarded: Decimal, *, told: bool) -> dict[str, Any]:
    return public("call", {
        "code": call.code, "title": call.title, "agency": call.agency.name, "state": call.state, "state_label": str(call.get_state_display()),  # type: ignore[attr-defined]
        "closes_at": call.closes_at, "awards": awards, "awarded": awarded, "has_results": told,
    })  # fmt: skip


# --- notices and objections ------------------------------------------------------------------------------------------------


def notice_records(rows: list[PublicNotice]) -> list[dict[str, Any]]:
    """Notices with the working days left and how many objections there are. Two queries besides the rows."""
    held: dict[Any, Counter[str]] = {}
    for notice, state, n in Objection.objects.filter(notice__in=rows).values_list("notice_id", "state").annotate(n=Count("pk")).order_by():
        held.setdefault(notice, Counter())[state] = n
    table = overrides()
    return [_notice(row, held.get(row.pk, Counter()), table) for row in rows]


def _notice(notice: PublicNotice, objections: Counter[str], table: Overrides) -> dict[str, Any]:
    return public("notice", {
        "pk": notice.pk, "number": notice.number, "title": notice.title, "call_code": notice.call.code, "call_title": notice.call.title,
        "agency": notice.call.agency.name, "last_day": notice.last_day, "objections_end": notice.objections_end,
        "working_days": working_days_left(notice.last_day, table), "running": clock.now() < notice.objections_end,
        "count": notice.body.get("count", 0), "total": Decimal(notice.body.get("total", "0")), "objections": sum(objections.values()),
    })  # fmt: skip


def objection_records(notice: PublicNotice) -> list[dict[str, Any]]:
    """Number, day, which project, state: never who, nor what they wrote. One query."""
    rows = Objection.objects.filter(notice=notice).select_related("award").order_by("created_at")
    return [
        public("objection", {
            "number": row.number, "filed_on": row.created_at.astimezone(clock.TZ).date(),
            "about": row.award.number if row.award else "", "state": row.state, "state_label": str(row.get_state_display()),  # type: ignore[attr-defined]
            "closed_on": row.replied_at.astimezone(clock.TZ).date() if row.replied_at else None,
        }) for row in rows
    ]  # fmt: skip


# --- results ---------------------------------------------------------------------------------------------------------------


def result_records(decisions: list[Decision], states: dict[Any, tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Every ranked bid with score, decision and reason. Funded ones by name; the others by their number alone, which only they know.

    states: bid → (award number, state, label).
    """
    return [_result(row, states.get(row.bid_id)) for row in decisions]


def _result(row: Decision, award: tuple[str, str, str] | None) -> dict[str, Any]:
    stands = award is not None and award[1] in COUNTED
    values: dict[str, Any] = {
        "bid_number": row.bid.number, "rank": row.rank, "score": row.score, "awarded": row.awarded, "amount": row.amount, "reason": row.reason,
        "award_number": award[0] if award and stands else "", "state": award[1] if award else "", "state_label": award[2] if award else "",
    }  # fmt: skip
    if row.awarded:
        values |= {"project": row.bid.title, "organisation": row.bid.organisation.name, "organisation_id": row.bid.organisation_id}
    return public("result", values)


# --- projects --------------------------------------------------------------------------------------------------------------


def project_record(award: Award, place: Funded) -> dict[str, Any]:
    """One funded project for the list and the head of its page."""
    bid = award.bid
    return public("project", {
        "number": award.number, "title": bid.title, "call_code": place.call, "call_title": place.call_title, "agency": award.call.agency.name,
        "organisation": bid.organisation.name, "organisation_id": bid.organisation_id, "sponsor": bid.sponsor.name if bid.sponsor else "",
        "field": str(place.field.label), "street": place.street, "amount": award.amount, "state": award.state,
        "state_label": str(award.get_state_display()), "started_on": award.started_on, "closed_on": award.closed_on,  # type: ignore[attr-defined]
    })  # fmt: skip


def project_parts(award: Award) -> dict[str, Any]:
    """Sources, tranches, targets and what was reached, evaluations, surplus of one project. Seven queries."""
    reports = list(award.evaluations.order_by("due_at"))
    surplus = getattr(award, "surplus", None)
    return {
        "sources": [_source(a) for a in award.allocations.select_related("source").order_by("pk")],
        "tranches": [_tranche(t) for t in award.tranches.order_by("number")],
        "targets": _targets(award, reports),
        "evaluations": [_evaluation(e) for e in reports],
        "surplus": None if surplus is None or not surplus.amount else public("surplus", {"amount": surplus.amount, "returned_on": _day(surplus.returned_at)}),
    }  # fmt: skip


def _source(row: Any) -> dict[str, Any]:
    return public("source", {"name": source_name(row.source.kind), "amount": row.amount})


def _tranche(row: Any) -> dict[str, Any]:
    """What is asked, checked and ordered is between the parties; the public hears of what was paid, withheld or cancelled."""
    told = row.state in ("paid", "withheld", "cancelled")
    return public("tranche", {
        "number": row.number, "percent": row.percent, "amount": row.amount, "state": row.state if told else "planned",
        "state_label": str(row.get_state_display()) if told else _("尚未拨付"), "paid_on": _day(row.paid_at),
    })  # fmt: skip


def _targets(award: Award, reports: list[Evaluation]) -> list[dict[str, Any]]:
    """What was promised, cut if it was agreed so, and what the newest confirmed report says was reached."""
    version = award.bid.latest
    if version is None:
        return []
    confirmed = [r for r in reports if r.state == "confirmed"]
    achieved = confirmed[-1].achieved if confirmed else {}
    return [_target(key, row, award.agreed_targets, achieved) for key, row in frozen_bid.keyed(version.content)]


def _target(key: str, row: Any, agreed: dict[str, Any], achieved: dict[str, Any]) -> dict[str, Any]:
    target = Decimal(str(agreed.get(key, row["target"])))
    got = achieved.get(str(row.get("code") or row.get("kind")))
    value = None if got in (None, "") else Decimal(str(got))
    per_cent = None if value is None or not target else whole(value * 100 / target)
    return public("target", {"name": row["name"], "target": target.normalize(), "unit": row.get("unit", ""), "reached": value, "percent": per_cent})


def _evaluation(row: Evaluation) -> dict[str, Any]:
    done = row.state == "confirmed"
    return public("evaluation", {
        "moment": str(row.get_moment_display()), "state_label": _stage(row), "grade": row.grade_name if done else "",  # type: ignore[attr-defined]
        "on_time": on_time(row), "confirmed_on": _day(row.confirmed_at),
    })  # fmt: skip


def _stage(row: Evaluation) -> str:
    """Where a report stands, as far as it is the public's business."""
    if row.state == "confirmed":
        return str(row.get_state_display())  # type: ignore[attr-defined]
    return _("未到期") if on_time(row) is None else _("进行中")


def on_time(row: Evaluation) -> bool | None:
    """Whether the report came before its day was over; None while it is not due."""
    if row.submitted_at is not None:
        return row.due_at is None or row.submitted_at < row.due_at
    return False if row.due_at is not None and clock.now() >= row.due_at else None


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(clock.TZ).date() if moment else None


# --- organisations -----------------------------------------------------------------------------------------------------------


def organisations() -> Any:
    """Verified organisations that were funded at least once, most projects first; a queryset to be paged."""
    mine = Q(bids__award__state__in=COUNTED)
    rows = Organisation.objects.filter(state__in=("verified", "suspended")).annotate(
        funded=Count("bids__award", filter=mine), money=Sum("bids__award__amount", filter=mine),
        ended=Count("bids__award", filter=Q(bids__award__state="closed")), broken=Count("bids__award", filter=Q(bids__award__state="terminated")),
    )  # fmt: skip
    return rows.filter(funded__gt=0).order_by("-funded", "name")


def organisation_record(row: Any, assessment: str = "") -> dict[str, Any]:
    """One organisation of the list, or the head of its page."""
    return public("organisation", {
        "pk": row.pk, "name": row.name, "kind": str(row.get_kind_of_body_display()), "field": row.field, "district": row.district,
        "registered_on": row.registered_on, "assessment": assessment, "awards": row.funded, "amount": row.money or ZERO, "closed": row.ended,
        "terminated": row.broken,
    })  # fmt: skip


def track(organisation: Organisation) -> list[dict[str, Any]]:
    """Award by award: money, outcome, grade, reports in time. Three queries."""
    awards = Award.objects.filter(bid__organisation=organisation, state__in=COUNTED, confirmed_at__isnull=False).select_related("bid", "call")
    held = {row.award_id: row for row in TrackRecord.objects.filter(organisation=organisation)}
    reports: dict[Any, list[Evaluation]] = {}
    for report in Evaluation.objects.filter(award__in=awards.values("pk")).order_by("due_at"):
        reports.setdefault(report.award_id, []).append(report)
    return [_track(award, held.get(award.pk), reports.get(award.pk, [])) for award in awards.order_by("-confirmed_at", "number")]


def _track(award: Award, row: TrackRecord | None, reports: list[Evaluation]) -> dict[str, Any]:
    judged = [on_time(r) for r in reports]
    assert award.confirmed_at is not None  # asked for confirmed awards only
    finals = [r.grade_name for r in reports if r.state == "confirmed" and r.moment == "final"]
    return public("record", {
        "award_number": award.number, "project": award.bid.title, "call_code": award.call.code, "year": award.confirmed_at.astimezone(clock.TZ).year,
        "amount": award.amount, "outcome": award.state, "outcome_label": str(award.get_state_display()),  # type: ignore[attr-defined]
        "grade": finals[-1] if finals else (row.grade if row else ""), "reports": sum(v is not None for v in judged), "on_time": sum(v is True for v in judged),
        "barred_until": row.barred_until if row and row.barred_until and row.barred_until >= clock.today() else None,
    })  # fmt: skip
