"""Addresses of evaluation."""

from __future__ import annotations

from django.urls import path

from grants.evaluation import views

app_name = "evaluation"
urlpatterns = [
    path("<uuid:pk>/report/", views.report, name="report"),
    path("<uuid:pk>/report/<slug:code>/", views.section, name="section"),
    path("<uuid:pk>/report/<slug:code>/save/", views.save, name="save"),
    path("awards/<uuid:pk>/closing/", views.closing, name="closing"),
    path("awards/<uuid:pk>/file/<int:number>/", views.evidence, name="evidence"),
    path("organisations/<uuid:pk>/record/", views.record, name="record"),
]
