"""The installation itself: its three administrators' scope, what two of them do together, who is signed in, and the security log."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import ScopePermission
from grants.people.request_machine import AccountRequestMachine, AccountRequestStates
from grants.people.roles import SITE, permissions_on
from grants.people.rules import request_visible
from grants.workflow.machine import states_are

THE_SITE = uuid.UUID("00000000-0000-4000-8000-000000000001")
PERSON = settings.AUTH_USER_MODEL


class Site(models.Model):
    """本平台: the one scope on which the three administrators hold their roles. There is one row, always the same."""

    id = models.UUIDField(primary_key=True, default=THE_SITE, editable=False)

    class Meta:
        verbose_name = _("平台")
        permissions = permissions_on(SITE)  # type: ignore[assignment]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="there_is_one_site", condition=Q(id=THE_SITE))
        ]

    def __str__(self) -> str:
        return str(_("本平台"))

    @classmethod
    def there(cls) -> Site:
        """The row, made when it is missing."""
        return cls.objects.get_or_create(pk=THE_SITE)[0]


class SitePermission(ScopePermission):
    content_object = models.ForeignKey(Site, on_delete=models.CASCADE)


class AccountRequest(AccountRequestMachine):
    """账号事项: what no administrator does alone. One asks, an administrator of another kind confirms (docs/adr/0012)."""

    class What(models.TextChoices):
        APPOINT = "appoint", _("任命管理员")
        DISMISS = "dismiss", _("免去管理员")
        FACTORS = "factors", _("重设第二重验证")
        PASSWORD = "password", _("作废密码，发新的首次登录链接")
        IDENTITY = "identity", _("绑定单点登录身份")
        ERASE = "erase", _("删除个人信息")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, default=THE_SITE, related_name="+")
    what = models.CharField(_("事项"), max_length=10, choices=What.choices)
    person = models.ForeignKey(PERSON, verbose_name=_("账号"), on_delete=models.PROTECT, related_name="account_requests")
    role = models.CharField(_("角色"), max_length=30, blank=True)
    identity = models.CharField(_("身份标识"), max_length=190, blank=True)
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    asked_as = models.CharField(max_length=30)
    decided_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")

    visible = request_visible

    class Meta:
        verbose_name = _("账号事项")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(AccountRequestStates, "account_request"),
            models.CheckConstraint(
                name="account_request_by_two",
                condition=Q(decided_by=None) | (~Q(decided_by=models.F("asked_by")) & ~Q(decided_by=models.F("person"))),
            ),
            models.UniqueConstraint(
                fields=["what", "person"], condition=Q(state=AccountRequestStates.ASKED), name="account_request_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.person}"

    def carry_out(self, by: Any) -> dict[str, Any]:
        """Do what was asked; what the log should know of it besides. Called by the `confirm` step only."""
        from grants.people.account_acts import CARRY_OUT  # noqa: PLC0415 - the acts need these models

        done = CARRY_OUT[self.what](self, by)
        return done if isinstance(done, dict) else {}


class SecurityEvent(models.Model):
    """One line of the security log 安全日志. The database refuses to change it, and to delete it before its time (`retention`).

    person, actor: pseudonyms, none for somebody unknown or for the installation itself. network: the visitor's network, shortened (203.0.113.x); mark: a keyed
    hash of the whole address, so that two lines can be compared and none can be traced by reading the table.
    """

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", _("登录")
        SIGNED_OUT = "signed_out", _("退出")
        EXPIRED = "expired", _("超时退出")
        ENDED = "ended", _("会话被结束")
        FAILED = "failed", _("登录失败")
        FACTOR_FAILED = "factor_failed", _("第二重验证失败")
        LOCKED = "locked", _("连续失败锁定")
        UNLOCKED = "unlocked", _("解除锁定")
        NEW_DEVICE = "new_device", _("在新设备上登录")
        FACTOR_ADDED = "factor_added", _("添加第二重验证")
        FACTOR_REMOVED = "factor_removed", _("移除第二重验证")
        FACTOR_RESET = "factor_reset", _("重设第二重验证")
        CODES_MADE = "codes_made", _("生成恢复码")
        PASSWORD = "password", _("修改密码")
        OPENED = "opened", _("开立账号")
        VOUCHED = "vouched", _("核对身份")
        DEACTIVATED = "deactivated", _("停用账号")
        REACTIVATED = "reactivated", _("恢复账号")
        APPOINTED = "appointed", _("任命")
        DISMISSED = "dismissed", _("免职")
        LINKED = "linked", _("绑定单点登录身份")
        UNKNOWN_IDENTITY = "unknown_identity", _("未绑定的单点登录身份")
        DOWNLOADED = "downloaded", _("下载")
        RETRIED = "retried", _("重做失败的事项")
        PRUNED = "pruned", _("清除过期的安全日志")

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, db_index=True)
    person = models.UUIDField(null=True, db_index=True)
    actor = models.UUIDField(null=True)
    network = models.CharField(max_length=50, blank=True)
    mark = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("安全日志")
        ordering: ClassVar[list[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind}"


class Visit(models.Model):
    """One signed-in session of a person, as long as it lasts and afterwards. `device` marks a browser, not a person."""

    class End(models.TextChoices):
        SIGNED_OUT = "signed_out", _("本人退出")
        IDLE = "idle", _("长时间没有操作")
        TOO_LONG = "too_long", _("超过最长时间")
        ELSEWHERE = "elsewhere", _("本人在别处结束")
        TOO_MANY = "too_many", _("同时登录过多")
        ADMINISTRATOR = "administrator", _("管理员结束")
        PASSWORD = "password", _("密码已修改")

    user = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="visits")
    session_key = models.CharField(max_length=40, db_index=True)
    since = models.DateTimeField()
    last_seen = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_how = models.CharField(max_length=15, choices=End.choices, blank=True)
    network = models.CharField(max_length=50, blank=True)
    browser = models.CharField(max_length=60, blank=True)
    device = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("登录会话")
        ordering: ClassVar[list[str]] = ["-since", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user"], name="visit_open", condition=Q(ended_at=None)),
            models.Index(fields=["user", "device"], name="visit_device"),
        ]

    def __str__(self) -> str:
        return f"{self.browser} {self.network}"
