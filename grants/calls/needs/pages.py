"""What needs hand to the desk: a need's page, and what waits for the officers."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants.calls.needs.models import Need
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting

EVENTS = {"need.revealed": _("查看联系方式"), "need.contact_read": _("查看联系方式")}
"""The second is what looks were called before they asked what for: the log keeps its words."""


def _context(need: Any, actor: Any) -> dict[str, Any]:
    return {"need": need, "screens": "draft_calls" in permissions_of(actor, need.agency)}


def _links(need: Any, actor: Any) -> list[Link]:
    found = []
    if "draft_calls" in permissions_of(actor, need.agency):
        found.append(Link(_("需求工作台"), reverse("needs:desk")))
    if need.published_at is not None:
        found.append(Link(_("公开页面"), reverse("needs:show", args=[need.number])))
    return found


PAGES: dict[type[Machine], Page] = {Need: Page("needs/_facts.html", context=_context, links=_links)}


def waiting(actor: Any) -> list[Waiting]:
    """Needs to check and to publish, one line per office and kind of work. One query."""
    labels = {"proposed": _("核实居民需求"), "checked": _("公开已核实的需求")}
    mine = Need.objects.filter(scopes_with(actor, "draft_calls", Agency, "agency"), state__in=labels)
    rows = mine.values("state", "agency__short_name").annotate(n=Count("pk"), first=Min("created_at")).order_by("first")
    title = _("%(office)s：%(n)d 条")
    return [
        Waiting(labels[row["state"]], title % {"office": row["agency__short_name"], "n": row["n"]}, f"{reverse('needs:desk')}?state={row['state']}")
        for row in rows
    ]
