"""What follows a step of review: invitations, replacement by an alternate, the call to sign, the printed report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from grants import ledger
from grants.documents.files import store
from grants.documents.pdf import render_pdf
from grants.notifications.services import send_all
from grants.people.appointments import holders
from grants.people.models import User
from grants.workflow.door import SYSTEM, perform
from grants.workflow.effects import Apply, Job, effect
from grants.workflow.refusals import Refusal
from review.analysing import analysis_of, keep, renew
from review.conflict_checks import HANDED_IN, reviews_in_conflict
from review.models import Challenge, Draw, Panel, PanelMember, Review, Ruling, Swap, Voiding
from review.panels import last_day, sitting
from review.report import report_context
from review.results import waiting_for_lots
from review.services import fill_gaps, fill_seats
from review.services.panel import withdraw_siblings

REPORT_BYTES = 20 * 1024 * 1024


@effect("review.invite")
def invite(job: Job) -> None:
    """Write to every member: what the panel is, and where their reviews are."""
    panel = _panel(job)
    _write_to([m.expert.user for m in sitting(panel)], "review/invited", panel, job.key)


@effect("review.invitation")
def invitation(job: Job) -> None:
    """Write to every sitting member who has not answered: dates, load, fee, and where to answer."""
    panel = _panel(job)
    _invite([m for m in sitting(panel) if m.joined_at is None], panel, job.key)


def _invite(members: Iterable[PanelMember], panel: Panel, key: str) -> None:
    page = reverse("review:invitation", args=[panel.pk])
    _write_to([m.expert.user for m in members], "review/invitation", panel, key, link=page, due=last_day(panel))


@effect("review.fill_seat")
def fill_seat(job: Job) -> None:
    """A member declined: the next alternate of the same kind is called and invited; the organiser is told either way."""
    panel = _panel(job)
    called = fill_seats(panel)
    _invite(called, panel, f"{job.key}/called")
    codes = "、".join(m.expert.code for m in called)
    _write_to([panel.convened_by], "review/declined", panel, job.key, link=reverse("review:panel", args=[panel.pk]), called=codes)


@effect("review.remind")
def remind(job: Job) -> None:
    """Write to each member how many of their own reviews are still open."""
    panel = _panel(job)
    rows = panel.reviews.filter(state__in=("assigned", "accepted")).values_list("expert__user", "expert__code")
    left = Counter(user for user, _code in rows)
    for user in User.objects.filter(pk__in=left).order_by("pk"):
        _write_to([user], "review/remind", panel, job.key, n=left[user.pk], due=last_day(panel))


@effect("review.replace")
def replace(job: Job) -> None:
    """An expert left a bid: leave it in all stages, fill the gap with a member or the next alternate, write to whoever is new, and to
    the organiser who left which bid; why is for the organiser's page, not for a letter.

    When nobody may step in, the organiser is told what is missing; the panel then cannot be locked below its minimum.
    """
    review = Review.objects.select_related(
        "panel__call__agency", "panel__call__rules_version", "panel__convened_by", "expert", "bid"
    ).get(pk=job.object_id)
    withdraw_siblings(review)
    if review.state == "recused":
        page = reverse("review:panel", args=[review.panel_id])
        _write_to([review.panel.convened_by], "review/recused", review.panel, f"{job.key}/told", link=page, review=review)
    _fill(review.panel, job.key)


@effect("review.replace_voided")
def replace_voided(job: Job) -> None:
    """Ballots were voided after the lock: the next alternate, who has seen no result, is called and invited, or the organiser told who is missing."""
    voiding = Voiding.objects.select_related("panel__call__agency", "panel__call__rules_version", "panel__convened_by").get(pk=job.object_id)
    _fill(voiding.panel, job.key)


def _fill(panel: Panel, key: str) -> None:
    try:
        made = fill_gaps(panel)
    except Refusal as short:
        _write_to([panel.convened_by], "review/short", panel, key, why=str(short))
        return
    if panel.state == "scoring":
        _write_to({r.expert.user for r in made}, "review/invited", panel, key)


@effect("review.tell_swapped")
def tell_swapped(job: Job) -> None:
    """Whoever steps in learns that reviews wait."""
    swap = Swap.objects.select_related("panel__call", "expert__user").get(pk=job.object_id)
    if swap.panel.state == "scoring":
        _write_to([swap.expert.user], "review/invited", swap.panel, job.key)


@effect("review.draw_published")
def draw_published(job: Job) -> None:
    """Tell every bidder that the pool is fixed, and where to ask for a recusal."""
    draw = Draw.objects.select_related("call").get(pk=job.object_id)
    if draw.about != Draw.About.PANEL:
        return
    for bid in draw.call.bids.filter(state__in=HANDED_IN).select_related("organisation").order_by("number"):
        context = {"draw": draw, "call": draw.call, "bid": bid}
        link = reverse("review:challenge", args=[bid.pk])
        send_all(to=holders("sign_for", bid.organisation), template="review/draw_published", context=context, key=f"{job.key}/{bid.pk}", link=link)


@effect("review.draw_parties")
def draw_parties(job: Job) -> None:
    """Ask each party of a draw to commit, later to reveal."""
    draw = Draw.objects.select_related("call").get(pk=job.object_id)
    people = [party.user for party in draw.parties.select_related("user")]
    link = reverse("desk:object", args=["draw", draw.pk])
    send_all(to=people, template="review/draw_party", context={"draw": draw, "call": draw.call}, key=job.key, link=link)


@effect("review.void_late")
def void_late(job: Job) -> None:
    """A challenge was upheld: live reviews of that expert that are in conflict are voided, which calls the alternates."""
    challenge = Challenge.objects.select_related("bid").get(pk=job.object_id)
    for panel in Panel.objects.filter(call_id=challenge.bid.call_id, state__in=("forming", "scoring")):
        for review, hits in reviews_in_conflict(panel):
            if review.expert_id == challenge.expert_id and review.opened_at is None:
                perform(review, "void", by=SYSTEM, reason=hits[0].sentence)


@effect("review.tell_discussing")
def tell_discussing(job: Job) -> None:
    """Tell every member that the discussion is open, and that whoever changes their mind may give a second ballot."""
    panel = _panel(job)
    _write_to([m.expert.user for m in sitting(panel)], "review/discussing", panel, job.key, link=reverse("review:second_ballots", args=[panel.pk]))


@effect("review.tell_locked")
def tell_locked(job: Job) -> None:
    """Ask every member to read the ranking and sign the report, with their dissent if they have one; the organiser, where equals wait for a lot."""
    panel = _panel(job)
    if waiting_for_lots(panel):
        _write_to([panel.convened_by], "review/lots", panel, job.key, link=reverse("review:lots", args=[panel.pk]))
        return
    _ask_to_sign(panel, job.key)


def _ask_to_sign(panel: Panel, key: str) -> None:
    _write_to([m.expert.user for m in sitting(panel)], "review/sign", panel, key, link=reverse("review:ranking", args=[panel.pk]))


@effect("review.drawn")
def drawn(job: Job) -> None:
    """Lots were drawn over equals: the ranking is final, its members are asked to sign, and the analysis follows it. Other draws ask nothing."""
    draw = Draw.objects.get(pk=job.object_id)
    if draw.about != Draw.About.TIE or draw.panel_id is None:
        return
    panel = Panel.objects.select_related("call__agency", "call__rules_version").get(pk=draw.panel_id)
    renew(panel, analysis_of(panel))
    _ask_to_sign(panel, job.key)


@effect("review.analyse_again")
def analyse_again(job: Job) -> None:
    """A ballot was excluded: the reference analysis is made anew without it."""
    ruling = Ruling.objects.select_related("panel__call__agency", "panel__call__rules_version").get(pk=job.object_id)
    if ruling.outcome == Ruling.Outcome.EXCLUDE:
        renew(ruling.panel, analysis_of(ruling.panel))


@effect("review.analyse", slow=True)
def analyse(job: Job) -> Apply:
    """Make the reference analysis of the locked ballots and keep it, once for each lock; its hash goes into the ledger."""
    panel = _panel(job)
    found = analysis_of(panel)

    def apply() -> None:
        (keep if panel.voidings.filter(state="carried_out").first() is None else renew)(panel, found)

    return apply


@effect("review.print_report", slow=True)
def print_report(job: Job) -> Apply:
    """Print the panel's report and keep it by its hash."""
    panel = _panel(job)
    context = report_context(panel)
    pdf = render_pdf("documents/panel_report.html", context, identifier=panel.subject, issued_on=context["issued_on"])

    def apply() -> None:
        kept = store(pdf, name="panel-report.pdf", allowed={"pdf"}, max_bytes=REPORT_BYTES)
        if Panel.objects.filter(pk=panel.pk, report=None).update(report=kept):
            ledger.record(
                event="panel.report", actor="system", role="system", subject=panel.subject, scope=f"call:{panel.call_id}",
                files={"report": kept.sha256}, public={"result": panel.result_hash()},
            )  # fmt: skip

    return apply


def _panel(job: Job) -> Panel:
    return Panel.objects.select_related("call__agency", "call__rules_version").get(pk=job.object_id)


def _write_to(people: Iterable[User], template: str, panel: Panel, key: str, *, link: str = "", **context: Any) -> None:
    to = sorted(people, key=lambda user: str(user.pk))
    send_all(
        to=to,
        template=template,
        context={"panel": panel, "call": panel.call, **context},
        key=key,
        link=link or reverse("review:mine"),
    )
