"""Addresses of people and organisations."""

from __future__ import annotations

from django.urls import path

from grants.people import (
    keeping_views,
    personal_views,
    registry_views,
    revealing_views,
    site_letters,
    site_views,
    views,
    visit_views,
)

app_name = "people"
urlpatterns = [
    path("sign-up/", views.sign_up, name="sign_up"),
    path("register/", views.register, name="register"),
    path("me/", views.profile, name="profile"),
    path("me/password/", views.password, name="password"),
    path("me/data/", personal_views.mine, name="mine"),
    path("me/data/copy/", personal_views.copy, name="copy"),
    path("me/factor/", visit_views.factor_owed, name="factor_owed"),
    path("me/visits/", visit_views.mine, name="visits"),
    path("me/visits/others/end/", visit_views.end_others, name="end_other_visits"),
    path("me/visits/<int:pk>/end/", visit_views.end, name="end_visit"),
    path("forgotten/", visit_views.Forgotten.as_view(), name="forgotten"),
    path("reset/<uidb64>/<token>/", visit_views.Reset.as_view(), name="reset_password"),
    path("welcome/<uidb64>/<token>/", visit_views.Welcome.as_view(), name="welcome"),
    path("site/", site_views.site, name="site"),
    path("site/accounts/", site_views.accounts, name="accounts"),
    path("site/accounts/new/", site_views.open_account, name="open_account"),
    path("site/accounts/<uuid:pk>/", site_views.account, name="account"),
    *(
        path(f"site/accounts/<uuid:pk>/{what}/", site_views.act, {"what": what}, name=what.replace("-", "_"))
        for what in site_views.ACTS
    ),
    path("site/accounts/<uuid:pk>/deactivate/", site_views.deactivate, name="deactivate"),
    path("site/accounts/<uuid:pk>/ask/", site_views.ask, name="ask"),
    path("site/requests/", site_views.requests, name="requests"),
    path("site/roles/", site_views.roles, name="roles"),
    path("site/appointments/", site_views.appointments, name="appointments"),
    path("site/log/", site_views.log, name="log"),
    path("site/letters/", site_letters.deliveries, name="deliveries"),
    path("site/letters/<int:pk>/again/", site_letters.again, name="deliver_again"),
    path("site/letters/texts/", site_letters.texts, name="texts"),
    path("site/letters/texts/<path:template>/", site_letters.text, name="text"),
    path("site/system/", site_views.system, name="system"),
    path("site/system/<int:pk>/retry/", site_views.retry, name="retry"),
    path("organisations/", views.organisations, name="organisations"),
    path("organisations/<uuid:pk>/records/", registry_views.records, name="records"),
    path("organisations/<uuid:pk>/records/<slug:what>/", registry_views.add_record, name="add_record"),
    path("organisations/<uuid:pk>/sponsorships/", registry_views.sponsorships, name="sponsorships"),
    path("organisations/<uuid:pk>/sponsorships/new/", registry_views.propose_sponsorship, name="propose_sponsorship"),
    path("organisations/<uuid:pk>/full/", revealing_views.organisation, name="full"),
    path("organisations/<uuid:pk>/story/", keeping_views.story, name="story"),
    path("organisations/<uuid:pk>/vault/", keeping_views.vault, name="vault"),
    path("organisations/<uuid:pk>/vault/<int:kept>/drop/", keeping_views.drop, name="drop"),
    path("sponsorships/<int:pk>/accept/", registry_views.accept_sponsorship, name="accept_sponsorship"),
    path("sponsorships/<int:pk>/end/", registry_views.end_sponsorship, name="end_sponsorship"),
    path("annual-checks/<int:pk>/revoke/", registry_views.revoke_check, name="revoke_check"),
    path("credit/<int:pk>/remove/", registry_views.remove_credit, name="remove_credit"),
    path("agencies/", views.agencies, name="agencies"),
    path("appointments/<int:pk>/dismiss/", views.dismiss, name="dismiss"),
    path("<slug:kind>/<uuid:pk>/staff/", views.staff, name="staff"),
]
