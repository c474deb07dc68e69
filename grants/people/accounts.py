"""How django-allauth behaves here: our own sign-up, our own letters, second factors kept encrypted, foreign identities only by mapping.

The only module that fills allauth's hooks; its pages are under templates/account, templates/mfa and templates/socialaccount.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import authentication_step_completed
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import signals as mfa_signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.people import codes, elsewhere, factors, gate, lockout, security, visits
from grants.web import errors
from grants.web.limits import address_of

Kind = security.Kind
log = logging.getLogger(__name__)
LOCKED = gettext_lazy("输错次数过多，请 15 分钟后再试，或请安全管理员解除锁定。")
WRONG = gettext_lazy("验证码不对。请核对手机时间是否准确，等下一个验证码出现后再输入。")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No second way to sign up, no letters of its own: notices about factors go to the person's inbox as all letters do."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: `_changed` writes a letter."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or "0.0.0.0"  # noqa: S104 - no address to bind to, one to count by

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return errors.refused(request, _("这个账号已停用，请联系系统管理员。"), status=403)


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """An identity from elsewhere opens an account only if two administrators have linked it (`AccountRequest`)."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def get_requests_session(self) -> Any:
        """The provider is asked at the addresses it has declared; one that redirects is refused before the next address is asked (ASVS 15.3.2)."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None) -> None:
        """The page says it went wrong; the program's log says why, for whoever set the provider up."""
        log.warning("sign-in elsewhere failed (%s): %s", error, exception)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        told = sociallogin.account.extra_data
        if sociallogin.is_existing:
            type(sociallogin.account).objects.filter(pk=sociallogin.account.pk).update(extra_data={})  # we keep no copy of a profile
        elsewhere.must_answer_this_request(sociallogin.state, told)
        if sociallogin.is_existing and not request.user.is_authenticated:
            return
        security.note(Kind.UNKNOWN_IDENTITY, request=request)
        sentence = _("这个身份没有绑定本平台的账号。请用用户名和密码登录，或请系统管理员提出“绑定单点登录身份”，由安全管理员复核。")
        raise ImmediateHttpResponse(errors.refused(request, sentence, status=403))


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seeds of codes are stored encrypted with a key derived from SECRET_KEY: a stolen copy of the database makes no code."""

    error_messages = {  # noqa: RUF012 - allauth's own shape
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG,
        "cannot_delete_authenticator": gettext_lazy("您的职责要求第二重验证，不能移除最后一种。请先添加另一种，再移除这一种。"),
        "cannot_generate_recovery_codes": gettext_lazy("请先设置验证器应用或通行密钥，再生成恢复码。"),
    }

    def get_totp_issuer(self) -> str:
        return str(settings.SITE_NAME)

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": str(settings.SITE_NAME)}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth's name
        there = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("通行密钥 %(n)d") % {"n": there + 1}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return factors.may_remove(authenticator)

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    """The newest key encrypts, older ones (SECRET_KEY_FALLBACKS) still open."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [base64.urlsafe_b64encode(hashlib.sha256(b"gongchuang second factor " + s.encode()).digest()) for s in secrets]
    return MultiFernet([Fernet(key) for key in keys])


# --- forms: ours in wording, and one lock-out for every kind of second factor -----------------------------------------------

CODE = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "govuk-input--width-10", "autofocus": ""})


class _Locked:
    """Mixed into allauth's forms: five wrong answers, of whatever kind, and the person waits."""

    def _guarded(self, check: Any) -> Any:
        from allauth.core import context  # noqa: PLC0415 - the request is there when a form is asked, not when it is imported

        user = self.user  # type: ignore[attr-defined]
        if lockout.factor_locked(user):
            raise ValidationError(LOCKED, code="locked")
        try:
            answer = check()
        except ValidationError:
            lockout.factor_failed(user, context.request)
            raise
        if isinstance(answer, str) and not lockout.first_use(user, answer):
            raise ValidationError(WRONG, code="used")
        lockout.factor_given(user)
        return answer


class _Codes(_Locked):
    """A recovery code is ours to look at (grants.people.codes), a code of the app the library's."""

    def clean_code(self) -> str:
        return str(self._guarded(self._code_or_recovery_code))

    def _code_or_recovery_code(self) -> str:
        code = str(self.cleaned_data["code"])  # type: ignore[attr-defined]
        held = codes.take(self.user, code)  # type: ignore[attr-defined]
        if held is None:
            return str(super().clean_code())  # type: ignore[misc]
        self.authenticator = held
        return code


class CodeForm(_Codes, AuthenticateForm):  # type: ignore[misc]
    """验证码 at sign-in: from the app, or a recovery code."""

    code = forms.CharField(label=gettext_lazy("验证码或恢复码"), widget=CODE, help_text=gettext_lazy("验证器应用里的 6 位数字，或一个 8 位恢复码。"))


class AgainForm(_Codes, ReauthenticateForm):  # type: ignore[misc]
    """验证码 before something delicate."""

    code = forms.CharField(label=gettext_lazy("验证码或恢复码"), widget=CODE, help_text=gettext_lazy("验证器应用里的 6 位数字，或一个 8 位恢复码。"))


class PasskeyForm(_Locked, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """通行密钥 as the second factor."""

    def clean_credential(self) -> Any:
        return self._guarded(super().clean_credential)


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """设置验证器应用."""

    code = forms.CharField(label=gettext_lazy("验证码"), widget=CODE, help_text=gettext_lazy("扫码后，输入应用里显示的 6 位数字。"))


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """添加通行密钥."""

    name = forms.CharField(label=gettext_lazy("名称"), max_length=60, required=False, help_text=gettext_lazy("方便您以后辨认，例如“办公室电脑”。"))
    passwordless = forms.BooleanField(label=gettext_lazy("以后登录时只用这把钥匙，不再输入密码（需要指纹、面容或设备密码）"), required=False)


# --- what is written down -----------------------------------------------------------------------------------------------------


@receiver(mfa_signals.authenticator_added, dispatch_uid="people.factor_added")
def _added(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type in factors.REAL:
        request.session[gate.FACTOR] = True
        _changed(Kind.FACTOR_ADDED, request, user, authenticator)
    elif authenticator.type == Authenticator.Type.RECOVERY_CODES:
        codes.emptied(authenticator)


@receiver(authentication_step_completed, dispatch_uid="people.asked_again")
def _asked_again(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Whoever has shown again who they are goes on under a new session key: one that was overheard before is worth nothing (ASVS 7.2.4)."""
    if request.user.is_authenticated and kwargs.get("reauthenticated"):
        request.session.cycle_key()
        visits.moved(request)


@receiver(mfa_signals.authenticator_removed, dispatch_uid="people.factor_removed")
def _removed(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    request.session.pop(gate.FACTOR, None)
    _changed(Kind.FACTOR_REMOVED, request, user, authenticator)


@receiver(mfa_signals.authenticator_reset, dispatch_uid="people.codes_made")
def _codes(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    codes.emptied(authenticator)
    _changed(Kind.CODES_MADE, request, user, authenticator)


def _changed(kind: str, request: HttpRequest, user: Any, authenticator: Authenticator) -> None:
    from grants.notifications.services import send  # noqa: PLC0415 - a letter is rare, and importing it here breaks a cycle

    event = security.note(kind, person=user, request=request, detail=str(authenticator.type))
    context = {"what": event.get_kind_display(), "how": authenticator.get_type_display()}
    send(to=user, template="people/factor_changed", context=context, key=f"factor/{event.pk}", link="/people/me/visits/")
