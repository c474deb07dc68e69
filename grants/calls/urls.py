"""Addresses of calls."""

from __future__ import annotations

from django.urls import path

from grants.calls.views import asking, comparing, downtime, editing, notices, starting, text

app_name = "calls"
urlpatterns = [
    path("", notices.public_list, name="list"),
    path("new/", starting.start, name="start"),
    path("new/text/", text.new, name="new"),
    path("compare/", comparing.compare, name="compare"),
    path("schema.json", notices.schema, name="schema"),
    path("<uuid:pk>/rules/", text.edit, name="edit"),
    path("<uuid:pk>/downtime/", downtime.downtime, name="downtime"),
    path("<uuid:pk>/edit/", editing.overview, name="editor"),
    path("<uuid:pk>/edit/<slug:part>/", editing.part, name="edit_part"),
    path("<uuid:pk>/edit/<slug:part>/<str:way>/", editing.part, name="edit_element"),
    path("<slug:code>/", notices.public, name="public"),
    path("<slug:code>/questions/", asking.questions, name="questions"),
    path("<slug:code>/questions/release/", asking.release, name="release"),
    path("<slug:code>/follow/", asking.follow, name="follow"),
    path("<slug:code>/preview/", notices.preview, name="preview"),
    path("<slug:code>/versions/", notices.versions, name="versions"),
    path("<slug:code>/versions/<int:number>.toml", notices.as_toml, name="toml"),
    path("<slug:code>/versions/<int:number>.json", notices.as_json, name="json"),
]
