"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from grants.desk import asking, calendars, jobs, overdue, pack_views, plan, retrospective, site_pages, verifying, views
from grants.desk.audit import views as audit
from grants.desk.evidence import receipts, roots
from grants.desk.round_urls import urlpatterns as rounds
from grants.people import sign_in

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("site-map/", site_pages.site_map, name="site_map"),
    path("corrections/", site_pages.corrections, name="corrections"),
    path("verify/", verifying.verify, name="verify"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("resume/", asking.resume, name="resume"),
    path("receipts/", receipts.page, name="receipts"),
    path("roots/", roots.page, name="roots"),
    path("roots/<str:day>.pdf", roots.notice, name="root_notice"),
    path("o/<slug:kind>/<uuid:pk>/", views.show, name="object"),
    path("o/<slug:kind>/<uuid:pk>/do/<slug:verb>/", views.step, name="step"),
    path("o/<slug:kind>/<uuid:pk>/files/<str:sha256>/", views.file, name="file"),
    *rounds,
    path("project/<uuid:pk>/", views.whole_path, name="path"),
    path("project/<uuid:pk>/plan/", plan.page, name="plan"),
    path("project/<uuid:pk>/plan.ics", plan.calendar, name="plan_ics"),
    path("audit/", audit.index, name="audit"),
    path("audit/log/", audit.log, name="audit_log"),
    path("audit/log/<int:pk>/", audit.event, name="audit_event"),
    path("audit/calls/<uuid:pk>/", audit.call, name="audit_call"),
    path("audit/calls/<uuid:pk>/conflicts/", audit.conflicts, name="audit_conflicts"),
    path("audit/calls/<uuid:pk>/readings/", audit.readings, name="audit_readings"),
    path("audit/calls/<uuid:pk>/samples/", audit.samples, name="audit_samples"),
    path("audit/calls/<uuid:pk>/samples/<uuid:sample>/", audit.sample, name="audit_sample"),
    path("audit/calls/<uuid:pk>/samples/<uuid:sample>/sample.json", audit.sample_json, name="audit_sample_json"),
    path("audit/calls/<uuid:pk>/<slug:what>/", audit.records, name="audit_records"),
    path("calls/<uuid:pk>/pack/", pack_views.award_pack, name="award_pack"),
    path("calls/<uuid:pk>/retrospective/", retrospective.page, name="retrospective"),
    path("overdue/", overdue.page, name="overdue"),
    path("calendar/", calendars.mine, name="calendar"),
    path("calendar/<str:key>.ics", calendars.feed, name="calendar_feed"),
    path("jobs/", jobs.index, name="jobs"),
    path("jobs/<uuid:pk>/", jobs.show, name="job"),
    path("jobs/<uuid:pk>/cancel/", jobs.cancel, name="job_cancel"),
    path("jobs/<uuid:pk>/resume/", jobs.resume, name="job_resume"),
    path("jobs/<uuid:pk>/package/", jobs.package, name="job_package"),
]
