"""What review hands to the desk: a panel's page, a review's page, and what waits for experts and organisers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import clock
from grants.calls.models import Call
from grants.documents.models import StoredFile
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting
from grants.workflow.rules import Ask
from review import second
from review.blinding import blind, frozen, hides
from review.challenge_rules import decider
from review.conflicts import fold_name
from review.findings import closed_to
from review.models import (
    LIVE,
    Challenge,
    Draw,
    Expert,
    Meeting,
    Panel,
    PanelMember,
    Review,
    Ruling,
    ScoreCorrection,
    Swap,
    Voiding,
)
from review.namesake_checks import stored_unsettled
from review.panels import progress, sitting
from review.panels import waiting as alternates
from review.results import waiting_for_lots
from review.rules import NOT_HELD, held, organiser

if TYPE_CHECKING:
    from datetime import date

    from grants.people.models import User

EVENTS = {
    "panel.assign": gettext_lazy("分配专家"),
    "panel.fill_gaps": gettext_lazy("补派专家"),
    "panel.try_assignment": gettext_lazy("试算分派"),
    "call.check_conflicts": gettext_lazy("核对专家库的利害关系"),
    "panel.check_conflicts": gettext_lazy("核对利害关系"),
    "panel.found_conflict": gettext_lazy("查到新的利害关系"),
    "call.found_namesakes": gettext_lazy("查到新的同名线索"),
    "call.keep_findings": gettext_lazy("记下查到的情形"),
    "panel.propose_confirmation": gettext_lazy("提出应当回避"),
    "panel.confirm_hit": gettext_lazy("决定应当回避"),
    "panel.propose_dismissal": gettext_lazy("提出不予回避"),
    "panel.dismiss_hit": gettext_lazy("决定不予回避"),
    "panel.seal_broken": gettext_lazy("密封核对不符"),
    "panel.keep_hit": gettext_lazy("驳回不予回避的提议"),
    "panel.report": gettext_lazy("生成评审报告"),
    "panel.analysis": gettext_lazy("生成参考分析"),
    "review.marks": gettext_lazy("保存评分"),
}
"""Names, for timelines, of the ledger events that are not steps."""

OPEN = ("assigned", "accepted")
LOCKED = ("scored", "concluded")
RUNNING = ("published", "committing", "revealing")


def due_of(call: Call) -> datetime | None:
    """The end (UTC) of the day by which the call wants its review done."""
    last: date | None = call.rules.timetable.review_by
    return None if last is None else datetime.combine(last + timedelta(days=1), time(), clock.TZ).astimezone(UTC)


def organises(actor: Any, panel: Panel) -> bool:
    """Whether this person may arrange this panel."""
    return organiser.answer(Ask(actor, panel, clock.now())).ok


def sits(actor: Any, panel: Panel) -> bool:
    """Whether this person scores in this panel."""
    user: Any = getattr(actor, "pk", None)
    return PanelMember.objects.filter(panel=panel, expert__user_id=user, alternate=False, excused=False).exists()


def member_rows(panel: Panel, *, sees_counts: bool) -> list[dict[str, Any]]:
    """Each sitting member with how many reviews are in which state, and how many count as load. No score.

    sees_counts: false for members before the lock, who must not learn how far the others are; then there are no counts at all.
    """
    counts = progress(panel) if sees_counts else {}
    found = [(member, counts.get(member.expert.code, Counter())) for member in sitting(panel)]
    return [{"member": m, "counts": dict(c), "load": sum(c[state] for state in LIVE)} for m, c in found]


def _panel_context(panel: Panel, actor: Any) -> dict[str, Any]:
    locked = panel.state in LOCKED
    sees = locked or not sits(actor, panel)
    facts = {"rows": member_rows(panel, sees_counts=sees), "alternates": len(alternates(panel)), "sees_counts": sees}
    return {**facts, "organises": organises(actor, panel), "locked": locked}


def _panel_links(panel: Panel, actor: Any) -> Sequence[Link]:
    links = []
    if organises(actor, panel):
        links.append(
            Link(_("办理评审组"), reverse("review:panel", args=[panel.pk]), primary=panel.state in ("forming", "scoring"))
        )
    if any(str(stage.kind) == "oral" for stage in panel.rules.review.stages):
        links.append(Link(_("答辩会"), reverse("review:meeting", args=[panel.pk])))
    if panel.state in LOCKED and not held(panel):
        links.append(Link(_("排名与计算过程"), reverse("review:ranking", args=[panel.pk])))
        links.append(Link(_("偏离的评分"), reverse("review:rulings", args=[panel.pk])))
    if panel.state == "scoring" and panel.discussed_at is not None and sits(actor, panel):
        links.append(Link(_("讨论后再次评分"), reverse("review:second_ballots", args=[panel.pk]), primary=True))
    return links


def _panel_documents(panel: Panel, actor: Any) -> Sequence[tuple[Any, Any]]:
    return [(_("评审报告"), panel.report)] if panel.report_id else []


def _review_context(review: Review, actor: Any) -> dict[str, Any]:
    names = {c.code: c.name for sheet in review.panel.rules.review.sheets for c in sheet.criteria}
    own = review.expert.user_id == getattr(actor, "pk", None)
    marks = review.held() if own or review.opened_at is not None else {}
    rows = [{"name": names.get(code, code), "mark": mark} for code, mark in marks.items()]
    reads = own or review.opened_at is not None
    again, found = (second.held(review), second.content(review)) if reads else (None, None)
    twice = [{"name": names.get(code, code), "mark": mark} for code, mark in (again or {}).items()]
    rulings = review.rulings.filter(state="adopted") if review.opened_at is not None else []
    return {"marks": rows, "reason": review.reason if reads else "", "second": twice, "why": found["reason"] if found else "", "rulings": rulings}


def _review_links(review: Review, actor: Any) -> Sequence[Link]:
    if review.expert.user_id != getattr(actor, "pk", None) or review.state not in LIVE:
        return []
    label = _("声明利害关系") if review.state == "assigned" else _("评分")
    return [Link(label, reverse("review:review", args=[review.pk]), primary=True)]


def _review_documents(review: Review, actor: Any) -> Sequence[tuple[Any, Any]]:
    """Attachments of the frozen bid that experts may open, for the expert, after the pledge and while no conflict is known."""
    own = review.expert.user_id == getattr(actor, "pk", None)
    return file_of(review) if own and closed_to(review) is None else []


def file_of(review: Review) -> Sequence[tuple[Any, Any]]:
    """The attachments that the review's expert may open, if nobody has to be asked about conflicts any more."""
    version = review.bid.latest
    if review.state not in ("accepted", "submitted") or version is None:
        return []
    rows = frozen(blind(review).bid, version)["attachments"] if hides(review.panel) else version.attachments()
    shown = [a for a in rows if a.get("visibility") in ("experts", "public")]
    files = StoredFile.objects.in_bulk([a["sha256"] for a in shown])
    if hides(review.panel):  # the applicant's own file names may say who it is
        return [(f"{a['title']} {n}", files.get(a["sha256"])) for n, a in enumerate(shown, start=1)]
    return [(a["name"], files.get(a["sha256"])) for a in shown]


def _meeting_links(meeting: Meeting, actor: Any) -> Sequence[Link]:
    return [Link(_("打开答辩会"), reverse("review:meeting", args=[meeting.panel_id]), primary=True)]


def _swap_links(swap: Swap, actor: Any) -> Sequence[Link]:
    return [Link(_("评审组"), reverse("review:panel", args=[swap.panel_id]))]


def _voiding_links(voiding: Voiding, actor: Any) -> Sequence[Link]:
    return [Link(_("评审组"), reverse("review:panel", args=[voiding.panel_id]))]


def _correction_links(made: ScoreCorrection, actor: Any) -> Sequence[Link]:
    panel = [made.panel_id]
    links = [Link(_("评审组"), reverse("review:panel", args=panel))]
    return [Link(_("统一录入的分数"), reverse("review:entered", args=panel)), *links] if reads_entered(actor, made.panel) else links


def reads_entered(actor: Any, panel: Panel) -> bool:
    """Who reads the scores entered once, with their history: whoever enters them; when results are out, whoever may see the panel but its experts."""
    return organises(actor, panel) or (panel.state in LOCKED and not held(panel) and not sits(actor, panel))


def _ruling_links(ruling: Ruling, actor: Any) -> Sequence[Link]:
    panel = [ruling.panel_id]
    return [Link(_("偏离的评分"), reverse("review:rulings", args=panel)), Link(_("排名与计算过程"), reverse("review:ranking", args=panel))]


def _draw_context(draw: Draw, actor: Any) -> dict[str, Any]:
    return {"parties": list(draw.parties.all())}


def _draw_links(draw: Draw, actor: Any) -> Sequence[Link]:
    links = [Link(_("公开的抽取记录"), reverse("square:draw", args=[draw.pk]))]
    if draw.state == "drawn" and draw.panel is not None:
        links.append(Link(_("评审组"), reverse("review:panel", args=[draw.panel_id]), primary=organises(actor, draw.panel)))
    if draw.state in RUNNING and draw.about == "panel" and organiser.answer(Ask(actor, draw, clock.now())).ok:
        links.append(Link(_("核实同名线索"), reverse("review:namesakes", args=[draw.call_id])))
    if draw.state == "failed" and draw.about == "panel":
        links.append(Link(_("重新公布名单"), reverse("review:convene", args=[draw.call_id])))
    elif draw.state == "failed":
        links.append(Link(_("重新公布名单"), reverse("review:lots" if draw.about == "tie" else "review:meeting", args=[draw.panel_id])))
    return links


def _challenge_context(challenge: Challenge, actor: Any) -> dict[str, Any]:
    """Only who decides is shown whom in the pool the name may mean."""
    if not decider.answer(Ask(actor, challenge, clock.now())).ok:
        return {"decides": False}
    known = Expert.objects.filter(is_active=True).select_related("user", "employer_organisation")
    wanted = fold_name(challenge.name)
    return {"decides": True, "candidates": [e for e in known if fold_name(e.user.name) == wanted]}


PAGES: dict[type[Machine], Page] = {
    Draw: Page("review/_draw_facts.html", _draw_context, _draw_links),
    Challenge: Page("review/_challenge_facts.html", _challenge_context),
    Meeting: Page("review/_meeting_facts.html", links=_meeting_links),
    Panel: Page("review/_panel_facts.html", _panel_context, _panel_links, _panel_documents),
    Ruling: Page("review/_ruling_facts.html", links=_ruling_links),
    Voiding: Page("review/_voiding_facts.html", links=_voiding_links),
    ScoreCorrection: Page("review/_correction_facts.html", links=_correction_links),
    Swap: Page("review/_swap_facts.html", links=_swap_links),
    Review: Page("review/_review_facts.html", _review_context, _review_links, _review_documents),
}


def waiting(actor: User) -> list[Waiting]:
    """Reviews to do and reports to sign for an expert; panels to form, fill, lock and conclude for an organiser."""
    return [*_for_expert(actor), *_for_organiser(actor), *_voidings(actor), *_namesakes(actor), *_for_party(actor), *_for_decider(actor)]


def _invitations(actor: User) -> list[Waiting]:
    seats = PanelMember.objects.filter(expert__user=actor, alternate=False, excused=False, joined_at=None)
    seats = seats.filter(panel__state__in=("forming", "scoring"), panel__invited_at__isnull=False)
    return [
        Waiting(_("答复评审邀请"), seat.panel.call.title, reverse("review:invitation", args=[seat.panel_id]))
        for seat in seats.select_related("panel__call")
    ]


def _for_expert(actor: User) -> list[Waiting]:
    """Four queries for an expert, one for everybody else."""
    if not Expert.objects.filter(user=actor).exists():
        return []
    mine = Q(reviews__expert__user=actor, reviews__state__in=OPEN)
    panels = Panel.objects.filter(state="scoring").annotate(left=Count("reviews", filter=mine)).filter(left__gt=0)
    rows = [
        Waiting(_("评审 %(n)d 份申报") % {"n": p.left}, p.call.title, reverse("review:mine"), due_of(p.call))
        for p in panels.select_related("call__rules_version")
    ]
    unsigned = Panel.objects.filter(NOT_HELD).filter(
        state="scored", members__expert__user=actor, members__alternate=False, members__excused=False, members__signed_at=None
    )
    return [*_invitations(actor), *rows, *_rulings(actor)] + [
        Waiting(_("签署评审报告"), p.call.title, reverse("review:ranking", args=[p.pk])) for p in unsigned.select_related("call")
    ]


def _rulings(actor: User) -> list[Waiting]:
    """Proposals about flagged ballots that another member of the panel has to decide."""
    seats = PanelMember.objects.filter(expert__user=actor, alternate=False, excused=False, panel__state="scored").values("panel")
    rows = Ruling.objects.filter(panel__in=seats, state="proposed").exclude(proposed_by=actor).exclude(review__expert__user=actor)
    rows = rows.select_related("review__bid", "review__expert", "panel")
    return [Waiting(_("决定偏离评分的处理"), str(r), reverse("desk:object", args=["ruling", r.pk])) for r in rows]


def _for_party(actor: User) -> list[Waiting]:
    committing = Q(state="committing", parties__user=actor, parties__sha256="")
    revealing = Q(state="revealing", parties__user=actor, parties__revealed="")
    label = {"committing": _("承诺抽取用的随机数"), "revealing": _("公开承诺的随机数")}
    return [
        Waiting(label[d.state], f"{d.call.title} {d}", reverse("desk:object", args=["draw", d.pk]), d.beacon_due)
        for d in Draw.objects.filter(committing | revealing).select_related("call")
    ]


def _for_decider(actor: User) -> list[Waiting]:
    rows = Challenge.objects.filter(scopes_with(actor, "approve_calls", Agency, "bid__call__agency"), state="filed")
    return [
        Waiting(_("决定回避申请"), str(c), reverse("desk:object", args=["challenge", c.pk])) for c in rows.select_related("bid__call").order_by("created_at")
    ]


def _voidings(actor: User) -> list[Waiting]:
    """Proposals to void an opened ballot that another person made."""
    scopes = scopes_with(actor, "approve_calls", Agency, "panel__call__agency") | scopes_with(actor, "convene_panels", Agency, "panel__call__agency")
    scopes |= scopes_with(actor, "convene_panels", Call, "panel__call")
    rows = Voiding.objects.filter(scopes, state="proposed").exclude(proposed_by=actor).select_related("panel__call", "review__expert", "review__bid")
    return [Waiting(_("决定作废评分"), f"{v.panel.call.title} {v}", reverse("desk:object", args=["voiding", v.pk])) for v in rows]


def _namesakes(actor: User) -> list[Waiting]:
    """Calls in which names wait to be looked into by this person: to propose, or to decide what somebody else proposed."""
    proposes = scopes_with(actor, "convene_panels", Agency, "bid__call__agency") | scopes_with(actor, "convene_panels", Call, "bid__call")
    decides = scopes_with(actor, "approve_calls", Agency, "bid__call__agency") | proposes
    rows = stored_unsettled().filter(bid__call__state="closed")
    mine = rows.filter((proposes & Q(proposed_by=None)) | (decides & Q(proposed_by__isnull=False) & ~Q(proposed_by=actor)))
    found = mine.values("bid__call", "bid__call__title").annotate(n=Count("pk")).order_by("bid__call__title")
    return [
        Waiting(_("核实同名线索 %(n)d 条") % {"n": row["n"]}, row["bid__call__title"], reverse("review:namesakes", args=[row["bid__call"]])) for row in found
    ]


def _for_organiser(actor: User) -> list[Waiting]:
    may = scopes_with(actor, "convene_panels", Agency, "agency") | scopes_with(actor, "convene_panels", Call, "pk")
    calls = list(Call.objects.filter(may, state="closed").select_related("rules_version").prefetch_related("panels", "draws"))
    rows = [
        Waiting(_("组建评审组"), c.title, reverse("review:convene", args=[c.pk]), due_of(c))
        for c in calls if not c.panels.all() and not any(d.state in RUNNING for d in c.draws.all())
    ]
    rows += [
        Waiting(_("跟进抽取"), f"{c.title} {d}", reverse("desk:object", args=["draw", d.pk]), d.beacon_due)
        for c in calls for d in c.draws.all() if d.state in RUNNING
    ]
    swaps = Swap.objects.filter(panel__call__in=calls, state="proposed").exclude(proposed_by=actor).select_related("panel__call")
    corrections = ScoreCorrection.objects.filter(panel__call__in=calls, state="proposed").exclude(proposed_by=actor)
    rows += [
        Waiting(_("核对分数更正"), f"{c.panel.call.title} {c}", reverse("desk:object", args=["score_correction", c.pk]))
        for c in corrections.select_related("panel__call__rules_version", "score__bid")
    ]
    rows += [Waiting(_("决定换人"), f"{s.panel.call.title} {s}", reverse("desk:object", args=["swap", s.pk])) for s in swaps]
    label = {"forming": _("分配专家并开始评分"), "scoring": _("跟进评分"), "scored": _("收齐签署，出具评审报告")}
    lots = [p for c in calls for p in c.panels.all() if p.state == "scored" and not held(p) and waiting_for_lots(p)]
    rows += [Waiting(_("同分抽签"), f"{p.call.title} {p.name}", reverse("review:lots", args=[p.pk])) for p in lots]
    return rows + [
        Waiting(label[p.state], f"{c.title} {p.name}", reverse("review:panel", args=[p.pk]), due_of(c))
        for c in calls for p in c.panels.all() if p.state in label
    ]  # fmt: skip
