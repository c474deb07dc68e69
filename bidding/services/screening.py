"""资格审查: the machine checks what it can from facts on file, a clerk the rest with evidence; asked again before contract and payment.

Findings are added, never changed. What a clerk recorded is a fact for the next check, so nobody has to record it twice; a look-up of
the public lists ages and must then be repeated (call's `credit.lookup_valid_days`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.completeness import UNIVERSITIES, admits
from bidding.machine import BidStates
from bidding.models import Bid, Finding
from bidding.rules import COUNTED, call_is_closed, screener
from bidding.screening import FAIL, NEEDS_CLERK, PASS, SCREENING, standing
from grants import clock, ledger
from grants.calls.facts import eligibility_facts
from grants.calls.models import Call
from grants.calls.rulebook import eligibility
from grants.documents.models import StoredFile
from grants.people.models import User
from grants.workflow.door import SYSTEM, require
from grants.workflow.refusals import Invalid, NotNow, NotYou
from grants.workflow.rules import Ask

CREDIT = ("credit_abnormal", "credit_serious", "credit_violation")
Found = dict[str, eligibility.Finding]


def screen(call: Call, *, by: User) -> list[Bid]:
    """Run the machine checks on every bid awaiting screening; returns those this person may screen (others: a colleague must).

    Only what changed since the last run is written: running it twice adds nothing. Raises NotYou, NotNow (before the deadline).
    """
    done = []
    waiting = Bid.objects.filter(call=call, state=BidStates.SUBMITTED).select_related(*Bid.door_select)
    refused: NotYou | None = None
    for bid in waiting.order_by("number"):
        try:
            _screen(bid, by)
            done.append(bid)
        except NotYou as refusal:
            refused = refusal
    if refused is not None and not done:
        raise refused
    return done


@transaction.atomic
def _screen(bid: Bid, by: User) -> None:
    held, role = _held(bid, by)
    before = {f.rule: f.outcome for f in standing(held)}
    changed = [f for f in assess(held).values() if before.get(f.rule) != f.outcome.value]
    _write(held, SCREENING, changed, by=by, role=role, clerks=_clerks_latest(held))


@transaction.atomic
def recheck(bid: Bid, moment: str, *, by: Any) -> list[Finding]:
    """Ask every rule again before a contract or a payment; returns the findings that now count at this moment.

    moment: Finding.Moment. by: a screener of the call, or SYSTEM when another stage's step asks. Clerks' conclusions are taken
    over while they are fresh, with their evidence and the time of the look-up. Raises NotYou, NotNow.
    """
    held, role = _held(bid, by)
    _write(held, moment, assess(held).values(), by=by, role=role, clerks=_clerks_latest(held))
    return standing(_fresh(held), moment)


@transaction.atomic
def record_finding(
    bid: Bid,
    rule: str,
    outcome: str,
    *,
    by: User,
    evidence_note: str = "",
    evidence_file: StoredFile | None = None,
    moment: str = SCREENING,
) -> Finding:
    """A clerk's conclusion on one rule, with evidence: where it was looked up, or a file. Ledgered with the file's hash.

    outcome: "pass" or "fail". Raises NotYou, NotNow (before the deadline, bid decided), Invalid (no evidence, no such rule, or a
    pass that the facts on file contradict).
    """
    held, role = _held(bid, by)
    if moment == SCREENING and held.state != BidStates.SUBMITTED:
        raise NotNow(_("这份申报不在资格审查中，不能再记录审查结论。"), rule="being_screened")
    _check_evidence(outcome, evidence_note, evidence_file)
    concluded = _concluded(held, rule, outcome)
    finding = held.findings.create(
        moment=moment,
        rule=rule,
        outcome=outcome,
        sentence=concluded.sentence[:300],
        way_out=concluded.way_out[:300],
        evidence_file=evidence_file,
        evidence_note=evidence_note.strip(),
        looked_up_at=clock.now(),
        by=by,
    )
    files = {"evidence": evidence_file.sha256} if evidence_file else {}
    private = {"evidence": evidence_note.strip()} if evidence_note.strip() else None
    _enter(held, "bid.finding", by, role, {"moment": moment, "rule": rule, "outcome": outcome}, private=private, files=files)
    return finding


@dataclass(frozen=True)
class Conclusion:
    """What a clerk found about one rule: "pass" or "fail", and where it was looked up (a note, a file, or both)."""

    rule: str
    outcome: str
    note: str = ""
    file: StoredFile | None = None


def record_findings(bid: Bid, conclusions: Sequence[Conclusion], *, by: User) -> list[Finding]:
    """Several conclusions of one sitting, all or none. Raises as `record_finding`; an Invalid names its fields "<field>_<rule>"."""
    made = []
    with transaction.atomic():
        for each in conclusions:
            try:
                made.append(record_finding(bid, each.rule, each.outcome, by=by, evidence_note=each.note, evidence_file=each.file))
            except Invalid as refusal:
                problems = {f"{name}_{each.rule}": told for name, told in refusal.problems.items()}
                raise Invalid(refusal.sentence, rule=refusal.rule, problems=problems) from refusal
    return made


def _check_evidence(outcome: str, note: str, file: StoredFile | None) -> None:
    problems: dict[str, list[str]] = {}
    if outcome not in (PASS, FAIL):
        problems["outcome"] = [_("请选择合格或不合格。")]
    if not note.strip() and file is None:
        problems["evidence_note"] = [_("请写明查询途径和结果，或上传凭证；没有凭证的结论无效。")]
    if problems:
        raise Invalid(_("审查结论还不完整。"), rule="finding_has_evidence", problems=problems)


def _concluded(bid: Bid, rule: str, outcome: str) -> eligibility.Finding:
    """The rule's finding once the clerk's word counts as a fact. Raises Invalid where facts on file say otherwise."""
    found = assess(bid, said={rule: (outcome == PASS, clock.now())})
    if rule not in found:
        raise Invalid(_("本次征集没有这项资格条件。"), rule="unknown_rule", problems={"rule": [_("请从列表中选择。")]})
    if found[rule].outcome.value != outcome:
        sentence = _("系统中的登记资料与这一结论不符：%(what)s。如资料有误，请先更正单位资料，再重新核查。") % {"what": found[rule].sentence}
        raise Invalid(sentence, rule="facts_say_otherwise", problems={"outcome": [sentence]})
    return found[rule]


def assess(bid: Bid, said: dict[str, tuple[bool, datetime]] | None = None) -> Found:
    """Every eligibility rule's finding today, from facts on file, the submitted bid and what clerks recorded, plus `said`."""
    rules, today = bid.rules.eligibility, clock.today()
    words = {rule: (f.outcome == PASS, f.looked_up_at) for rule, f in _clerks_latest(bid).items()} | (said or {})
    facts = replace(_facts(bid), clerk={rule: met for rule, (met, _at) in words.items()})
    found = {f.rule: f for f in eligibility.assess(facts, rules, on=today)}
    for rule in CREDIT:  # each list has its own look-up for this bid, besides the one on the organisation's file
        if rule in words and rule in found:
            day = max(words[rule][1].astimezone(clock.TZ).date(), facts.credit_looked_up_on or date.min)
            looked_up = eligibility.assess(replace(facts, credit_looked_up_on=day), rules, on=today)
            found[rule] = next(f for f in looked_up if f.rule == rule)
    return found


def _facts(bid: Bid) -> eligibility.Facts:
    """What is on the organisation's file, and what the submitted bid adds."""
    version = bid.latest
    team = version.content["team"] if version else []
    licensed = Counter(member["qualification"] for member in team if member["licence_no"].strip())
    others = Bid.objects.filter(call_id=bid.call_id, organisation_id=bid.organisation_id, state__in=COUNTED).exclude(pk=bid.pk)
    facts: eligibility.Facts = eligibility_facts(
        bid.organisation,
        clock.today(),
        professionals=dict(licensed),
        supervisors=sum(1 for member in team if member["is_supervisor"]),
        adults=len(team),
        sponsor=_sponsor(bid),
        other_bids=others.count(),
        runs_this_call=bid.organisation_id == bid.call.operator_id,
    )
    kinds = bid.rules.eligibility.kinds
    if facts.kind not in kinds and admits(kinds, bid.organisation):
        return replace(facts, kind=next(k for k in kinds if k == UNIVERSITIES))
    return facts


def _sponsor(bid: Bid) -> eligibility.SponsorFacts | None:
    if bid.sponsor is None:
        return None
    agreement = bid.organisation.sponsored_by.filter(sponsor=bid.sponsor, accepted_at__isnull=False).order_by("-valid_to").first()
    if agreement is None:
        return None
    signs = bid.sponsor.is_legal_person and bid.sponsor.state == "verified"
    return eligibility.SponsorFacts(bid.sponsor.name, signs, agreement.valid_from, agreement.valid_to)


def _clerks_latest(bid: Bid) -> dict[str, Finding]:
    """The last thing a clerk recorded about each rule, at whichever moment."""
    return {f.rule: f for f in bid.findings.all() if f.by_id is not None}


def _write(
    bid: Bid, moment: str, found: Iterable[eligibility.Finding], *, by: Any, role: str, clerks: dict[str, Finding]
) -> None:
    rows = [_row(bid, moment, f, clerks.get(f.rule)) for f in found]
    if not rows:
        return
    Finding.objects.bulk_create(rows)
    _enter(bid, "bid.screen", by, role, {"moment": moment, "outcomes": {r.rule: str(r.outcome) for r in rows}})


def _row(bid: Bid, moment: str, found: eligibility.Finding, clerk: Finding | None) -> Finding:
    """A row for a machine's finding; one that rests on a clerk's word carries that clerk's evidence and the day of the look-up."""
    row = Finding(
        bid=bid,
        moment=moment,
        rule=found.rule,
        outcome=found.outcome.value,
        sentence=found.sentence[:300],
        way_out=found.way_out[:300],
        looked_up_at=clock.now(),
    )
    if clerk is not None and found.outcome.value == clerk.outcome != NEEDS_CLERK:
        row.by, row.looked_up_at = clerk.by, clerk.looked_up_at
        row.evidence_file, row.evidence_note = clerk.evidence_file, clerk.evidence_note
    return row


def _enter(bid: Bid, event: str, by: Any, role: str, public: dict[str, Any], **more: Any) -> None:
    ledger.record(
        event=event,
        actor=str(by.pseudonym),
        role=role,
        subject=bid.subject,
        scope=f"call:{bid.call_id}",
        verb=event.partition(".")[2],
        public=public,
        **more,
    )


def _held(bid: Bid, by: Any) -> tuple[Bid, str]:
    """The locked row and the role in which the actor may screen it. Raises NotYou, NotNow. Needs a transaction."""
    rows = Bid._base_manager.select_for_update(of=("self",)).select_related(*Bid.door_select)
    held = rows.get(pk=bid.pk)
    role = "system" if by is SYSTEM else require(screener, held, by=by).role
    closed = call_is_closed.answer(Ask(by, held, clock.now()))
    if not closed.ok:
        raise NotNow(closed.sentence, rule=closed.rule, verb="screen")
    return held, role


def _fresh(bid: Bid) -> Bid:
    return Bid.objects.prefetch_related("findings").get(pk=bid.pk)
