"""恢复码: the pages. allauth's own would show codes that it can compute again; ours are shown once and kept as hashes."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from grants.people import codes


@require_GET
@login_required
@never_cache
@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]
def shown(request: HttpRequest) -> HttpResponse:
    """New codes, the one time; afterwards how to make others. No HEAD: what nobody reads must not use up the one time."""
    if codes.of(request.user) is None:
        raise Http404
    fresh = codes.made(request.user)
    return render(request, "mfa/recovery_codes/index.html", {"unused_codes": fresh, "can_view_codes": fresh is not None})


class Generate(GenerateRecoveryCodesView):  # type: ignore[misc]
    """重新生成: the old ones end at once, the new ones are shown on the next page."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "unused_code_count": codes.left(codes.of(self.request.user))}
