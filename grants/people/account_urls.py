"""The pages of django-allauth that exist here, under its own names. Its sign-up, e-mail and password pages do not.

There is no address by which anybody could sign in as somebody else, for nobody.
"""

from __future__ import annotations

from allauth.account.views import reauthenticate
from allauth.socialaccount.views import login_cancelled, login_error
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from grants.people import codes_views
from grants.people.sign_in import SignIn, sign_out

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", SignIn.as_view(), name="account_login"),
    path("sign-out/", sign_out, name="account_logout"),
    path("again/", reauthenticate, name="account_reauthenticate"),
    path("factors/", include("allauth.mfa.base.urls")),
    path("factors/totp/", include("allauth.mfa.totp.urls")),
    path("factors/webauthn/", include("allauth.mfa.webauthn.urls")),
    path("factors/recovery-codes/", codes_views.shown, name="mfa_view_recovery_codes"),
    path("factors/recovery-codes/generate/", codes_views.Generate.as_view(), name="mfa_generate_recovery_codes"),
    path("elsewhere/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
    path("elsewhere/error/", login_error, name="socialaccount_login_error"),
    path("elsewhere/none/", RedirectView.as_view(pattern_name="account_login"), name="socialaccount_signup"),
    path("elsewhere/mine/", RedirectView.as_view(pattern_name="people:profile"), name="socialaccount_connections"),
    path("elsewhere/", include("allauth.socialaccount.providers.openid_connect.urls")),
]
