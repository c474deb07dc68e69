"""Pages of review beside the desk: the pool, the panel at work, the ballot."""

from __future__ import annotations

from django.http import HttpRequest

from grants.people.models import User


def me(request: HttpRequest) -> User:
    """Who is signed in; for views behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user
