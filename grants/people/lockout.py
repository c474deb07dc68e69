"""Five failures, then fifteen minutes: one count for the password (per name and address) and one for the second factor (per person).

The password's lock is per name *and* address: a lock per name alone would be a way to shut a bidder out on the last day. The second
factor is only ever asked of somebody who knew the password, so its lock is per person. 等保 2.0 asks for a lock-out (domain §8).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from grants.people import security
from grants.people.models import User
from grants.web import limits
from grants.workflow.effects import real_now

LOCK = limits.Rate(amount=5, seconds=15 * 60)
PASSWORD, FACTOR = "sign-in", "second-factor"


def password_locked(request: HttpRequest | None, username: str) -> bool:
    """Whether this name is locked for this visitor."""
    return bool(limits.wait_for(PASSWORD, LOCK, _who(request, username)))


def password_failed(request: HttpRequest | None, username: str) -> None:
    """Count one more; the log names the account when there is one, and never what was typed."""
    who = _who(request, username)
    limits.spend(PASSWORD, LOCK, who, from_last=True)
    person = User.objects.filter(username=username).first()
    security.note(security.Kind.FAILED, person=person, request=request)
    if limits.wait_for(PASSWORD, LOCK, who):
        security.note(security.Kind.LOCKED, person=person, request=request, detail=PASSWORD)


def password_given(request: HttpRequest | None, username: str) -> None:
    limits.forget(PASSWORD, _who(request, username))


def factor_locked(user: Any) -> bool:
    return bool(limits.wait_for(FACTOR, LOCK, str(user.pk)))


def factor_failed(user: Any, request: HttpRequest | None) -> None:
    limits.spend(FACTOR, LOCK, str(user.pk), from_last=True)
    security.note(security.Kind.FACTOR_FAILED, person=user, request=request)
    if factor_locked(user):
        security.note(security.Kind.LOCKED, person=user, request=request, detail=FACTOR)


def factor_given(user: Any) -> None:
    limits.forget(FACTOR, str(user.pk))


def first_use(user: Any, code: str) -> bool:
    """Whether this code was not used before while it is valid: every web process must know, so it is not left to a cache."""
    return limits.spend("used-code", limits.Rate(amount=1, seconds=180), f"{user.pk}|{code}") == 0


def lift(user: User) -> None:
    """解除锁定: every failure counted so far, from whatever address, no longer counts."""
    factor_given(user)
    User.objects.filter(pk=user.pk).update(unlocked_at=real_now())


def _who(request: HttpRequest | None, username: str) -> str:
    """Name, address, and when the account was last unlocked: an unlocked account starts a new count everywhere."""
    unlocked = User.objects.filter(username=username).values_list("unlocked_at", flat=True).first()
    return f"{username}|{limits.address_of(request) if request else ''}|{unlocked.isoformat() if unlocked else ''}"
