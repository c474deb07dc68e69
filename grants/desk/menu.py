"""The bar at the top: where a person of this role goes. Roles are looked up at sign-in and on the home page, not on every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants.people.appointments import active, roles_changed
from grants.workflow.refusals import Sentence
from review.models import Expert

KEY = "roles"
EVERYBODY: frozenset[str] = frozenset()
AGENCY = frozenset({"officer", "approver", "finance_officer", "auditor"})
APPLICANT = frozenset({"editor", "claimant", "signatory", "sponsor_contact"})


@dataclass(frozen=True)
class Entry:
    """One place to go. address: a URL name; roles: who is shown it, nobody in particular meaning every signed-in person.

    public: shown to everybody; visitor: shown only to whoever is not signed in.
    """

    label: Sentence
    address: str
    roles: frozenset[str] = EVERYBODY
    public: bool = False
    visitor: bool = False


ENTRIES = (
    Entry(_("首页"), "desk:home", public=True),
    Entry(_("公众广场"), "square:front"),
    Entry(_("征集"), "square:calls", visitor=True),
    Entry(_("需求"), "needs:list", visitor=True),
    Entry(_("公示"), "square:notices", visitor=True),
    Entry(_("资助项目"), "square:projects", visitor=True),
    Entry(_("单位名录"), "square:organisations", visitor=True),
    Entry(_("公开抽取"), "square:draws", visitor=True),
    Entry(_("供需地图"), "square:gaps", visitor=True),
    Entry(_("资金流向"), "square:money", visitor=True),
    Entry(_("征集"), "calls:list"),
    Entry(_("公示"), "awards:notices"),
    Entry(_("申报"), "bidding:mine", APPLICANT),
    Entry(_("评审"), "review:mine", frozenset({"expert"})),
    Entry(_("评审组"), "review:panels", frozenset({"officer", "approver", "auditor", "operator", "observer"})),
    Entry(_("立项"), "awards:index", frozenset({"officer", "approver", "auditor"})),
    Entry(_("审计"), "desk:audit", frozenset({"auditor"})),
    Entry(_("付款"), "funding:queue", frozenset({"finance_officer", "approver"})),
    Entry(_("单位"), "people:organisations", AGENCY | APPLICANT),
    Entry(_("平台管理"), "people:site", frozenset({"system_admin", "security_admin", "audit_admin"})),
    Entry(_("信箱"), "notifications:inbox"),
)


@dataclass(frozen=True)
class Place:
    """An entry as shown on one page: label, URL, and whether the page lies under it."""

    label: Sentence
    url: str
    here: bool


def remember_roles(request: HttpRequest, user: Any) -> frozenset[str]:
    """Look up the person's roles (two queries) and keep them in the session; they only choose links, never permissions."""
    roles = set(active(user=user).values_list("role", flat=True))
    if Expert.objects.filter(user=user).exists():
        roles.add("expert")
    if request.session.get(KEY) != sorted(roles):  # writing the session costs three queries
        request.session[KEY] = sorted(roles)
    return frozenset(roles)


@receiver([user_logged_in, roles_changed])
def _at_sign_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if hasattr(request, "session"):
        remember_roles(request, user)


def places(request: HttpRequest) -> list[Place]:
    """The entries for this visitor, in order; no query."""
    signed_in = hasattr(request, "user") and request.user.is_authenticated
    roles = frozenset(request.session.get(KEY, ())) if signed_in else EVERYBODY
    return [_place(entry, request.path) for entry in ENTRIES if entry.public or _is_for(entry, roles, signed_in=signed_in)]


def _is_for(entry: Entry, roles: frozenset[str], *, signed_in: bool) -> bool:
    if entry.visitor or not signed_in:
        return entry.visitor and not signed_in
    return not entry.roles or bool(entry.roles & roles)


def _place(entry: Entry, path: str) -> Place:
    url = reverse(entry.address)
    here = path == url if url == "/" else path.startswith(url)
    return Place(entry.label, url, here)


def menu(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `menu`, asked for only by pages that print it."""
    return {"menu": lambda: places(request)}


__all__ = ["ENTRIES", "menu", "places", "remember_roles"]
