"""Where each address leads. Every stage brings its own urls; this is the only list of them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("grants.desk.urls")),
    path("square/", include("grants.desk.square.urls")),
    path("people/", include("grants.people.urls")),
    path("account/", include("grants.people.account_urls")),
    path("messages/", include("grants.notifications.urls")),
    path("needs/", include("grants.calls.needs.urls")),
    path("calls/", include("grants.calls.urls")),
    path("bids/", include("bidding.urls")),
    path("review/", include("review.urls")),
    path("awards/", include("grants.awards.urls")),
    path("funding/", include("grants.funding.urls")),
    path("evaluation/", include("grants.evaluation.urls")),
    path("packages/", include("grants.audit.urls")),
    path("open/", include("grants.audit.open_urls")),
    path("style/", include("grants.web.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
handler403 = "grants.web.errors.forbidden"
handler404 = "grants.web.errors.not_found"
handler500 = "grants.web.errors.server_error"
