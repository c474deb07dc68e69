"""Pages of awards: `office` for the agency's desk, `public` for everybody."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from grants.workflow.rules import PUBLIC


def who(request: HttpRequest) -> Any:
    """The actor behind a request: the signed-in person, or the public."""
    return request.user if request.user.is_authenticated else PUBLIC
