"""How often one visitor may try something: sign-up, objections, proposals, wrong passwords.

    @limited("awards.object", "10/h", by_address)
    def object_to(request): ...

counts submissions (not reading) and answers 429 with a page that says when to come back, carries on what was typed and sends
it again by one button. Where a form is at hand, call `spend` in the view instead and put the sentence of `come_back` on it.

The tally is a row in the database, so that every web process counts the same; SQLite or PostgreSQL, no further service.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from grants import clock
from grants.web.models import Tally

Key = Callable[[HttpRequest], str]
View = Callable[..., Any]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SECRETS = re.compile(r"csrfmiddlewaretoken|password|again|code$")
"""Names of fields that are never written back into a page."""


class Rate(NamedTuple):
    """So many attempts within so many seconds."""

    amount: int
    seconds: int


def rate_of(text: str) -> Rate:
    """"10/h" → Rate(10, 3600); "5/15m" → Rate(5, 900). Raises ValueError."""
    found = re.fullmatch(r"([1-9]\d*)/(\d*)([smhd])", text)
    if not found:
        raise ValueError(f"{text!r} is no rate; write 5/15m, 10/h, 20/d")
    return Rate(int(found[1]), int(found[2] or 1) * _UNITS[found[3]])


def address_of(request: HttpRequest) -> str:
    """The visitor's address: what our own proxies say (`TRUSTED_PROXIES` of them), never what the visitor says; IPv6 as /64."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    found = hops[-trusted] if 0 < trusted <= len(hops) else request.META.get("REMOTE_ADDR", "")
    try:
        parsed = ipaddress.ip_address(found)
    except ValueError:
        return ""
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False).network_address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def by_address(request: HttpRequest) -> str:
    """One count per network address: for visitors without an account. Be generous, a street office shares one."""
    return address_of(request)


def by_person(request: HttpRequest) -> str:
    """One count per account; without an account, per address."""
    user = getattr(request, "user", None)
    return f"person {user.pk}" if user is not None and user.is_authenticated else by_address(request)


def limited(name: str, rate: str, key: Key = by_address, *, methods: tuple[str, ...] = ("POST",)) -> Callable[[View], View]:
    """Decorate a view: at most `rate` requests of these methods per `key`. Beyond it: 429, Retry-After, nothing typed is lost."""
    allowed = rate_of(rate)

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            wait = spend(name, allowed, key(request)) if request.method in methods else 0
            return too_many(request, wait) if wait else view(request, *args, **kwargs)

        return asked

    return decorate


def spend(name: str, rate: Rate, who: str, *, from_last: bool = False) -> int:
    """Count one attempt; returns 0, or the seconds to wait when the allowance is used up (then nothing is counted).

    from_last: the time runs from the latest attempt instead of the first (a lock-out).
    """
    now, mark = clock.now(), _mark(name, who)
    with transaction.atomic():
        Tally.objects.get_or_create(mark=mark, defaults={"since": now, "until": now})
        held = Tally.objects.select_for_update().get(mark=mark)
        fresh = not held.since <= now < held.until
        if not fresh and held.count >= rate.amount:
            return _seconds(held.until, now)
        held.count = 1 if fresh else held.count + 1
        if fresh or from_last:
            held.since, held.until = now, now + timedelta(seconds=rate.seconds)
        held.save()
    if fresh:
        _forget_old(now)
    return 0


def wait_for(name: str, rate: Rate, who: str) -> int:
    """Seconds until another attempt would be allowed; 0 for now. Counts nothing."""
    now = clock.now()
    held = Tally.objects.filter(mark=_mark(name, who), count__gte=rate.amount, since__lte=now, until__gt=now).first()
    return _seconds(held.until, now) if held else 0


def forget(name: str, who: str) -> None:
    """Begin again at nothing: the right password was given, or somebody unlocked the account."""
    Tally.objects.filter(mark=_mark(name, who)).delete()


def come_back(seconds: int) -> str:
    """The sentence for somebody who has to wait."""
    minutes = max(1, math.ceil(seconds / 60))
    when = ngettext("%(n)d 分钟", "%(n)d 分钟", minutes) % {"n": minutes}
    return _("提交得太频繁，请在 %(when)s后再试。") % {"when": when}


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """429, with when to come back and a button that sends the same again; secrets and files must be given again."""
    kept = [(name, value) for name, values in request.POST.lists() if not SECRETS.search(name) for value in values]
    context = {"sentence": come_back(seconds), "kept": kept, "files": bool(request.FILES), "again": request.method == "POST"}
    answer = render(request, "web/errors/too_many.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def _mark(name: str, who: str) -> str:
    return salted_hmac("grants.web.limits", f"{name}|{who}", algorithm="sha256").hexdigest()


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, math.ceil((until - now).total_seconds()))


def _forget_old(now: datetime) -> None:
    """A tally that has run out says nothing any more; at most a hundred go with each new one."""
    old = Tally.objects.filter(until__lt=now - timedelta(days=1)).values_list("pk", flat=True)[:100]
    Tally.objects.filter(pk__in=list(old)).delete()
