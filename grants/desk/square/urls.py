"""Addresses of the public square."""

from __future__ import annotations

from django.urls import path
from django.views.decorators.http import require_GET

from grants.desk.square import charts, draws, feeds, passport_views, views

app_name = "square"
urlpatterns = [
    path("", require_GET(views.front), name="front"),
    path("calls/", views.calls, name="calls"),
    path("calls/<slug:code>/results/", views.results, name="results"),
    path("notices/", views.notices, name="notices"),
    path("notices/<int:pk>/objections/", views.objections, name="objections"),
    path("projects/", views.projects, name="projects"),
    path("projects/<str:number>/", views.project, name="project"),
    path("organisations/", views.organisations, name="organisations"),
    path("organisations/<uuid:pk>/", views.organisation, name="organisation"),
    path("organisations/<uuid:pk>/passport.json", passport_views.download, name="passport"),
    path("organisations/<uuid:pk>/passport.pdf", passport_views.paper, name="passport_paper"),
    path("passport/", passport_views.check, name="passport_check"),
    path("draws/", require_GET(draws.draws), name="draws"),
    path("draws/check/", require_GET(draws.check), name="draw_check"),
    path("draws/<uuid:pk>/", require_GET(draws.draw), name="draw"),
    path("draws/<uuid:pk>.json", require_GET(draws.transcript), name="draw_file"),
    path("gaps/", charts.gaps, name="gaps"),
    path("gaps.<str:ending>", charts.gaps_file, name="gaps_file"),
    path("money/", charts.money, name="money"),
    path("money.<str:ending>", charts.money_file, name="money_file"),
    path("feed.atom", feeds.Square(), name="feed"),
    path("prefer/", views.prefer, name="prefer"),
]
