"""Addresses of packages."""

from __future__ import annotations

from django.urls import path

from grants.audit import views

app_name = "audit"
urlpatterns = [
    path("calls/<uuid:pk>/", views.packages, name="packages"),
    path("<uuid:pk>/", views.package, name="package"),
    path("<uuid:pk>/file/", views.file, name="file"),
]
