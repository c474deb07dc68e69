"""What follows steps, in funding: sources at publication, the plan of an award that begins, letters."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from grants import clock
from grants.awards.models import Award
from grants.calls.models import Call
from grants.documents.files import store
from grants.documents.pdf import render_pdf
from grants.funding import sending
from grants.funding.changing import rows_of
from grants.funding.models import ChangeRequest, Tranche
from grants.funding.planning import plan, set_up_sources
from grants.notifications.services import send_all
from grants.people.services import holders
from grants.workflow.effects import Apply, Job, effect

ANNEX_BYTES = 5 * 1024 * 1024


@effect("funding.set_up_sources")
def sources(job: Job) -> None:
    """Write the call's sources of money down when it is published."""
    set_up_sources(Call.objects.select_related("rules_version").get(pk=job.object_id))


@effect("funding.plan")
def plan_award(job: Job) -> None:
    """Plan the tranches of an award that has begun, source by source, to the fen."""
    plan(Award.objects.get(pk=job.object_id))


@effect("funding.send", slow=True)
def send_order(job: Job) -> Apply | None:
    """Hand an order to the bank's interface, once per batch; a killed attempt is never repeated by itself."""
    return sending.send(job.object_id, key=job.key)


@effect("funding.print_annex", slow=True)
def print_annex(job: Job) -> Apply:
    """Print the annex of a change that took effect, once, and write to the grantee."""
    change = _change(job)
    pdf = render_pdf(
        "documents/change_annex.html", annex_context(change), identifier=f"change:{change.pk}",
        issued_on=(change.applied_at or clock.now()).astimezone(clock.TZ).date(),
    )  # fmt: skip

    def apply() -> None:
        held = ChangeRequest.objects.select_for_update(of=("self",)).get(pk=change.pk)
        if held.annex_id is None:
            held.annex = store(pdf, name=f"{held.number}.pdf", allowed={"pdf"}, max_bytes=ANNEX_BYTES)
            held.save(update_fields=["annex"])
        _tell(change, "change_applied", job.key)

    return apply


def annex_context(change: ChangeRequest) -> dict[str, Any]:
    """What `documents/change_annex.html` asks for."""
    award = change.award
    with translation.override("zh-hans"):
        return {
            "number": award.contract.number, "nth": change.number, "project": award.bid.title, "organisation": award.bid.organisation.name,
            "issuer": award.call.agency.name, "rows": rows_of(change), "applied_at": change.applied_at,
            "decided_by": str(change.get_decider_display()), "digest": "",
        }  # fmt: skip


@effect("funding.tell_refused")
def tell_refused(job: Job) -> None:
    """Write to the grantee that a change was not approved."""
    _tell(_change(job), "change_refused", job.key)


def _change(job: Job) -> ChangeRequest:
    return ChangeRequest.objects.select_related(*ChangeRequest.door_select).get(pk=job.object_id)


def _tell(change: ChangeRequest, template: str, key: str) -> None:
    readers = holders("sign_for", change.payee) | holders("sign_for", change.organisation)
    send_all(to=readers, template=f"funding/{template}", context={"change": change}, key=key, link=f"/o/change/{change.pk}/")


@effect("funding.tell_paid")
def tell_paid(job: Job) -> None:
    """Write to the payee that a tranche was paid."""
    tranche = Tranche.objects.select_related("award__bid__organisation", "award__bid__sponsor").get(pk=job.object_id)
    readers = holders("claim", tranche.award.payee) | holders("sign_for", tranche.award.payee)
    send_all(to=readers, template="funding/paid", context={"tranche": tranche}, key=job.key, link=f"/o/tranche/{tranche.pk}/")
