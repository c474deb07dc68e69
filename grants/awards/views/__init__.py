"""Pages of awards: `office` for the agency's desk, `public` for everybody."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from grants.calls.models import Call
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.workflow.rules import PUBLIC


def who(request: HttpRequest) -> Any:
    """The actor behind a request: the signed-in person, or the public."""
    return request.user if request.user.is_authenticated else PUBLIC


def in_office(actor: Any) -> Q:
    """Of calls: those whose list of awards this person may open. Links to the list ask it too."""
    return scopes_with(actor, "read_calls", Agency, "agency") | scopes_with(actor, "supervise", Call, "pk")
