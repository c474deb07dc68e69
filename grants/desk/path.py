"""Pages across stages: one project's whole path, the visitor's front door, the signed-in person's entrances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from bidding.models import Bid
from grants import clock
from grants.awards.models import Award, Contract
from grants.calls.models import Call
from grants.desk.completeness import meter
from grants.documents.writing import yuan
from grants.evaluation.models import Evaluation
from grants.evaluation.rules import award_file_visible
from grants.funding.models import Tranche
from grants.people.permissions import permissions_of
from grants.workflow.machine import Machine
from review.models import Panel, Result
from review.rules import RESULTS_OUT

LATEST = 12  # rows of each kind on the home page; the lists behind the menu have them all


@dataclass(frozen=True)
class Line:
    """One object at a station, with the one fact to see at a glance (an amount, a grade, a rank)."""

    obj: Machine
    title: str
    fact: str = ""


@dataclass(frozen=True)
class Station:
    """One station of the path: its name and what this person may see there; empty: not reached, or not theirs to see."""

    name: str
    lines: list[Line]


def whole(bid: Any, actor: Any) -> dict[str, Any]:
    """Every station of one bid's way, each filtered by its own visibility rule; empty ones stay, to show what is to come."""
    award = Award.visible.filter(Award.objects.filter(bid=bid).select_related("bid__rules_version", "call", "notice", "contract"), actor).first()  # type: ignore[attr-defined]
    return {
        "bid": bid,
        "call": bid.call,
        "award": award,
        "meter": meter(award) if award is not None and award_file_visible.allows(award, actor, clock.now()) else None,
        "stations": [
            Station(_("征集"), [Line(bid.call, bid.call.code, bid.call.title)]),
            Station(_("投标"), [Line(bid, bid.number or bid.title)]),
            Station(_("评审"), _reviewed(bid, actor)),
            Station(_("立项"), [Line(award, award.number, yuan(award.amount))] if award else []),
            Station(_("协议"), [Line(c, c.number) for c in _of(Contract, award, actor)]),
            Station(_("拨付"), [Line(t, _nth(t), yuan(t.amount)) for t in _of(Tranche, award, actor)]),
            Station(_("评估"), [Line(e, e.get_moment_display(), e.grade_name) for e in _of(Evaluation, award, actor)]),
        ],
    }


def _nth(tranche: Any) -> str:
    return _("第 %(n)d 期") % {"n": tranche.number}


def _reviewed(bid: Any, actor: Any) -> list[Line]:
    """The panel for whoever may see it, with rank and score once locked; the applicant learns the result with the public notice."""
    panel = Panel.visible.filter(Panel.objects.filter(call_id=bid.call_id), actor).first()  # type: ignore[attr-defined]
    if panel is None:
        return []
    inside = "read_calls" in permissions_of(actor, bid.call.agency)
    result = Result.objects.filter(RESULTS_OUT, bid=bid, panel=panel).first() if inside else None
    return [Line(panel, str(panel), _ranked(result) if result else "")]


def _ranked(result: Any) -> str:
    score = _("%(total)s 分") % {"total": f"{result.total.normalize():f}"}
    return score + (_("，第 %(rank)d 名") % {"rank": result.rank} if result.rank else "")


def _of(model: type[Machine], award: Award | None, actor: Any) -> Iterable[Any]:
    """Rows of `model` under the award that this person may see, in the order of the plan."""
    if award is None:
        return []
    order = {"tranche": "number", "evaluation": "due_at"}.get(model.kind(), "created_at")
    rows = model._base_manager.filter(award=award).select_related(*model.door_select).order_by(order)  # type: ignore[misc]
    return list(model.visible.filter(rows, actor))  # type: ignore[attr-defined]


def entrances(actor: Any) -> dict[str, Any]:
    """Where this person can go: the calls, bids and projects they may see, newest first."""
    calls = Call.visible.filter(Call.objects.select_related("agency"), actor).exclude(state="archived")  # type: ignore[attr-defined]
    bids = Bid.visible.filter(Bid.objects.select_related("call", "organisation"), actor)  # type: ignore[attr-defined]
    tranches = Prefetch("tranches", Tranche.objects.order_by("number"))
    awards = Award.visible.filter(Award.objects.select_related("bid__organisation").prefetch_related(tranches), actor)  # type: ignore[attr-defined]
    return {
        "calls": list(calls.order_by("-created_at")[:LATEST]),
        "bids": list(bids.order_by("-created_at")[:LATEST]),
        "awards": list(awards.order_by("-created_at")[:LATEST]),
    }
