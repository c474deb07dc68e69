"""What the base layout needs on every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from grants.web.display import display_of


def site(request: HttpRequest) -> dict[str, Any]:
    """site_name: the header's name. agency: what the footer says about who runs the site (`settings.SITE_AGENCY`). display: as chosen."""
    return {
        "site_name": settings.SITE_NAME,
        "agency": settings.SITE_AGENCY,
        "footer_lines": settings.SITE_FOOTER,
        "display": display_of(request),
    }
