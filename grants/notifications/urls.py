"""Addresses of letters."""

from __future__ import annotations

from django.urls import path

from grants.notifications import views

app_name = "notifications"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("wishes/", views.wishes, name="wishes"),
    path("read-all/", views.read_all, name="read_all"),
    path("<uuid:pk>/", views.letter, name="letter"),
]
