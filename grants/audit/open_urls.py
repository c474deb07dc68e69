"""Addresses of open data. They are promised to stay: other sites build on them."""

from __future__ import annotations

from django.urls import path

from grants.audit import open_views

app_name = "open"
urlpatterns = [path("", open_views.index, name="index"), path("<slug:code>/<str:name>", open_views.file, name="file")]
