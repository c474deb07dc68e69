"""Pages that run the sealing program: every script is named with its hash, and the page's policy allows exactly that map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe

from bidding import sealing_bundle
from grants.web.policy import HEADER


def rendered(request: HttpRequest, template: str, script: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """The page, with `import_map` and the address of `script` (a name of `sealing_bundle.PROGRAM`) for its head; kept by no cache."""
    more = {"import_map": _import_map(), "script": sealing_bundle.address(script)}
    answer = render(request, template, {**context, **more}, status=status)
    answer.headers[HEADER] = sealing_bundle.policy()
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _import_map() -> SafeString:
    """The one inline script of the site: hashes, no code; see `sealing_bundle.import_map`."""
    return mark_safe(f'<script type="importmap">{sealing_bundle.import_map()}</script>')  # noqa: S308 - made of our own file names and hashes
