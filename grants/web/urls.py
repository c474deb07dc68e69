"""Addresses of the design system itself."""

from __future__ import annotations

from django.urls import path

from grants.web import views

app_name = "web"
urlpatterns = [path("", views.style, name="style"), path("display/", views.display, name="display")]
