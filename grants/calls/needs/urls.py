"""Addresses of needs."""

from __future__ import annotations

from django.urls import path

from grants.calls.needs import views

app_name = "needs"
urlpatterns = [
    path("", views.listed, name="list"),
    path("new/", views.new, name="new"),
    path("sent/", views.sent, name="sent"),
    path("receipt/<str:receipt>/", views.receipt, name="receipt"),
    path("desk/", views.desk, name="desk"),
    path("<slug:number>/", views.show, name="show"),
    path("<slug:number>/back/", views.back, name="back"),
    path("<slug:number>/contact/", views.contact, name="contact"),
]
