"""How a person reads: 大字版 and high contrast. A signed-in person's choice follows the person, a visitor's stays in a signed cookie.

Both are classes on the page's root: one root font size enlarges everything (all sizes are in rem), one set of variables recolours it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

SALT, KEPT_FOR = "grants.web.display", 365 * 24 * 60 * 60  # seconds
COLUMNS = {"large": "large_type", "contrast": "high_contrast"}  # what the user model calls them


@dataclass(frozen=True)
class Display:
    """large: 大字版; contrast: white and yellow on black."""

    large: bool = False
    contrast: bool = False

    @property
    def classes(self) -> str:
        return " ".join(f"gc-{name}" for name in COLUMNS if getattr(self, name))


def display_of(request: HttpRequest | None) -> Display:
    """What this request's person chose; the standard when nobody did, or when the cookie is not one of ours."""
    if request is None:
        return Display()
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Display(**{name: bool(getattr(user, column, False)) for name, column in COLUMNS.items()})
    chosen = str(request.get_signed_cookie(settings.DISPLAY_COOKIE_NAME, default="", salt=SALT)).split("-")
    return Display(**{name: name in chosen for name in COLUMNS})


def choose(request: HttpRequest, response: HttpResponseBase, name: str, *, on: bool) -> None:
    """Remember one choice: on the user's row, or in the visitor's cookie. Raises KeyError for an unknown name."""
    column, user = COLUMNS[name], request.user
    if user.is_authenticated:
        setattr(user, column, on)
        user.save(update_fields=[column])
        return
    _keep(response, replace(display_of(request), **{name: on}))


def _keep(response: HttpResponseBase, chosen: Display) -> None:
    options: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": settings.SESSION_COOKIE_SECURE}
    value = "-".join(name for name in COLUMNS if getattr(chosen, name))
    response.set_signed_cookie(settings.DISPLAY_COOKIE_NAME, value, salt=SALT, max_age=KEPT_FOR, **options)
