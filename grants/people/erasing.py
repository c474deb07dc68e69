"""个人信息: what is held about a person, what of it must stay and until when, and its erasure (个人信息保护法 §44–§47; docs/adr/0030).

Each stage says for itself what it holds: it hands a `Keeper` up when it is loaded. Erasing a person takes from the account what reaches them — telephone,
address, second factors, letters, sign-ins — and, once nothing that archives law keeps names them any more, the name itself. The row stays, with the random
pseudonym that the log knows: every count, sum and ranking that was made with it is what it was, and nobody can be found from it.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.clock import TZ
from grants.ledger.models import AuditPayload
from grants.notifications.models import CalendarKey, Message, Wish
from grants.people import visits
from grants.people.appointments import active
from grants.people.models import AccountRequest, User
from grants.people.roles import ORGANISATION, name_of
from grants.workflow.refusals import Sentence

GROUND: Final = "个人信息保护法第四十七条"
STAFF_YEARS: Final = 15
"""Who acted for an agency stays known as long as procurement files do (政府采购法 §42: at least fifteen years)."""
NAMELESS: Final = "已删除"


@dataclass(frozen=True)
class Hold:
    """Why a person cannot be forgotten yet. until: the first day (Asia/Shanghai) on which they may, None while no day can be named.

    duty: the person still has something to do here, so nothing at all is erased; otherwise only the name stays.
    """

    why: Sentence
    ground: Sentence
    until: date | None = None
    duty: bool = False


@dataclass(frozen=True)
class Keeper:
    """One stage's part. tells: what it holds, as JSON types; holds: what must stay; erases: what goes of it, called within a transaction."""

    name: str
    tells: Callable[[User], dict[str, Any]]
    holds: Callable[[User], Iterable[Hold]]
    erases: Callable[[User], None] = lambda _user: None


KEEPERS: list[Keeper] = []


def keep(keeper: Keeper) -> None:
    """Hand up a stage's part; handing it up again changes nothing. Called when the stage is loaded."""
    if keeper.name not in {each.name for each in KEEPERS}:
        KEEPERS.append(keeper)


def later(day: date, months: int) -> date:
    """The same day of the month some months on; its last day where there is none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def told(user: User) -> dict[str, Any]:
    """Everything that is held about a person, by stage, as JSON types (个人信息保护法 §45: a copy of one's data)."""
    return {each.name: each.tells(user) for each in KEEPERS}


def holds(user: User) -> list[Hold]:
    """What must stay, duties first, then the latest day first; what was due by today is no hold any more."""
    found = [hold for each in KEEPERS for hold in each.holds(user)]
    today = clock.today()
    kept = [hold for hold in found if hold.duty or hold.until is None or hold.until > today]
    return sorted(kept, key=lambda hold: (not hold.duty, -(hold.until or date.max).toordinal()))


def obstacle(user: User) -> Sentence | None:
    """Why nothing can be erased now, or None: duties, or that it was done and the name's day has not come."""
    found = holds(user)
    if found and found[0].duty:
        return found[0].why
    if user.erased_at is not None:
        return _("这个账号的个人信息已经删除。")
    if not has_contact(user) and found:
        return _("联系方式已经删除；姓名%(why)s") % {"why": kept_until(found[0])}
    return None


def kept_until(hold: Hold) -> str:
    """The rest of a sentence that begins with what is kept."""
    if hold.until is None:
        return _("须保留，还不能确定到哪一天：%(why)s（%(ground)s）") % {"why": hold.why, "ground": hold.ground}
    return _("须保留到 %(day)s：%(why)s（%(ground)s）") % {"day": hold.until, "why": hold.why, "ground": hold.ground}


def has_contact(user: User) -> bool:
    """Whether something is left by which the person is reached or recognised, besides the name."""
    return bool(user.phone or user.email or user.has_usable_password() or Message.objects.filter(to=user).exclude(body="").exists())


def erase(user: User, *, by: Any) -> dict[str, Any]:
    """Close the account and erase what may go; what was done, fit for the log. Called by the `confirm` step of an account request only.

    Keys: name ("erased" or "kept"), until (the day until which the name is kept, "" where none can be named).
    """
    found = holds(user)
    with transaction.atomic():
        visits.end_all(user, how="administrator")
        for each in KEEPERS:
            each.erases(user)
        if not found:
            _forget_the_name(user)
        user.save()
        _erase_payloads(user, by)
    return {"name": "kept" if found else "erased", "until": str(found[0].until or "") if found else ""}


def _forget_the_name(user: User) -> None:
    user.name, user.username, user.first_name, user.last_name = NAMELESS, f"{NAMELESS}-{user.pk.hex[:12]}", "", ""
    user.erased_at = clock.now()


def _erase_payloads(user: User, by: Any) -> None:
    """What people wrote about this account when they opened, closed or changed it; the log keeps its commitments and stays valid."""
    subjects = [f"user:{user.pk}", *(request.subject for request in user.account_requests.all())]
    for event in AuditPayload.objects.filter(event__subject__in=subjects).values_list("event_id", flat=True):
        ledger.erase(event, actor=str(by.pseudonym), role="administrator", ground=GROUND)


# --- the account itself ----------------------------------------------------------------------------------------------------


def _tells(user: User) -> dict[str, Any]:
    roles = [
        {"role": str(name_of(row.role)), "scope": row.scope_name, "since": row.since.isoformat(), "until": row.until.isoformat() if row.until else None}
        for row in user.appointments.order_by("since")
    ]
    seen = [{"since": v.since.isoformat(), "network": v.network, "browser": v.browser} for v in user.visits.order_by("-since")]
    letters = [{"at": m.created_at.isoformat(), "subject": m.subject, "body": m.body} for m in user.letters.all()]  # type: ignore[attr-defined]
    reach = {name: getattr(user, name) for name in ("username", "name", "phone", "email")}
    return {**reach, "joined": user.date_joined.isoformat(), "roles": roles, "visits": seen, "letters": letters}


def _holds(user: User) -> Iterable[Hold]:
    for row in active(user=user):
        yield Hold(_("还任“%(scope)s”的%(role)s，请先卸任。") % {"scope": row.scope_name, "role": name_of(row.role)}, _("职责尚未结束"), duty=True)
    ended = user.appointments.exclude(scope_kind=ORGANISATION).filter(until__isnull=False).order_by("-until").first()
    if ended is not None and ended.until is not None:
        until = later(ended.until.astimezone(TZ).date(), 12 * STAFF_YEARS)
        yield Hold(_("曾任“%(scope)s”的%(role)s，经办须能追溯。") % {"scope": ended.scope_name, "role": name_of(ended.role)}, _("政府采购法第四十二条"), until)


def _erases(user: User) -> None:
    user.phone = user.email = ""
    user.is_active = False
    user.set_unusable_password()
    Authenticator.objects.filter(user=user).delete()
    SocialAccount.objects.filter(user=user).delete()
    CalendarKey.objects.filter(to=user).delete()
    Wish.objects.filter(to=user).delete()
    Message.objects.filter(to=user).update(subject="", body="", link="")
    user.visits.all().delete()
    AccountRequest.objects.filter(person=user).update(identity="")


keep(Keeper("account", _tells, _holds, _erases))
