"""Forms of site administration, and the filters of its lists."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db.models import Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.notifications.services import compose
from grants.people.models import AccountRequest, SecurityEvent, User
from grants.people.roles import ROLES, SITE
from grants.web.fields import DayField
from grants.web.tables import Filters

ANY = ("", _("全部"))


class OpenForm(forms.Form):
    """开立账号."""

    username = forms.CharField(label=_("用户名"), max_length=150, help_text=_("登录用，可以用工号、手机号或拼音。"))
    name = forms.CharField(label=_("姓名"), max_length=60)
    phone = forms.CharField(label=_("手机"), max_length=20, required=False)
    email = forms.EmailField(label=_("电子邮箱"), required=False)


class BecauseForm(forms.Form):
    """A reason, kept privately beside the ledger entry."""

    because = forms.CharField(label=_("原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class RequestForm(forms.Form):
    """提出账号事项."""

    what = forms.ChoiceField(label=_("事项"), widget=forms.RadioSelect)
    role = forms.ChoiceField(
        label=_("管理员角色"), required=False, help_text=_("只在“任命管理员”时选择。"),
        choices=[("", _("请选择")), *((role.code, role.name) for role in ROLES if role.scope == SITE)],
    )  # fmt: skip
    identity = forms.CharField(
        label=_("身份标识"), max_length=190, required=False, help_text=_("只在“绑定单点登录身份”时填写：身份提供方给出的 sub。")
    )
    note = forms.CharField(
        label=_("理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("写明依据，以及怎样核实了是本人。")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [choice for choice in AccountRequest.What.choices if choice[0] != "identity" or settings.OIDC_ISSUER]
        self.fields["what"].choices = offered  # type: ignore[attr-defined]
        if not settings.OIDC_ISSUER:
            del self.fields["identity"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("what") == "appoint" and not cleaned.get("role"):
            self.add_error("role", _("请选择要任命的管理员角色。"))
        if cleaned.get("what") == "identity" and not cleaned.get("identity"):
            self.add_error("identity", _("请填写身份标识。"))
        return cleaned


class WelcomeForm(SetPasswordForm):  # type: ignore[type-arg]
    """The first password of an account that was opened for somebody."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = _("密码")
        self.fields["new_password1"].help_text = _("密码至少 10 位，含大写字母、小写字母、数字、其他字符中的三种；或者用一句至少 16 个字的话。")
        self.fields["new_password2"].label = _("再输一次密码")
        self.fields["new_password2"].help_text = ""


class ForgottenForm(PasswordResetForm):
    """忘记密码: a link to every active account with this address; whoever asks is told the same whether there is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("电子邮箱")
        self.fields["email"].help_text = _("您账号上登记的邮箱。")

    def save(self, *args: Any, request: Any = None, **kwargs: Any) -> None:
        """Mail the links. They are secrets, so no copy goes into the inbox or any table."""
        for user in self.get_users(self.cleaned_data["email"]):
            uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
            link = request.build_absolute_uri(reverse("people:reset_password", args=[uid, token]))
            subject, body = compose("people/forgotten", {"to": user, "link": link})
            send_mail(subject, body, None, [user.email], fail_silently=True)


class AccountFilter(Filters):
    """Accounts by name, state, and office."""

    q = forms.CharField(label=_("姓名、用户名或邮箱"), max_length=60)
    state = forms.ChoiceField(
        label=_("状态"),
        choices=[ANY, ("active", _("使用中")), ("inactive", _("已停用")), ("unvouched", _("身份未核对")), ("administers", _("管理员"))],
    )

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        word = chosen["q"].strip()
        if word:
            rows = rows.filter(Q(name__icontains=word) | Q(username__icontains=word) | Q(email__icontains=word))
        states = {
            "active": Q(is_active=True), "inactive": Q(is_active=False), "unvouched": Q(vouched_at=None), "administers": ~Q(administers=""),
        }  # fmt: skip
        return rows.filter(states[chosen["state"]]) if chosen["state"] else rows


class AppointmentFilter(Filters):
    """Appointments by person, role, and whether they last."""

    q = forms.CharField(label=_("姓名、用户名或单位"), max_length=60)
    role = forms.ChoiceField(label=_("角色"), choices=[ANY, *((role.code, role.name) for role in ROLES)])
    lasting = forms.ChoiceField(label=_("任期"), choices=[ANY, ("now", _("在任")), ("ended", _("已结束"))])

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        word = chosen["q"].strip()
        if word:
            rows = rows.filter(Q(user__name__icontains=word) | Q(user__username__icontains=word) | Q(scope_name__icontains=word))
        if chosen["role"]:
            rows = rows.filter(role=chosen["role"])
        return rows.filter(until__isnull=chosen["lasting"] == "now") if chosen["lasting"] else rows


class LogFilter(Filters):
    """The security log by kind, person, network and days."""

    kind = forms.ChoiceField(label=_("事件"), choices=[ANY, *SecurityEvent.Kind.choices])
    who = forms.CharField(label=_("用户名"), max_length=150)
    mark = forms.CharField(label=_("地址标记"), max_length=12)
    since = DayField(label=_("自（含）"))
    until = DayField(label=_("至（含）"))

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        if chosen["kind"]:
            rows = rows.filter(kind=chosen["kind"])
        if chosen["who"]:
            found = User.objects.filter(username=chosen["who"]).values("pseudonym")
            rows = rows.filter(Q(person__in=found) | Q(actor__in=found))
        if chosen["mark"]:
            rows = rows.filter(mark=chosen["mark"])
        if chosen["since"]:
            rows = rows.filter(at__gte=_start(chosen["since"]))
        if chosen["until"]:
            rows = rows.filter(at__lt=_start(chosen["until"]) + timedelta(days=1))
        return rows


def _start(day: Any) -> datetime:
    return datetime.combine(day, time(0), tzinfo=clock.TZ)
