"""People, agencies, organisations, and who is appointed to what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.documents.models import StoredFile
from grants.people.identity import folded, mask_bank
from grants.people.machine import OrganisationMachine, OrganisationStates
from grants.people.particulars import CONTACT, IDENTITY, clean, clean_account, tidy
from grants.people.permissions import ScopePermission
from grants.people.roles import AGENCY, ORGANISATION, ROLES, SITE, permissions_on
from grants.people.rules import organisation_visible
from grants.people.site_models import AccountRequest, SecurityEvent, Site, SitePermission, Visit
from grants.vault.columns import Secret, mark
from grants.workflow.machine import states_are
from grants.workflow.refusals import Invalid

__all__ = [
    "AccountRequest",
    "Agency",
    "AgencyPermission",
    "AnnualCheck",
    "Appointment",
    "CreditLookup",
    "CreditRecord",
    "Grade",
    "Organisation",
    "OrganisationPermission",
    "SecurityEvent",
    "Site",
    "SitePermission",
    "SponsorAgreement",
    "User",
    "Visit",
]

ADMINISTRATORS = [(role.code, role.name) for role in ROLES if role.scope == SITE]


class User(AbstractUser):
    """A person with an account. Only `pseudonym` goes into the ledger; the mapping lives here and can be erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pseudonym = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("姓名"), max_length=60)
    phone = Secret(_("手机"), max_length=20, blank=True)
    large_type = models.BooleanField(_("大字版"), default=False)
    high_contrast = models.BooleanField(_("高对比度"), default=False)
    administers = models.CharField(max_length=20, blank=True, default="", editable=False, choices=ADMINISTRATORS)
    vouched_at = models.DateTimeField(null=True, editable=False)
    vouched_by = models.ForeignKey("self", null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    unlocked_at = models.DateTimeField(null=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("用户")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="user_administers", condition=Q(administers__in=["", *(code for code, _n in ADMINISTRATORS)])),
            models.CheckConstraint(
                name="user_vouched_pair",
                condition=Q(vouched_by=None) | (Q(vouched_at__isnull=False) & ~Q(vouched_by=models.F("id"))),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username


class Agency(models.Model):
    """主办方: a bureau or street office that publishes calls, signs and pays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    name = models.CharField(_("名称"), max_length=100, unique=True)
    short_name = models.CharField(_("简称"), max_length=30)
    address = models.CharField(_("地址"), max_length=200, blank=True)
    contact = models.CharField(_("联系电话"), max_length=60, blank=True)
    legal_representative = models.CharField(_("负责人"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("主办方")
        permissions = permissions_on(AGENCY)

    def __str__(self) -> str:
        return self.name


class AgencyPermission(ScopePermission):
    content_object = models.ForeignKey(Agency, on_delete=models.CASCADE)


COMPARED: Final[Mapping[str, str]] = {
    "same_account": "account_number", "same_phone": "phone", "same_person": "legal_representative", "same_address": "address",
}  # fmt: skip
"""Indexed columns of an organisation and the particular each of them is made of: finding who shares one reads no other organisation."""


def same(source: str, value: str) -> str:
    """A particular as it is compared: folded, then hashed under the master key, because the particular itself is encrypted or personal. Raises KeyMissing."""
    return mark(folded(value, digits=source in ("account_number", "phone")), source)


def _compared() -> models.CharField[str, str]:
    return models.CharField(max_length=200, default="", editable=False, db_index=True)


class Organisation(OrganisationMachine):
    """申报单位 of every kind: registered bodies, 备案 groups, residents' committees, teams, foundations (domain §1, §3.4)."""

    class Kind(models.TextChoices):
        ASSOCIATION = "association", _("社会团体")
        SERVICE = "service", _("民办非企业单位（社会服务机构）")
        FOUNDATION = "foundation", _("基金会")
        RECORDED = "recorded", _("备案类社区社会组织")
        TEAM = "team", _("居民团队")
        COMMITTEE = "committee", _("居委会")
        INSTITUTION = "institution", _("事业单位/高校")
        ENTERPRISE = "enterprise", _("企业")

    LEGAL_PERSONS = (Kind.ASSOCIATION, Kind.SERVICE, Kind.FOUNDATION, Kind.COMMITTEE, Kind.INSTITUTION, Kind.ENTERPRISE)

    kind_of_body = models.CharField(_("单位类别"), max_length=20, choices=Kind.choices)
    name = models.CharField(_("名称"), max_length=100)
    uscc = models.CharField(_("统一社会信用代码"), max_length=18, null=True, blank=True, unique=True)
    uscc_disputed = models.BooleanField(_("代码与证书一致（校验位不符）"), default=False)
    record_no = models.CharField(_("备案号"), max_length=60, blank=True)
    registered_on = models.DateField(_("登记（备案）日期"), null=True, blank=True)
    registrar = models.ForeignKey(Agency, verbose_name=_("登记/核验机关"), on_delete=models.PROTECT, related_name="organisations")
    legal_representative = Secret(_("法定代表人/负责人"), max_length=60)
    phone = Secret(_("联系电话"), max_length=30)
    address = Secret(_("地址"), max_length=200)
    district = models.CharField(_("登记（备案）地"), max_length=60, blank=True)
    field = models.CharField(_("主要服务领域"), max_length=40, blank=True)
    full_time_staff = models.PositiveIntegerField(_("专职人员数"), default=0)
    business_scope = models.TextField(_("业务范围"), blank=True)
    account_bank = models.CharField(_("开户银行"), max_length=100, blank=True)
    account_number = Secret(_("银行账号"), max_length=40, blank=True)
    account_set_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    account_verified_at = models.DateTimeField(null=True, editable=False)
    account_verified_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    certificate = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    same_account, same_phone, same_person, same_address = (_compared() for _n in range(4))

    visible = organisation_visible

    class Meta:
        verbose_name = _("申报单位")
        permissions = permissions_on(ORGANISATION)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(OrganisationStates, "organisation"),
            models.CheckConstraint(
                name="organisation_identified",
                condition=Q(uscc__isnull=False) | Q(kind_of_body__in=["recorded", "team", "committee"]),
            ),
            models.UniqueConstraint(
                fields=["registrar", "record_no"], condition=~Q(record_no=""), name="organisation_record_no_once"
            ),
            models.CheckConstraint(
                name="organisation_account_verified_pair",
                condition=Q(account_verified_at=None, account_verified_by=None)
                | (Q(account_verified_at__isnull=False, account_verified_by__isnull=False) & ~Q(account_number="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """With the four particulars by which applicants of one call are compared, as they are compared (`same`)."""
        for column, source in COMPARED.items():
            setattr(self, column, same(source, getattr(self, source)))
        if update_fields is not None:
            update_fields = {*update_fields, *(column for column, source in COMPARED.items() if source in set(update_fields))}
        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def agency(self) -> Agency:
        return self.registrar

    @property
    def organisation(self) -> Organisation:
        return self

    @property
    def is_legal_person(self) -> bool:
        """Whether it can sign and hold an account in its own name (备案 groups and teams cannot)."""
        return self.kind_of_body in self.LEGAL_PERSONS

    @property
    def account_name(self) -> str:
        """户名: always the organisation's own name, so that money cannot go to a person."""
        return self.name if self.account_number else ""

    @property
    def sharing_account(self) -> models.QuerySet[Organisation]:
        """Other organisations that gave the same account number: two legal persons cannot both hold it, so one is mistaken or worse."""
        others = Organisation._base_manager.exclude(pk=self.pk)
        return others.filter(same_account=self.same_account) if self.same_account else others.none()

    @property
    def has_verified_account(self) -> bool:
        """Whether finance has checked the account as it stands now."""
        return self.account_verified_at is not None

    def apply(self, values: Mapping[str, Any]) -> list[str]:
        """Set particulars on this instance; returns the names that changed. Called by `update` and `register_organisation` only.

        Raises Invalid with a sentence per field: unknown, malformed, or fixed by the verification.
        """
        tidied, problems = clean(values)
        for name in tidied:
            if name not in IDENTITY + CONTACT:
                raise LookupError(f"organisation has no particular {name!r}")
        changed = [name for name, value in tidied.items() if getattr(self, _column(name)) != _plain(value)]
        if self.state == OrganisationStates.VERIFIED:
            problems |= {name: [str(_("登记信息已经核验；如有变更，请先“申请变更登记信息”。"))] for name in changed if name in IDENTITY}
        if problems:
            raise Invalid(_("资料有 %(n)d 处需要改正。") % {"n": len(problems)}, rule="particulars", problems=problems)
        for name in changed:
            setattr(self, name, tidied[name])
        return self._after(changed)

    def _after(self, changed: list[str]) -> list[str]:
        """The account is in the organisation's name: another name, or another kind of body, must be verified again."""
        if {"name", "kind_of_body"} & set(changed):
            self.account_verified_at = self.account_verified_by = None
        return sorted(changed)

    def account_facts(self) -> dict[str, str]:
        """The account as the log's private payload names it: masked, with the keyed hash that proves it is the same one."""
        return {"bank": self.account_bank, "number": mask_bank(self.account_number), "mark": same("account_number", self.account_number)}

    def change_account(self, bank: str, number: str, *, by: User) -> None:
        """Set the account and un-verify it. Called by the `set_account` step only. Raises Invalid."""
        digits, problems = clean_account(number)
        if problems:
            raise Invalid(problems[0], rule="account_number", problems={"number": problems})
        if not tidy(bank):
            sentence = str(_("请填写开户银行全称，精确到支行。"))
            raise Invalid(sentence, rule="account_bank", problems={"bank": [sentence]})
        self.account_bank, self.account_number, self.account_set_by = tidy(bank), digits, by
        self.account_verified_at = self.account_verified_by = None


def _column(name: str) -> str:
    return f"{name}_id" if name in ("registrar", "certificate") else name


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


class OrganisationPermission(ScopePermission):
    content_object = models.ForeignKey(Organisation, on_delete=models.CASCADE)


class Appointment(models.Model):
    """Who holds which role on which scope, since when, until when. Kept when ended."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="appointments")
    role = models.CharField(max_length=30)
    scope_kind = models.CharField(max_length=20)
    scope_id = models.UUIDField()
    scope_name = models.CharField(max_length=120)
    appointed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("任职")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "role", "scope_kind", "scope_id"], condition=Q(until=None), name="appointment_once"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(until=None, scope_kind=SITE), name="appointment_one_of_three_administrators"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.scope_name}"


class AnnualCheck(models.Model):
    """年检结论 of one year; a revoked one stays, with its date."""

    class Result(models.TextChoices):
        PASSED = "passed", _("合格")
        BASIC = "basic", _("基本合格")
        FAILED = "failed", _("不合格")
        REVOKED = "revoked", _("已撤销")

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="annual_checks")
    year = models.PositiveSmallIntegerField()
    result = models.CharField(max_length=10, choices=Result.choices)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    evidence = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-year"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organisation", "year"], name="annual_check_once"),
            models.CheckConstraint(
                name="annual_check_revoked",
                condition=Q(result="revoked", revoked_at__isnull=False) | (~Q(result="revoked") & Q(revoked_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.year} {self.result}"


class CreditRecord(models.Model):
    """An entry on a public list: 活动异常名录, 严重违法失信名单, or a major violation; with its interval and the evidence."""

    class Kind(models.TextChoices):
        ABNORMAL = "abnormal", _("活动异常名录")
        SERIOUS = "serious", _("严重违法失信名单")
        VIOLATION = "violation", _("重大违法记录")

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="credit_records")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    listed_on = models.DateField()
    removed_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-listed_on"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="credit_interval", condition=Q(removed_on=None) | Q(removed_on__gte=models.F("listed_on"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.kind} {self.listed_on}"


class CreditLookup(models.Model):
    """A clerk's look at the public lists (信用中国, 社会组织政务服务平台) that found nothing new; good as long as a call says."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="credit_lookups")
    looked_up_on = models.DateField()
    source = models.CharField(max_length=200)
    evidence = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-looked_up_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.organisation} {self.looked_up_on}"


class Grade(models.Model):
    """社会组织评估等级 (5A…1A) with its validity."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="grades")
    grade = models.CharField(max_length=2)
    valid_from = models.DateField()
    valid_to = models.DateField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-valid_from"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="grade_interval", condition=Q(valid_to__gt=models.F("valid_from"))),
            models.CheckConstraint(name="grade_known", condition=Q(grade__in=["1A", "2A", "3A", "4A", "5A"])),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.grade}"


class SponsorAgreement(models.Model):
    """挂靠: the sponsor signs and holds the account, the group executes (domain §3.4)."""

    group = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sponsored_by")
    sponsor = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sponsors")
    scope = models.CharField(_("托管事项"), max_length=200)
    liability = models.CharField(_("责任约定"), max_length=300)
    valid_from = models.DateField()
    valid_to = models.DateField()
    file = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="sponsor_not_itself", condition=~Q(group=models.F("sponsor"))),
            models.CheckConstraint(name="sponsor_interval", condition=Q(valid_to__gt=models.F("valid_from"))),
            models.CheckConstraint(
                name="sponsor_accepted_pair",
                condition=Q(accepted_by=None, accepted_at=None) | Q(accepted_by__isnull=False, accepted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group} ← {self.sponsor}"

    def holds_on(self, day: date) -> bool:
        """Whether it was accepted and `day` (Shanghai) lies in its interval, both ends included."""
        return self.accepted_at is not None and self.valid_from <= day <= self.valid_to


class Story(models.Model):
    """单位介绍: what an organisation writes about itself in every application, written once."""

    TEXTS: ClassVar[tuple[str, ...]] = ("introduction", "strengths", "staff")
    MOST: ClassVar[int] = 2000

    organisation = models.OneToOneField(Organisation, on_delete=models.CASCADE, related_name="story")
    introduction = models.TextField(_("单位简介"), max_length=2000, blank=True)
    strengths = models.TextField(_("专长与优势"), max_length=2000, blank=True)
    staff = models.TextField(_("人员与志愿者"), max_length=2000, blank=True)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.organisation}"


class PastProject(models.Model):
    """以往项目: a row of 近三年同类项目, as applications ask for it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="past_projects")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("项目名称"), max_length=100)
    year = models.PositiveSmallIntegerField(_("年度"), null=True, blank=True)
    funder = models.CharField(_("资助方"), max_length=100, blank=True)
    amount = models.DecimalField(_("金额（元）"), max_digits=14, decimal_places=2, null=True, blank=True)
    result = models.CharField(_("成效"), max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="past_project_amount", condition=Q(amount=None) | Q(amount__gte=0))
        ]

    def __str__(self) -> str:
        return self.name


class VaultFile(models.Model):
    """资料库: a paper that is handed in again and again, kept by its hash, with the last day on which it is valid.

    warned: the threshold (days) that the last letter about its expiry was for; none yet: null.
    """

    class Kind(models.TextChoices):
        REGISTRATION = "registration", _("登记（备案）证书")
        ANNUAL_CHECK = "annual_check", _("年检结论")
        QUALIFICATION = "qualification", _("资质与执业证书")
        FINANCE = "finance", _("财务报表与审计报告")
        GRADE = "grade", _("评估等级证书")
        TAX = "tax", _("票据与免税资格")
        AGREEMENT = "agreement", _("协议与合作函")
        OTHER = "other", _("其他")

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="vault")
    kind = models.CharField(_("种类"), max_length=20, choices=Kind.choices)
    name = models.CharField(_("文件名"), max_length=150)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    expires_on = models.DateField(_("有效期截止日"), null=True, blank=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    warned = models.SmallIntegerField(null=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "-added_at", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organisation", "file"], name="vault_file_once")
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["expires_on"], name="vault_expires")]

    def __str__(self) -> str:
        return self.name
