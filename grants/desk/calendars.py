"""我的日历: everything with a date that waits for a person, as a page and as a feed that telephones and office calendars read.

The feed has no sign-in: its address holds a secret of its own, which the person can change. It tells what to do and by when, in the words of
the home page, and nothing else.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods
from icalendar import Calendar, Event

from grants import clock
from grants.desk.registry import waiting_for
from grants.notifications.models import CalendarKey

SPAN = timedelta(minutes=30)  # what a calendar shows of a deadline: the half hour before it


@login_required
@require_http_methods(["GET", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """What has a date, and the address of the feed; POST makes a new address."""
    user: Any = request.user
    if request.method == "POST":
        _new_key(user)
        messages.success(request, _("已换用新的日历地址，旧地址从现在起失效。"))
        return redirect("desk:calendar")
    held = CalendarKey.objects.filter(to=user).first()
    dated = [row for row in waiting_for(user) if row.due_at is not None]
    feed = _address(request, held.key) if held is not None else ""
    return render(request, "desk/calendar.html", {"dated": dated, "feed": feed})


def _new_key(user: Any) -> None:
    CalendarKey.objects.update_or_create(to=user, defaults={"key": secrets.token_urlsafe(32), "made_at": clock.now()})


def _address(request: HttpRequest, key: str) -> str:
    path = reverse("desk:calendar_feed", args=[key])
    return f"{settings.SITE_URL}{path}" if settings.SITE_URL else request.build_absolute_uri(path)


@require_GET
def feed(request: HttpRequest, key: str) -> HttpResponse:
    """The calendar behind a secret address; 404 for an address that was changed or whose person may not act any more."""
    held = CalendarKey.objects.select_related("to").filter(key=key, to__is_active=True).first()
    if held is None:
        raise Http404(_("这个日历地址已失效，请在“我的日历”页面重新获取。"))
    with override("zh-hans"):
        body = _calendar(held.to, settings.SITE_URL or request.build_absolute_uri("/").rstrip("/"))
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="gongchuang.ics"'
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _calendar(user: Any, site: str) -> bytes:
    book = Calendar()
    book.add("prodid", "-//Gongchuang//calendar//ZH")
    book.add("version", "2.0")
    book.add("x-wr-calname", str(_("公创待办")))
    for row in waiting_for(user):
        if row.due_at is not None:
            book.add_component(_event(row, site))
    return book.to_ical()


def _event(row: Any, site: str) -> Event:
    """One deadline. Its UID is what it is about, so that a later deadline moves the entry instead of adding one."""
    event = Event()
    event.add("uid", f"{row.url.strip('/').replace('/', '-')}@gongchuang")
    event.add("dtstamp", clock.now())
    event.add("dtstart", row.due_at - SPAN)
    event.add("dtend", row.due_at)
    event.add("summary", f"{row.label}：{row.title}")
    event.add("url", site + row.url)
    return event
