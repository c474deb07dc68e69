"""抽取: what is announced before a draw — who is in the pool, who is barred, which seats — and how its outcome is told."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

import review.draw
import review.transcript
from grants.people.models import AgencyPermission, OrganisationPermission
from grants.workflow.refusals import Invalid
from review.conflict_checks import Ground, code_of, handed_in
from review.draw import Candidate, DrawImpossible, Seats, feasible
from review.models import Expert, Seat
from review.panels import bids_of
from review.results import waiting_for_lots
from review.transcript import METHOD, drawn_by

if TYPE_CHECKING:
    from grants.calls.models import Call
    from review.models import Panel

ALTERNATES = 2
"""How many alternates wait for each seat of the panel, at most."""


@dataclass(frozen=True)
class Terms:
    """How chance falls in one draw: mode, parties by name, the public beacon, which draw of its matter it is and why."""

    mode: str
    parties: tuple[str, ...]
    beacon: Mapping[str, str]
    number: int = 1
    reason: str = ""


def panel_announcement(call: Call, terms: Terms) -> dict[str, Any]:
    """What is published before the experts of a call are drawn: the whole pool, who is barred, the seats of the rules, and `terms`.

    Experts with any conflict in the call are barred; only when the pool is too small are they drawn after all, and then kept
    from the bids concerned. Nobody with a business role in the agency or the call is in the pool. All of this is decided before any
    chance falls. Raises Invalid with the figures when the pool cannot fill the seats.
    """
    pool = pool_of(call)
    with translation.override("zh-hans"):  # goes into the ledger: must not depend on the officer's language
        conflicted = _conflicted(call, pool)
    reason: DrawImpossible | None = None
    for barred, seats in _attempts(call, conflicted):
        try:
            feasible([Candidate(e.code, e.seat) for e in pool if e.code not in barred], seats)
        except DrawImpossible as impossible:
            reason = reason or impossible
            continue
        listing = [[e.code, str(e.seat)] for e in pool]
        rule = _rule(seats, seats.size * ALTERNATES)
        return _announced("panel", call.subject, f"{call.title} 评审专家抽取", listing, dict(barred), rule, terms)
    raise Invalid(_("专家库不足以组成评审组：%(why)s") % {"why": _seat_names(str(reason))}, rule="pool_too_small")


def order_announcement(panel: Panel, codes: list[str], terms: Terms) -> dict[str, Any]:
    """What is published before the order of defence is drawn: every bid of the panel, each once."""
    listing = [[code, ""] for code in sorted(codes)]
    rule = _rule(Seats(len(codes)), 0)
    return _announced("order", panel.subject, f"{panel.call.title} 答辩顺序抽取", listing, {}, rule, terms)


def tie_announcement(panel: Panel, codes: list[str], terms: Terms) -> dict[str, Any]:
    """What is published before lots are drawn over equals: every bid that waits for one. Equals of different places are in one list: their
    order among themselves is as fair as if each group were drawn alone."""
    listing = [[code, ""] for code in sorted(codes)]
    rule = _rule(Seats(len(codes)), 0)
    return _announced("tie", panel.subject, f"{panel.call.title} 同分名次抽签", listing, {}, rule, terms)


def order_codes(panel: Panel) -> list[str]:
    """The bids that defend before a panel."""
    return [code_of(bid) for bid in bids_of(panel)]


def tie_codes(panel: Panel) -> list[str]:
    """The bids that wait for a lot."""
    return waiting_for_lots(panel)


def _rule(seats: Seats, alternates: int) -> dict[str, Any]:
    return {"size": seats.size, "minimum": dict(seats.minimum), "maximum": dict(seats.maximum), "alternates": alternates}


def _announced(kind: str, subject: str, title: str, pool: Any, barred: Any, rule: Any, terms: Terms) -> dict[str, Any]:
    return {
        "kind": kind, "subject": subject, "title": title, "number": terms.number, "reason": terms.reason, "method": METHOD, "program": program(),
        "mode": terms.mode, "pool": pool, "barred": barred, "rule": rule, "parties": list(terms.parties), "beacon": dict(terms.beacon),
    }  # fmt: skip


@cache
def program() -> str:
    """Which code draws: the SHA-256 of the two modules that a draw consists of."""
    read = [inspect.getsource(module).encode() for module in (review.draw, review.transcript)]
    return f"review/draw.py, review/transcript.py sha256:{hashlib.sha256(b''.join(read)).hexdigest()}"


def pool_of(call: Call) -> list[Expert]:
    """Active experts without any role in this call's agency, in the call itself, or in its operator."""
    busy = AgencyPermission.objects.filter(content_object_id=call.agency_id).values("user_id")
    mandate = _call_users(call)
    operator = OrganisationPermission.objects.filter(content_object_id=call.operator_id).values("user_id")
    rows = Expert.objects.filter(is_active=True, user__is_active=True)
    rows = rows.exclude(Q(user__in=busy) | Q(user__in=mandate) | Q(user__in=operator))
    if call.operator_id is not None:
        rows = rows.exclude(employer_organisation_id=call.operator_id)
    return list(rows.select_related("user").order_by("code"))


def _call_users(call: Call) -> Any:
    from grants.calls.models import CallPermission  # noqa: PLC0415 - next to its only use

    return CallPermission.objects.filter(content_object_id=call.pk).values("user_id")


def _conflicted(call: Call, pool: list[Expert]) -> dict[str, str]:
    """Expert code → how many bids of the call they would have to step aside from. Neither relation nor bidder is named."""
    bids = list(handed_in(call))
    ground = Ground.of(pool, bids)
    counts = {e.code: sum(1 for b in bids if ground.hits(e, b)) for e in pool}
    return {code: str(_("与 %(n)d 份申报有利害关系") % {"n": n}) for code, n in counts.items() if n}


def _attempts(call: Call, conflicted: Mapping[str, str]) -> list[tuple[Mapping[str, str], Seats]]:
    """From the strictest reading of the rules to the last one that is still lawful."""
    rules = call.rules.review.panel
    least = {str(Seat.FINANCE): rules.finance, str(Seat.FIELD): rules.field}
    least = {seat: n for seat, n in least.items() if n}
    agency = {str(Seat.AGENCY): rules.agency_seats}
    exact = Seats(rules.size, least, {**agency, **{s: n for s, n in least.items() if s == Seat.FINANCE}})
    loose = Seats(rules.size, least, agency)
    return [(conflicted, exact), (conflicted, loose), ({}, exact), ({}, loose)]


def panel_summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """A panel's draw as its page and its report tell it, from the transcript."""
    announced, outcome = document["announced"], drawn_by(document)
    return {
        "method": METHOD, "pool": announced["pool"], **{k: announced["rule"][k] for k in ("size", "minimum", "maximum")},
        "witness": document["beacon"]["value"], "conflicted": announced["barred"],
        "order": document["order"], "seated": document["chosen"],
        "skipped": [{"code": s.code, "why": _seat_names(s.sentence)} for s in outcome.skipped],
    }  # fmt: skip


def _seat_names(sentence: str) -> str:
    for seat in Seat:
        sentence = sentence.replace(f"“{seat.value}”", f"“{seat.label}”").replace(f"{seat.value}、", f"{seat.label}、")
    return sentence
