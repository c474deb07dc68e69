"""How recently somebody in a test has shown who they are. `force_login` counts as the sign-in page does: the person has just given the password."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows import login as flows
from allauth.account.internal.userkit import user_id_to_str
from django.test import Client

_plain = Client.force_login


def count_as_signing_in() -> None:
    """From now on every `force_login` leaves the record that signing in leaves."""
    Client.force_login = _signed_in  # type: ignore[method-assign]


def _signed_in(client: Client, user: Any, backend: str | None = None) -> None:
    _plain(client, user, backend)
    session = client.session
    session[flows.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session[flows._AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
    session.save()


def left_open(client: Client, *, minutes: float = 6) -> Client:
    """So long ago the person last showed who they are; the session is still theirs."""
    session = client.session
    records = session.get(flows.AUTHENTICATION_METHODS_SESSION_KEY, [])
    session[flows.AUTHENTICATION_METHODS_SESSION_KEY] = [{**record, "at": record["at"] - minutes * 60} for record in records]
    session.save()
    return client
