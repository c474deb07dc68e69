"""What a call has published, as OCDS 1.1 releases and a record, and as 360Giving grants.

Only published stages: the call once it is published, awards once they stand in a public notice, contracts once they are in force,
payments once they are made. Bodies are named with their code; no person, no free text that only the parties wrote. Every text passes the
square's gate against personal numbers. The same rows give the same bytes; nothing here is dated by the reader's clock.
Codes of the lists that OCDS closes (status, tag) are theirs; amounts are 元 as numbers with two places.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.urls import reverse

from bidding.models import BidVersion
from grants import clock
from grants.audit import opendetails
from grants.audit.opendetails import stamp
from grants.awards.models import Award, Contract, PublicNotice
from grants.awards.showing.audience import published
from grants.calls.models import Call
from grants.desk.square.supply import COUNTED
from grants.evaluation.models import Evaluation
from grants.funding.models import Tranche
from grants.ledger.models import AuditEvent
from grants.people.models import Organisation
from grants.people.privacy import masked

Json = dict[str, Any]
CNY = "CNY"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
STATUS = {"noticed": "pending", "held": "pending", "cancelled": "cancelled", **dict.fromkeys(COUNTED, "active")}
"""State of a noticed award → OCDS awardStatus. A terminated project was awarded; its contract says that it ended."""
CONTRACT = {"confirmed": "pending", "active": "active", "closed": "terminated", "terminated": "terminated"}


def calls() -> QuerySet[Call]:
    """Calls with something published, newest first; `granted`: an award is confirmed, so there is a grant to list."""
    given = Award.objects.filter(call=OuterRef("pk"), notice__isnull=False, state__in=COUNTED)
    rows = Call.objects.filter(published_at__isnull=False).select_related("agency", "rules_version").annotate(granted=Exists(given))
    return rows.order_by("-published_at", "code")


@dataclass(frozen=True)
class Facts:
    """The published rows of one call. Nine queries at most."""

    call: Call
    awards: list[Award] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    paid: list[Tranche] = field(default_factory=list)
    changed: Mapping[str, datetime] = field(default_factory=dict)
    bidders: int | None = None
    refused: int = 0
    tranches: list[Tranche] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)

    @classmethod
    def of(cls, call: Call) -> Facts:
        rows = Award.objects.filter(call=call, notice__isnull=False, state__in=STATUS).order_by("number")
        awards = list(rows.select_related("bid__organisation", "bid__sponsor", "notice", "call"))
        kept = [a.pk for a in awards if a.state in COUNTED]
        contracts = list(Contract.objects.filter(award__in=kept, effective_at__isnull=False).select_related("award").order_by("number"))
        due = Tranche.objects.filter(award__in=kept).select_related("payment_order", "award__bid__organisation", "award__bid__sponsor")
        tranches = list(due.order_by("award__number", "number"))
        subjects = [call.subject, *(a.subject for a in awards)]
        changed = dict(AuditEvent.objects.filter(subject__in=subjects).values_list("subject").annotate(at=Max("at")).order_by())
        evaluations = list(Evaluation.objects.filter(award__in=kept).order_by("award__number", "due_at"))
        states = list(call.bids.exclude(number="").exclude(state="withdrawn").values_list("state", flat=True)) if published(call) else None  # type: ignore[attr-defined]
        bidders, refused = (None, 0) if states is None else (len(states), states.count("rejected"))
        paid = [t for t in tranches if t.state == "paid"]
        return cls(call, awards, contracts, paid, changed, bidders, refused, tranches, evaluations)

    @property
    def notices(self) -> list[PublicNotice]:
        return sorted({a.notice for a in self.awards if a.notice is not None}, key=lambda n: (n.published_at, n.number))


# --- OCDS -----------------------------------------------------------------------------------------------------------------------


def ocid(call: Call) -> str:
    """Prefix (register one with the Open Contracting Partnership) and the call's code."""
    return f"{settings.OCDS_PREFIX}-{call.code}"


def release_package(call: Call) -> Json:
    """Every release of the call, oldest first."""
    found = releases(Facts.of(call))
    return {**_about(call, "ocds.json", found), "releases": found}


def record_package(call: Call) -> Json:
    """The record: the releases, and what they come to."""
    found = releases(Facts.of(call))
    record = {"ocid": ocid(call), "releases": found, "compiledRelease": compiled(found)}
    return {**_about(call, "record.json", found), "records": [record]}


def _about(call: Call, name: str, found: list[Json]) -> Json:
    return {
        "uri": address(call, name), "version": "1.1", "publishedDate": found[-1]["date"], "license": LICENCE,
        "publisher": {"name": masked(call.agency.name), "scheme": "CN-USCC", "uid": call.agency.code},
    }  # fmt: skip


def address(call: Call, name: str) -> str:
    """The stable public address of a file of the call."""
    return f"{settings.SITE_URL or 'http://localhost'}/open/{call.code}/{name}"


def _page(call: Call) -> str:
    """Where the call is read by people."""
    return f"{settings.SITE_URL or 'http://localhost'}/calls/{call.code}/"


def releases(facts: Facts) -> list[Json]:
    """Tender, awards by notice, what became of them, contracts, payments; each says what was new, by the ids of what it is about.

    A release is never changed: whatever is said otherwise later has another id, because the id ends with a hash of what is said.
    """
    made = [_tender(facts), *_ended(facts)]
    made += [_noticed(facts, notice) for notice in facts.notices]
    made += [_decided(facts, award) for award in facts.awards if award.state not in ("noticed", "held")]
    made += [_contracted(facts, contract) for contract in facts.contracts]
    numbers = {c.award_id: c.number for c in facts.contracts}
    made += [_paid(facts, tranche, numbers[tranche.award_id]) for tranche in facts.paid if tranche.award_id in numbers]
    made += [_evaluated(facts, e, numbers[e.award_id]) for e in facts.evaluations if e.state == "confirmed" and e.award_id in numbers]
    return sorted(made, key=lambda r: r["date"])  # stable: of one moment, in the order above


def _release(facts: Facts, tag: str, about: str, at: datetime, **parts: Any) -> Json:
    said = hashlib.sha256(as_bytes({"date": stamp(at), **parts})).hexdigest()[:8]
    return {
        "ocid": ocid(facts.call), "id": f"{ocid(facts.call)}-{tag}-{about}-{said}", "date": stamp(at), "tag": [tag],
        "initiationType": "tender", "language": "zh", **parts,
    }  # fmt: skip


def _tender(facts: Facts) -> Json:
    call = facts.call
    assert call.published_at is not None  # asked for published calls only
    assert call.closes_at is not None
    agency = {"id": f"CN-USCC-{call.agency.code}", "name": masked(call.agency.name)}
    tender: Json = {
        "id": call.code, "title": masked(call.title), "description": masked(call.rules.summary), "status": "active",
        "procuringEntity": agency, "value": opendetails.value(call.rules.pool.grants), "procurementMethod": "open", "mainProcurementCategory": "services",
        "tenderPeriod": {"startDate": stamp(call.opens_at or call.published_at), "endDate": stamp(call.closes_at)},
        "documents": [opendetails.document("rules", "tenderNotice", masked(call.title), _page(call), call.published_at, call.rules.rules_hash)],
        **opendetails.judged(call),
    }  # fmt: skip
    identifier = {"scheme": "CN-USCC", "id": call.agency.code, "legalName": masked(call.agency.name)}
    party = {**agency, "identifier": identifier, "roles": ["buyer", "procuringEntity", "payer"]}
    return _release(facts, "tender", call.code, call.published_at, parties=[party], buyer=agency, planning=opendetails.planning(call), tender=tender)


def _ended(facts: Facts) -> list[Json]:
    """The call was cancelled, or it is decided and everybody may know how many had bid."""
    call = facts.call
    if call.state == "cancelled":
        assert call.published_at is not None  # as above
        at = facts.changed.get(call.subject) or call.published_at
        return [_release(facts, "tenderCancellation", call.code, at, tender={"id": call.code, "status": "cancelled"})]
    if facts.bidders is None or not facts.notices:
        return []
    said = {"id": call.code, "status": "complete", **opendetails.counted(facts.bidders, facts.refused)}
    return [_release(facts, "tenderUpdate", call.code, facts.notices[-1].published_at, tender=said)]


def _noticed(facts: Facts, notice: PublicNotice) -> Json:
    """The awards of one notice as it published them: proposed, open to objection."""
    mine = [a for a in facts.awards if a.notice_id == notice.pk]
    awards = [{**_award(a), "status": "pending", "date": stamp(notice.published_at), "value": opendetails.value(Decimal(_row(a)["amount"]))} for a in mine]
    parties = [party for a in mine for party in _parties(a)]
    url = f"{settings.SITE_URL or 'http://localhost'}{reverse('awards:notice', args=[notice.pk])}"
    tender = {"id": facts.call.code, "documents": [opendetails.paper(notice, url)]}
    return _release(facts, "award", notice.number, notice.published_at, parties=_once(parties), tender=tender, awards=awards)


def _row(award: Award) -> Json:
    """The award's line in its public notice: the name under which the public knows it, and the amount at that time."""
    assert award.notice is not None  # asked for noticed awards only
    return next(row for row in award.notice.body["rows"] if row["number"] == award.number)  # type: ignore[no-any-return]


def _decided(facts: Facts, award: Award) -> Json:
    at = award.confirmed_at if STATUS[award.state] == "active" else facts.changed.get(award.subject)
    assert award.notice is not None  # asked for noticed awards only
    value = {**_award(award), "status": STATUS[award.state]}
    return _release(facts, "awardUpdate", award.number, at or award.notice.published_at, awards=[value])


def _award(award: Award) -> Json:
    return {
        "id": award.number, "title": masked(_row(award)["project"]), "value": opendetails.value(award.amount), "suppliers": [_reference(award.organisation)],
    }  # fmt: skip


def _contracted(facts: Facts, contract: Contract) -> Json:
    at = contract.effective_at
    assert at is not None  # asked for contracts in force only
    award = contract.award
    value: Json = {
        "id": contract.number, "awardID": award.number, "status": CONTRACT[award.state], "value": opendetails.value(award.amount), "dateSigned": stamp(at),
    }  # fmt: skip
    mine = [t for t in facts.tranches if t.award_id == award.pk], [e for e in facts.evaluations if e.award_id == award.pk]
    if steps := opendetails.steps(*mine):
        value["milestones"] = steps
    if award.started_on:
        value["period"] = {"startDate": _midnight(award.started_on), **({"endDate": _midnight(award.closed_on)} if award.closed_on else {})}
    return _release(facts, "contract", award.number, at, contracts=[value])


def _paid(facts: Facts, tranche: Tranche, contract: str) -> Json:
    order, award = tranche.payment_order, tranche.award
    assert tranche.paid_at is not None  # the state says paid
    payer = {"id": f"CN-USCC-{facts.call.agency.code}", "name": masked(facts.call.agency.name)}
    transaction = {
        "id": order.key, "date": stamp(tranche.paid_at), "value": opendetails.value(order.amount), "payer": payer, "payee": _reference(award.payee),
    }  # fmt: skip
    value = {
        "id": contract, "awardID": award.number, "milestones": [opendetails.paid(tranche)], "implementation": {"transactions": [transaction]},
    }  # fmt: skip
    return _release(facts, "implementation", order.key, tranche.paid_at, contracts=[value])


def _evaluated(facts: Facts, evaluation: Evaluation, contract: str) -> Json:
    """An evaluation whose grade is confirmed."""
    award = next(a for a in facts.awards if a.pk == evaluation.award_id)
    assert evaluation.confirmed_at is not None  # the state says so
    value = {"id": contract, "awardID": award.number, "milestones": [opendetails.confirmed(facts.call, evaluation)]}
    return _release(facts, "contractUpdate", f"{award.number}-{evaluation.moment}", evaluation.confirmed_at, contracts=[value])


def _parties(award: Award) -> list[Json]:
    made = [_party(award.organisation, ["supplier", "payee"] if award.sponsor is None else ["supplier"])]
    return made if award.sponsor is None else [*made, _party(award.sponsor, ["payee"])]


def _party(body: Organisation, roles: list[str]) -> Json:
    found: Json = {**_reference(body), "roles": roles}
    if body.uscc:
        found["identifier"] = {"scheme": "CN-USCC", "id": body.uscc, "legalName": masked(body.name)}
    return found


def _reference(body: Organisation) -> Json:
    return {"id": body_id(body), "name": masked(body.name)}


def body_id(body: Organisation) -> str:
    """The code as org-id.guide writes identifiers; bodies without one (recorded groups) under a random id of ours."""
    return f"CN-USCC-{body.uscc}" if body.uscc else f"GONGCHUANG-{body.pk}"


def _once(parties: list[Json]) -> list[Json]:
    """One entry for each id, with the roles of all."""
    found: dict[str, Json] = {}
    for party in parties:
        held = found.setdefault(party["id"], {**party, "roles": []})
        held["roles"] = list(dict.fromkeys([*held["roles"], *party["roles"]]))
    return list(found.values())


def compiled(found: list[Json]) -> Json:
    """The releases merged, later over earlier: objects by name, lists of things with an id by that id."""
    merged: Json = {}
    for release in found:
        merged = _merge(merged, {k: v for k, v in release.items() if k not in ("id", "tag", "date")})
    last = found[-1]["date"]
    return {**merged, "id": f"{merged['ocid']}-{last}", "tag": ["compiled"], "date": last}


def _merge(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{k: _merge(old.get(k), v) for k, v in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(x, dict) and "id" in x for x in [*old, *new]):
        held = {x["id"]: x for x in old}
        for x in new:
            held[x["id"]] = _merge(held.get(x["id"]), x)
        return list(held.values())
    return new


# --- 360Giving ----------------------------------------------------------------------------------------------------------------------


def grants(call: Call) -> Json:
    """Every confirmed award as a grant: who gave and received, how much was asked for, given, paid. Without one no package: the standard knows no empty one."""
    facts = Facts.of(call)
    disbursed: dict[Any, list[Tranche]] = {}
    for tranche in facts.paid:
        disbursed.setdefault(tranche.award_id, []).append(tranche)
    given = [award for award in facts.awards if award.state in COUNTED]
    versions = {v.bid_id: v for v in BidVersion.objects.filter(bid__in=[a.bid_id for a in given]).order_by("number")}  # the last one stays
    found = [_grant(facts, award, versions[award.bid_id], disbursed.get(award.pk, [])) for award in given]
    return {**_package(call, found), "grants": found} if found else {}


def _package(call: Call, found: list[Json]) -> Json:
    """Who publishes, under which licence, where it is, when it changed last."""
    publisher = {"identifier": f"CN-USCC-{call.agency.code}", "name": masked(call.agency.name)}
    return {
        "version": "1.4", "identifier": f"{settings.GIVING360_PREFIX}-{call.code}", "title": masked(call.title), "publisher": publisher,
        "license": LICENCE, "downloadURL": address(call, "360.json"), "accessURL": address(call, "").removesuffix(f"{call.code}/"),
        "issued": min(grant["awardDate"] for grant in found), "modified": max(grant["dateModified"] for grant in found),
    }  # fmt: skip


def _grant(facts: Facts, award: Award, version: BidVersion, paid: list[Tranche]) -> Json:
    call, asked = facts.call, Decimal(version.content["budget"]["grant"])
    assert award.confirmed_at is not None  # the state says so
    project = masked(_row(award)["project"])
    made: Json = {
        "id": f"{settings.GIVING360_PREFIX}-{award.number}", "title": project, "description": f"{masked(call.title)}：{project}",
        "currency": CNY, "amountAppliedFor": _number(asked), "amountAwarded": _number(award.amount),
        "amountDisbursed": _number(sum((t.payment_order.amount for t in paid), Decimal(0))),
        "awardDate": award.confirmed_at.astimezone(clock.TZ).date().isoformat(),
        "recipientOrganization": [{"id": _known_as(award.organisation), "name": masked(award.organisation.name)}],
        "fundingOrganization": [{"id": f"CN-USCC-{call.agency.code}", "name": masked(call.agency.name)}],
        "grantProgramme": [{"code": call.code, "title": masked(call.title), "url": _page(call)}], "fromOpenCall": "Yes",
        "dataSource": address(call, "360.json"),
        "dateModified": stamp(facts.changed.get(award.subject, award.confirmed_at)),
    }  # fmt: skip
    if award.started_on:
        ended = {"endDate": award.closed_on.isoformat()} if award.closed_on else {}
        made["actualDates"] = [{"startDate": award.started_on.isoformat(), **ended}]
    if paid:
        made["disbursementTransaction"] = [
            {"id": t.payment_order.key, "transactionDate": t.paid_at.astimezone(clock.TZ).date().isoformat(), "currency": CNY,
             "value": _number(t.payment_order.amount), "provider": f"CN-USCC-{call.agency.code}", "recipient": _known_as(award.payee)}
            for t in paid if t.paid_at is not None
        ]  # fmt: skip
    return made


def _known_as(body: Organisation) -> str:
    """As OCDS names it; a body that no register lists bears our prefix, as 360Giving asks of identifiers that are only ours."""
    return body_id(body) if body.uscc else f"{settings.GIVING360_PREFIX}-{body.pk}"


# --- values -------------------------------------------------------------------------------------------------------------------------


def _number(amount: Decimal) -> float:
    """Two places below 10¹³ 元 survive the way through a JSON number unchanged."""
    return float(f"{amount:.2f}")


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=clock.TZ).isoformat()


def as_bytes(value: Json) -> bytes:
    """The file: UTF-8, one space of indentation, in the standards' order of names."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
