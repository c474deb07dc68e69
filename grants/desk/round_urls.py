"""Addresses of the officer's rounds, under the desk's."""

from __future__ import annotations

from django.urls import path

from grants.desk import rounds

urlpatterns = [
    path("rounds/", rounds.rounds, name="rounds"),
    path("rounds/<uuid:pk>/", rounds.show, name="round"),
    path("rounds/<uuid:pk>/acknowledged/", rounds.acknowledged, name="acknowledged"),
    path("rounds/<uuid:pk>/rehearsal/", rounds.rehearsal, name="rehearsal"),
]
