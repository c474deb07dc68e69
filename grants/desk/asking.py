"""Which acts ask again who one is, and how recently one must have shown it: one table for every door of the web, and the door-keeper that asks.

The question belongs to the page, not to the step: a command, a worker and a test take the same step without a browser that somebody may have left
open. (Where the proof is part of the act, as in an electronic signature, the step demands it besides.) A form that comes too late is kept, the
person shows who they are, and sends it on with one button. What is in no table is asked: a new page is safe before somebody thought about it.
Why this one and not that one: docs/adr/0031.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from grants.desk.asking_table import NOT_PAGES, NOT_STEPS, OWN_PAGES, PAGES, STEPS
from grants.people import again

Window = timedelta | None
SAFE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
STEP_PAGE: Final = "desk:step"
_LEFT_ALONE: Final = frozenset(name for names in (*NOT_PAGES.values(), *OWN_PAGES.values()) for name in names)
_STEPS_LEFT_ALONE: Final = frozenset(step for steps in NOT_STEPS.values() for step in steps)


def of_step(kind: str, verb: str) -> Window:
    """How recently one must have shown who one is for a step; None: at any time."""
    if (kind, verb) in _STEPS_LEFT_ALONE:
        return None
    return STEPS.get((kind, verb), again.FRESH)


def of_form(name: str, kwargs: Mapping[str, Any], request: HttpRequest) -> Window:
    """The same for a form that was sent to the address `name`."""
    if name == STEP_PAGE:
        return of_step(str(kwargs.get("kind")), str(kwargs.get("verb")))
    if name in _LEFT_ALONE:
        return None
    window, concerns = PAGES.get(name, (again.FRESH, None))
    return window if concerns is None or concerns(request) else None


def owed(request: HttpRequest, window: Window) -> bool:
    """Whether the person must be asked. Visitors are refused by the act's own rule, not here."""
    return window is not None and request.user.is_authenticated and not again.has_within(request, window)


class AskAgain:
    """Middleware, after the gate: no form of an act in the table reaches its view while the proof is older than the table allows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Mapping[str, Any]) -> HttpResponse | None:
        if request.method in SAFE or request.resolver_match is None:
            return None
        window = of_form(request.resolver_match.view_name, kwargs, request)
        if window is None:
            return None
        if not owed(request, window):
            again.forget(request)
            return None
        return _asked(request)


def _asked(request: HttpRequest) -> HttpResponse:
    """To the question, the form kept; a script is told 401 and keeps what it holds."""
    if request.headers.get("Sec-Fetch-Dest") == "empty" or "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": "show_again", "show_again": again.address(reverse("desk:home"))}, status=401)
    return again.ask(request, reverse("desk:resume") if again.keep(request) else request.get_full_path())


@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """继续办理: what was typed before the question, and one button that sends it on. Nothing waits, or another person is here: home."""
    found = again.kept(request) if request.user.is_authenticated else None
    if found is None:
        return redirect("desk:home")
    if not again.has_just(request):
        return again.ask(request)
    answer = render(request, "desk/resume.html", {"kept": found, "title": _("继续办理")})
    answer.headers["Cache-Control"] = "no-store"
    return answer
