"""发布决定: decisions are pending, seen by the agency alone, until the approver releases them all at once, with a letter to every bidder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.awards.models import Award, Decision
from grants.awards.rules import confirmer
from grants.calls.models import Call
from grants.notifications.services import compose
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform, require
from grants.workflow.refusals import NotNow, Refusal

LETTER = "awards/decision"


def pending(call: Call) -> QuerySet[Decision]:
    """Decisions nobody outside the agency knows of, in order of rank, with what a letter needs."""
    related = ("bid__organisation", "bid__sponsor", "bid__award", "call__agency")
    return Decision.objects.filter(call=call, released_at=None).select_related(*related).order_by("panel", "rank", "pk")


def letter_facts(decision: Decision) -> dict[str, Any]:
    """The context of the letter about one decision; the reader is added when it is sent."""
    return {"decision": decision, "bid": decision.bid, "call": decision.call, "award": getattr(decision.bid, "award", None)}


@dataclass(frozen=True)
class Draft:
    """A letter before it is sent: the decision, subject and text exactly as they will be, but for the reader's name."""

    decision: Decision
    subject: str
    body: str


def drafts(decisions: Any) -> Iterator[Draft]:
    """The letters of these decisions, to be read before anything is sent. Writes nothing."""
    for decision in decisions:
        link = reverse("awards:feedback", args=[decision.bid_id])
        reader = {"name": _("〔%(body)s 的签署人、填报人〕") % {"body": decision.bid.organisation}}
        yield Draft(decision, *compose(LETTER, {**letter_facts(decision), "to": reader, "link": link}))


def release(call: Call, *, by: User, note: str = "") -> list[Decision]:
    """Approve every proposed award of the call and release every pending decision: one transaction, all or nothing.

    The letters, to those chosen and to those not, are promised in the same transaction, one effect each. Raises NotYou (an award the same
    person proposed, named), NotNow (nothing pending; an award over a limit, named). Nothing is half released.
    """
    with transaction.atomic():
        held = Call.objects.select_for_update(of=("self",)).select_related("agency", "rules_version").get(pk=call.pk)
        role = require(confirmer, held, by=by).role
        decisions = list(pending(held))
        if not decisions:
            raise NotNow(_("没有待发布的决定：请先由经办按排名拟定立项；已经发布的不再重复发布。"), rule="something_pending")
        awards = _approved(held, by, note)
        Decision.objects.filter(pk__in=[d.pk for d in decisions]).update(released_at=clock.now())
        _promise(held, decisions, awards, by, role, note)
    return decisions


def _approved(call: Call, by: User, note: str) -> list[Award]:
    """Each through the door; the first that is refused stops everything and is named."""
    awards = []
    for award in Award.objects.filter(call=call, state="proposed").select_related(*Award.door_select).order_by("number"):
        try:
            awards.append(perform(award, "approve", by=by, note=note))
        except Refusal as refusal:
            words = _("%(award)s 不能批准，全部决定都没有发布：%(why)s") % {"award": award, "why": refusal}
            raise type(refusal)(words, rule=refusal.rule, verb="release") from refusal
    return awards


def _promise(call: Call, decisions: list[Decision], awards: list[Award], by: User, role: str, note: str) -> None:
    amount = sum((a.amount for a in awards), Decimal("0.00"))
    event = ledger.record(
        event="call.release_decisions", actor=str(by.pseudonym), role=role, subject=call.subject, scope=call.subject, verb="release",
        source=call.state, target=call.state, public={"decisions": len(decisions), "awards": len(awards), "amount": f"{amount:.2f}"},
        private={"note": note} if note else None,
    )  # fmt: skip
    bids = [d.bid for d in decisions]
    effects.schedule_each("awards.tell_decision", bids, event.pk)
