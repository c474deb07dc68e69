"""Sign-in by a provider of OpenID Connect: what we ask of allauth's provider beyond its own.

Each request carries a nonce of its own; a token that does not repeat it is somebody else's or an old one (ASVS 10.5.1). What the visitor's address adds to
the request – scopes, further parameters – is not passed on. A provider that cannot be asked is a page that says so, not a fault.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.http import HttpRequest, HttpResponseBase

NONCE = "nonce"


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """The one provider of this site (`OIDC_ISSUER`)."""

    def redirect(self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **more: Any) -> HttpResponseBase:
        nonce = secrets.token_urlsafe(24)
        more["auth_params"] = {**(more.get("auth_params") or self.get_auth_params()), NONCE: nonce}
        try:
            answer: HttpResponseBase = super().redirect(request, process, next_url, data, **{NONCE: nonce}, **more)
        except OSError as wrong:  # what `requests` raises is an OSError: no answer, an error answer, a redirect
            return render_authentication_error(request, self, exception=wrong)  # type: ignore[no-any-return]
        return answer

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, Any]:
        return dict(self.get_auth_params())

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(self.get_scope())


def must_answer_this_request(state: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Raises OAuth2Error unless the identity token repeats the nonce that was sent with this very request."""
    sent, back = state.get(NONCE), told.get("id_token", {}).get(NONCE)
    if not isinstance(sent, str) or not isinstance(back, str) or not hmac.compare_digest(sent.encode(), back.encode()):
        raise OAuth2Error("the identity token does not repeat the nonce of this request")
