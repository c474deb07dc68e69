"""Once more who you are, before what cannot be taken back. The pages and methods are django-allauth's; which acts ask is said in `grants.desk.asking`.

What had been typed when the question came is kept in the session until the answer, encrypted: it may hold an account number or a ballot.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from grants.vault import CannotOpen
from grants.vault.columns import decrypt, encrypt
from grants.web import errors
from grants.web.limits import SECRETS
from grants.workflow.effects import real_now

FRESH: Final = timedelta(minutes=5)
SITTING: Final = timedelta(minutes=30)
"""For what one does many times in a row and can take back: a reviewer's ballots. A session left alone ends after as long (`SESSION_IDLE`)."""
KEPT: Final = "asked_again"
MOST_KEPT: Final = 200_000
"""Characters of a form that are kept; none of the forms that ask again is near it."""


@dataclass(frozen=True)
class Proof:
    """That the person showed who they are. method: password | mfa | socialaccount; at: UTC, wall clock, never the clock that can be set."""

    method: str
    at: datetime

    @property
    def is_fresh(self) -> bool:
        """Within the last five minutes."""
        return self.is_within(FRESH)

    def is_within(self, window: timedelta) -> bool:
        """Not in the future, and less than `window` ago."""
        return timedelta(0) <= real_now() - self.at < window


@dataclass(frozen=True)
class Kept:
    """A form that waits for the answer. path: where it was sent; fields: (name, value) in order; files: whether some went with it, which are not kept."""

    path: str
    fields: tuple[tuple[str, str], ...]
    files: bool


def just_now(method: str) -> Proof:
    """For whoever has authenticated the person in this very act (a command, a demonstration)."""
    return Proof(method, real_now())


def proof(request: HttpRequest) -> Proof | None:
    """The latest time that this session's person gave a password or a second factor, signing in or asked again; None for visitors.

    Signing in elsewhere counts only for whoever has nothing to show here: another site's open session proves little.
    """
    records = get_authentication_records(request, request.user)
    shown = [record for record in records if record.get("reauthenticated") or record["method"] == "mfa"]
    records = shown or (records if records and not get_reauthentication_flows(request.user) else [])  # type: ignore[arg-type]
    if not records:
        return None
    last = max(records, key=lambda record: record["at"])
    return Proof(str(last["method"]), datetime.fromtimestamp(last["at"], UTC))


def has_just(request: HttpRequest) -> bool:
    """Whether this session's person has shown who they are in the last five minutes."""
    return has_within(request, FRESH)


def has_within(request: HttpRequest, window: timedelta) -> bool:
    """Whether this session's person has shown who they are less than `window` ago."""
    found = proof(request)
    return found is not None and found.is_within(window)


def address(back: str) -> str:
    """The page that asks for the password or the second factor and leads back to `back`."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"


def ask(request: HttpRequest, back: str = "") -> HttpResponse:
    """To that page, and back here (or to `back`: what was posted is not sent again). Without anything to show here: how else."""
    if not get_reauthentication_flows(request.user):  # type: ignore[arg-type]
        sentence = _("这一步要再次确认是您本人。您的账号在本平台没有密码，也没有第二重验证：请退出后重新登录，五分钟内办理；或先设置第二重验证。")
        return errors.refused(request, sentence, status=403)
    return redirect(address(back or request.get_full_path()))


def keep(request: HttpRequest) -> bool:
    """Keep what was posted until the person has answered; never passwords and codes. False: too long, or nobody is signed in."""
    fields = [(name, value) for name, values in request.POST.lists() if not SECRETS.search(name) for value in values]
    text = json.dumps([request.get_full_path(), fields, bool(request.FILES)], ensure_ascii=False)
    if len(text) > MOST_KEPT or not request.user.is_authenticated:
        return False
    request.session[KEPT] = encrypt(text, _about(request))
    return True


def kept(request: HttpRequest) -> Kept | None:
    """What waits in this session for this person; None when nothing does or it cannot be read."""
    stored = request.session.get(KEPT, "")
    try:
        path, fields, files = json.loads(decrypt(stored, _about(request)))
    except (CannotOpen, ValueError):
        return None
    return Kept(path, tuple((name, value) for name, value in fields), files)


def forget(request: HttpRequest) -> None:
    """What waited was sent, or something else was: nothing is kept longer than it is of use."""
    if KEPT in request.session:
        del request.session[KEPT]


def _about(request: HttpRequest) -> str:
    return f"asked again {request.user.pk}"
