"""What an auditor may read: the calls of the agencies that appointed them, and the log of these calls after their bids are opened."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from bidding.seal_rules import is_sealed_call, opened_on
from grants import clock, ledger
from grants.calls.models import Call
from grants.ledger.models import AuditEvent
from grants.people import security
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.people.rules import may
from grants.workflow.rules import Ask

AUDITS = may("audit")
READS = may("read_calls")
SEALED = ("bid.", "attachment.")
"""Events that tell who bids: closed to everybody but the bidder until the deadline."""


def calls(actor: Any) -> QuerySet[Call]:
    """Calls of every agency this person audits, newest first."""
    mine = scopes_with(actor, "audit", Agency, "agency")
    return Call.objects.filter(mine).select_related("agency").order_by("-created_at", "pk")


def required(actor: Any) -> None:
    """Http404 for whoever is appointed as an auditor nowhere."""
    if not Agency.objects.filter(scopes_with(actor, "audit", Agency, "pk")).exists():
        raise Http404(_("您没有被委任为审计。"))


def one(request: HttpRequest, pk: Any, *, staff: bool = False) -> Call:
    """The call, for its auditor (staff: also for the agency's people who read its files); Http404 for everybody else."""
    found = Call.objects.select_related("agency", "rules_version").filter(pk=pk).first()
    if found is not None:
        ask = Ask(request.user, found, clock.now())
        if AUDITS.answer(ask).ok or (staff and READS.answer(ask).ok):
            return found
    raise Http404(_("没有这次征集，或您无权审计。"))


def opened(call: Call) -> bool:
    """Whether the bids have been opened: until then not even an auditor learns who bids (design §5)."""
    closed = call.closes_at is not None and call.closes_at <= clock.now()
    return closed and (not is_sealed_call(call) or opened_on(call) is not None)


def events(found: QuerySet[Call]) -> QuerySet[AuditEvent]:
    """The log of these calls, without what is still sealed. Two queries' worth of conditions, one query."""
    rows = list(found.values_list("pk", "closes_at"))
    every = AuditEvent.objects.filter(scope__in=[f"call:{pk}" for pk, _closes in rows])
    sealed = [f"call:{pk}" for pk, closes in rows if closes is None or closes > clock.now()]
    if not sealed:
        return every
    return every.exclude(Q(scope__in=sealed) & (Q(event__startswith=SEALED[0]) | Q(event__startswith=SEALED[1])))


def remember(actor: Any, call: Call, verb: str, what: str, **public: Any) -> None:
    """An auditor's reading (`read`) or download (`download`) of one of the call's tables, on the call's own timeline.

    Agency staff read their own files without an entry, as on every other page.
    """
    if not AUDITS.answer(Ask(actor, call, clock.now())).ok:
        return
    with transaction.atomic():
        if verb == "download":
            security.note(security.Kind.DOWNLOADED, by=actor, detail=f"call.{what}")
        ledger.record(
            event=f"call.{verb}", actor=str(actor.pseudonym), role="auditor", subject=call.subject, verb=verb, scope=f"call:{call.pk}",
            source=call.state, target=call.state, public={"what": what, **public},
        )  # fmt: skip
