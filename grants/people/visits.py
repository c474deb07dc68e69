"""Who is signed in where: one row per session, limits of idleness, length and number, ending them, and the letter about a new device.

Times are the machine's own, never the clock of a rehearsal. The session itself is Django's; ending a visit deletes it.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest

from grants.notifications.services import send
from grants.people import factors, security
from grants.people.models import User, Visit
from grants.web.limits import address_of
from grants.workflow.effects import real_now

KEY = "visit"
DEVICE_SECONDS = 2 * 365 * 86400
"""The life of the cookie that marks a browser (`DEVICE_COOKIE_NAME`): random, says nothing, read by nobody but `begin`."""
NOTED_EVERY = timedelta(minutes=1)
BROWSERS = (("MicroMessenger", "微信"), ("Edg", "Edge"), ("QQBrowser", "QQ"), ("360", "360"), ("Firefox", "Firefox"),
            ("HeadlessChrome", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("Android", "Android"), ("HarmonyOS", "HarmonyOS"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))


@receiver(user_logged_in, dispatch_uid="people.visits")
def begin(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note the visit, its limits in the session, a letter if this browser was never seen with this person before."""
    if not hasattr(request, "session"):
        return
    now, staff = real_now(), factors.needs(user)
    replaced = request.session.get(KEY, {}).get("id")
    if replaced:  # the same browser signed in again (a changed password): one visit, not two
        _close(Visit.objects.filter(pk=replaced), "signed_out")
    before = Visit.objects.filter(user=user).order_by("-pk").first()
    device = _device(request)
    is_new = before is not None and not Visit.objects.filter(user=user, device=device).exists()
    visit = Visit.objects.create(
        user=user, session_key=request.session.session_key or "", since=now, last_seen=now,
        network=security.network_of(address_of(request)), browser=browser_of(request.META.get("HTTP_USER_AGENT", "")), device=device,
    )  # fmt: skip
    request.session[KEY] = {"id": visit.pk, "since": now.timestamp(), "seen": now.timestamp(), "staff": staff}
    request.session["before"] = [before.since.isoformat(), before.browser, before.network] if before else []
    request.session["second_factor"] = any(
        record.get("method") == "mfa" for record in get_authentication_records(request, user)
    )
    security.note(security.Kind.SIGNED_IN, person=user, request=request)
    if is_new:
        _tell(visit, request)
    if staff:
        _end_oldest(user)


@receiver(user_logged_out, dispatch_uid="people.visits")
def leave(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """The visit ends with the session; an ending that was decided elsewhere keeps its reason."""
    held = request.session.get(KEY) if hasattr(request, "session") else None
    if user is None or not held:
        return
    if _close(Visit.objects.filter(pk=held.get("id")), "signed_out"):
        security.note(security.Kind.SIGNED_OUT, person=user, request=request)


def overdue(request: HttpRequest) -> str:
    """Which limit this session has passed: "idle", "too_long", or none. Notes at most once a minute that somebody is there."""
    held = request.session.get(KEY)
    now = real_now()
    if held is None:  # a session from before visits were noted
        request.session[KEY] = {"id": None, "since": now.timestamp(), "seen": now.timestamp(), "staff": True}
        return ""
    if now.timestamp() - held["since"] > settings.SESSION_LONGEST:
        return "too_long"
    if held["staff"] and now.timestamp() - held["seen"] > settings.SESSION_IDLE:
        return "idle"
    if now.timestamp() - held["seen"] > NOTED_EVERY.total_seconds():
        request.session[KEY] = {**held, "seen": now.timestamp()}
        Visit.objects.filter(pk=held["id"]).update(last_seen=now)
    return ""


def expire(request: HttpRequest, how: str) -> None:
    """Close the visit for this reason; the caller signs out."""
    held = request.session.get(KEY, {})
    _close(Visit.objects.filter(pk=held.get("id")), how)
    security.note(security.Kind.EXPIRED, person=request.user, request=request, detail=how)


def moved(request: HttpRequest) -> None:
    """The session got a new key (a changed password): the visit follows it."""
    Visit.objects.filter(pk=request.session.get(KEY, {}).get("id")).update(session_key=request.session.session_key)


def open_visits(user: User) -> QuerySet[Visit]:
    """The sessions of a person that are alive now, newest first."""
    alive = Session.objects.filter(expire_date__gt=real_now()).values("session_key")
    return Visit.objects.filter(user=user, ended_at=None, session_key__in=alive).order_by("-since", "-pk")


def end(visit: Visit, *, how: str) -> None:
    """End one session; its browser is signed out at its next click."""
    Session.objects.filter(session_key=visit.session_key).delete()
    _close(Visit.objects.filter(pk=visit.pk), how)


def end_all(user: User, *, how: str, keep: str | None = None) -> int:
    """End every session of a person but the one with the key `keep`; returns how many."""
    found = list(open_visits(user).exclude(session_key=keep or ""))
    Session.objects.filter(session_key__in=[visit.session_key for visit in found]).delete()
    _close(Visit.objects.filter(pk__in=[visit.pk for visit in found]), how)
    return len(found)


def _end_oldest(user: User) -> None:
    for visit in open_visits(user)[settings.SESSIONS_AT_ONCE :]:
        end(visit, how="too_many")


def _close(visits: QuerySet[Visit], how: str) -> int:
    return visits.filter(ended_at=None).update(ended_at=real_now(), ended_how=how)


def _device(request: HttpRequest) -> str:
    """The browser's mark, a new one when it brings none; `gate` gives it the cookie."""
    found = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    if not re.fullmatch(r"[\w-]{30,64}", found):
        found = secrets.token_urlsafe(32)
        request.new_device = found  # type: ignore[attr-defined]
    return security.mark_of(found)


def _tell(visit: Visit, request: HttpRequest) -> None:
    security.note(security.Kind.NEW_DEVICE, person=visit.user, request=request)
    send(to=visit.user, template="people/new_device", context={"visit": visit}, key=f"new-device/{visit.pk}", link="/people/me/visits/")


def browser_of(agent: str) -> str:
    """"Chrome · Windows": enough to recognise one's own telephone, no more."""
    name = next((said for sign, said in BROWSERS if sign in agent), "")
    system = next((said for sign, said in SYSTEMS if sign in agent), "")
    return " · ".join(part for part in (name, system) if part)


def last_time(request: HttpRequest) -> tuple[datetime, str, str] | None:
    """When, with which browser and from which network this person signed in before now."""
    before = request.session.get("before")
    return (datetime.fromisoformat(before[0]), before[1], before[2]) if before else None
