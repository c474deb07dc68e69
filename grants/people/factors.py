"""第二重验证: who needs one, who has one. Codes and passkeys themselves are django-allauth's (`allauth.mfa`).

Needed by whoever acts for the public side or judges: agency staff, operators, observers, experts, evaluators, administrators. Optional
for applicants. `SECOND_FACTOR` switches the requirement; a demonstration has it off, production refuses to have it off silently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from grants.people.models import Appointment
from grants.people.roles import AGENCY, CALL, SITE

Needs = Callable[[Any], bool]
_more: list[Needs] = []
REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def also_for(test: Needs) -> None:
    """A downstream stage names people who need one by its own records: experts, evaluators."""
    if test not in _more:
        _more.append(test)


def needs(user: Any) -> bool:
    """Whether this person's duties ask for a second factor (whatever the setting)."""
    if user.administers:
        return True
    if Appointment.objects.filter(user=user, until=None, scope_kind__in=(AGENCY, CALL, SITE)).exists():
        return True
    return any(test(user) for test in _more)


def has(user: Any) -> bool:
    """Whether an authenticator app or a passkey is set up; recovery codes alone are none."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=REAL).exists()


def owed(user: Any) -> bool:
    """Whether this person must set one up before anything else opens."""
    return bool(settings.SECOND_FACTOR) and not has(user) and needs(user)


def may_remove(authenticator: Authenticator) -> bool:
    """The last one of somebody who needs it stays; another is added first."""
    if not settings.SECOND_FACTOR or authenticator.type not in REAL or not needs(authenticator.user):
        return True
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=REAL).exclude(pk=authenticator.pk)
    return others.exists()
