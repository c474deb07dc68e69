"""What evaluation hands to the desk: a report's page, and what waits for grantees, evaluators and the agency."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants.awards.models import Award
from grants.evaluation.models import Evaluation
from grants.evaluation.reports import EDITABLE, against_plan, sections
from grants.people.models import Agency, Organisation
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting

EVENTS = {"evidence.added": _("上传材料"), "evaluation.read": _("查阅")}


def _context(evaluation: Any, actor: Any) -> dict[str, Any]:
    answered = [(s, [(f, evaluation.answers.get(s.code, {}).get(f.code)) for f in s.fields]) for s in sections(evaluation)]
    return {
        "evaluation": evaluation,
        "answered": answered,
        "plan": against_plan(evaluation),
        "writable": evaluation.state in EDITABLE and _writes(evaluation, actor),
    }


def _writes(evaluation: Any, actor: Any) -> bool:
    return bool({"write_bids", "sign_for"} & permissions_of(actor, evaluation.organisation))


def _links(evaluation: Any, actor: Any) -> list[Link]:
    links = []
    if evaluation.state in EDITABLE and _writes(evaluation, actor):
        links.append(Link(_("填写报告"), reverse("evaluation:report", args=[evaluation.pk]), primary=True))
    links.append(Link(_("项目档案与结项"), reverse("evaluation:closing", args=[evaluation.award_id])))
    return links


PAGES: dict[type[Machine], Page] = {Evaluation: Page("evaluation/_facts.html", _context, _links)}


def waiting(actor: Any) -> list[Waiting]:
    """Reports to write, sheets to fill, evaluators to nominate, grades to confirm, projects ready to close."""
    rows = Evaluation.objects.select_related("award__bid").order_by("due_at")
    own = scopes_with(actor, "write_bids", Organisation, "award__bid__organisation")
    agency = "award__call__agency"
    todo = [
        (rows.filter(own, state__in=EDITABLE, award__state="active"), _("填写报告")),
        (rows.filter(evaluator_id=getattr(actor, "pk", None), evaluator__isnull=False, state="submitted"), _("评估打分")),
        (rows.filter(scopes_with(actor, "check_tranches", Agency, agency), evaluator=None, state="submitted"), _("指定评估人")),
        (rows.filter(scopes_with(actor, "confirm_evaluations", Agency, agency), state="graded"), _("确认评估")),
    ]
    found = [_row(e, label) for queryset, label in todo for e in queryset[:50]]
    return found + [_closing(a) for a in _ready_to_close(actor)]


def _row(evaluation: Evaluation, label: Any) -> Waiting:
    title = f"{evaluation.award.bid.title} · {evaluation.get_moment_display()}"
    return Waiting(label, title, reverse("desk:object", args=["evaluation", evaluation.pk]), evaluation.due_at)


def _ready_to_close(actor: Any) -> list[Award]:
    mine = Award.objects.filter(scopes_with(actor, "confirm_awards", Agency, "call__agency"), state="active").select_related(
        "bid"
    )
    paid_out = mine.exclude(tranches__state__in=("planned", "requested", "checked", "approved", "ordered", "withheld"))
    return list(paid_out.filter(tranches__state="paid").distinct()[:20])


def _closing(award: Award) -> Waiting:
    return Waiting(_("办理结项"), str(award), reverse("evaluation:closing", args=[award.pk]))
