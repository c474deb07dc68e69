"""The page on which a sealed bid is written. (Being written on another branch.)"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from bidding.views.access import own


def shown(request: HttpRequest, bid: Any, form: Any, *, refusal: Any = None, status: int = 200) -> HttpResponse:
    return HttpResponse(str(refusal or form.problems()), status=status)


@login_required
def sealed(request: HttpRequest, pk: Any) -> HttpResponse:
    return HttpResponse(str(own(request, pk)))
