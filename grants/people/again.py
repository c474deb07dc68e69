"""Once more who you are, before what cannot be taken back: signing in a body's name. The pages and methods are django-allauth's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from grants.workflow.effects import real_now

FRESH: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Proof:
    """That the person showed who they are. method: password | mfa | socialaccount; at: UTC, wall clock, never the clock that can be set."""

    method: str
    at: datetime

    @property
    def is_fresh(self) -> bool:
        """Within the last five minutes."""
        return timedelta(0) <= real_now() - self.at < FRESH


def just_now(method: str) -> Proof:
    """For whoever has authenticated the person in this very act (a command, a demonstration)."""
    return Proof(method, real_now())


def proof(request: HttpRequest) -> Proof | None:
    """The latest time that this session's person gave a password or a second factor; None for visitors."""
    records = [record for record in get_authentication_records(request, request.user) if record.get("reauthenticated")]
    if not records:
        return None
    last = max(records, key=lambda record: record["at"])
    return Proof(str(last["method"]), datetime.fromtimestamp(last["at"], UTC))


def has_just(request: HttpRequest) -> bool:
    """Whether this session's person has shown who they are in the last five minutes."""
    found = proof(request)
    return found is not None and found.is_fresh


def address(back: str) -> str:
    """The page that asks for the password or the second factor and leads back to `back`."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"


def ask(request: HttpRequest, back: str = "") -> HttpResponse:
    """To that page, and back here (or to `back`: what was posted is not sent again)."""
    return redirect(address(back or request.get_full_path()))
