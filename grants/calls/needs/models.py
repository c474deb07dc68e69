"""A need, and who else needs it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from grants.calls.needs.fields import ServiceField
from grants.calls.needs.machine import NeedMachine, NeedStates
from grants.calls.needs.rules import need_visible
from grants.people.models import Agency, Organisation, User
from grants.people.particulars import tidy
from grants.people.privacy import Leak, leaks
from grants.vault.columns import Secret
from grants.workflow.machine import states_are
from grants.workflow.refusals import Invalid

WORDING = ("title", "who", "detail", "field", "street", "community", "people")
"""What a need says in public. Everything else stays with the agency."""
TEXTS = ("title", "who", "detail", "street", "community")


def new_receipt() -> str:
    """The secret by which somebody without an account finds their own need again."""
    return secrets.token_urlsafe(16)  # 128 bits: it is the only thing that opens the page


class Need(NeedMachine):
    """需求. Name and contact are personal: for the agency's people only, never in the ledger or on a public page.

    agency: whom it is addressed to. backed: how many said 我也需要 (a count kept beside the rows, so that lists need no join).
    call, code: the call in whose 需求指引表 it stands, and under which code bids answer it.
    """

    class Proposer(models.TextChoices):
        RESIDENT = "resident", _("居民")
        COMMITTEE = "committee", _("居委会（社区）")
        ORGANISATION = "organisation", _("社会组织或其他单位")

    agency = models.ForeignKey(Agency, verbose_name=_("向谁提出"), on_delete=models.PROTECT, related_name="needs")
    number = models.CharField(_("编号"), max_length=30, unique=True)
    receipt = models.CharField(max_length=24, unique=True, default=new_receipt, editable=False)
    title = models.CharField(_("需要什么"), max_length=60)
    who = models.CharField(_("谁需要"), max_length=60)
    detail = models.TextField(_("现在缺什么"), max_length=500)
    field = models.CharField(_("服务领域"), max_length=20, choices=ServiceField.choices)
    street = models.CharField(_("街道（镇）"), max_length=30)
    community = models.CharField(_("社区"), max_length=40, blank=True)
    people = models.PositiveIntegerField(_("大约多少人"))
    proposer_kind = models.CharField(_("提出人"), max_length=15, choices=Proposer.choices)
    organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="needs")
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    proposer_name = Secret(_("姓名"), max_length=60, blank=True)
    contact = Secret(_("联系方式"), max_length=100, blank=True)
    answer = models.CharField(_("答复"), max_length=300, blank=True)
    checked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    call = models.ForeignKey("calls.Call", null=True, on_delete=models.PROTECT, related_name="listed_needs")
    code = models.CharField(_("需求指引编号"), max_length=40, blank=True)
    backed = models.PositiveIntegerField(_("附议"), default=0)

    visible = need_visible

    class Meta:
        verbose_name = _("需求")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(NeedStates, "need"),
            models.CheckConstraint(name="need_people_positive", condition=Q(people__gte=1)),
            models.CheckConstraint(name="need_field_known", condition=Q(field__in=ServiceField.values)),
            models.CheckConstraint(name="need_merged_somewhere", condition=~Q(state="merged") | Q(merged_into__isnull=False)),
            models.UniqueConstraint(fields=["call", "code"], condition=~Q(code=""), name="need_code_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state", "field", "street"], name="need_state_field_street")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def place(self) -> str:
        """Street and community in one."""
        return f"{self.street}{self.community}"

    def leaks(self) -> list[Leak]:
        """Personal numbers in what would be public."""
        named = {label_of(name): getattr(self, name) for name in TEXTS}
        return leaks(named)

    def word(self, wording: Mapping[str, Any]) -> list[str]:
        """Put other public wording; the names that changed. Raises Invalid for what a field may not hold. Called by `check_` only."""
        new = {name: tidy(value) if name in TEXTS else value for name, value in wording.items() if name in WORDING}
        changed = sorted(name for name, value in new.items() if getattr(self, name) != value)
        for name in changed:
            setattr(self, name, new[name])
        problems = wording_problems({name: getattr(self, name) for name in WORDING})
        if problems:
            raise Invalid(next(iter(problems.values()))[0], rule="need_wording", problems=problems)
        return changed

    def reply(self, answer: str) -> str:
        """Write the answer down; it is read by whoever holds the receipt, and with a met need by everybody. Raises Invalid."""
        found = leaks({str(_("答复")): answer})
        if found:
            raise Invalid(found[0].sentence, rule="need_wording", problems={"answer": [found[0].sentence]})
        self.answer = answer.strip()[:300]
        return self.answer

    def hand_over(self, into: Need) -> int:
        """Give this need's backings to another, one per person; how many went over. Called by `merge` only."""
        from grants.calls.needs.backing import hand_over  # noqa: PLC0415 - reads these models

        self.merged_into = into
        return hand_over(self, into)


class NeedBacking(models.Model):
    """我也需要: once per browser session. `key` is a keyed hash of session and need: it counts, and says nothing about who."""

    need = models.ForeignKey(Need, on_delete=models.CASCADE, related_name="backings")
    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["need", "key"], name="need_backed_once")
        ]

    def __str__(self) -> str:
        return f"{self.need_id}"


def _field(name: str) -> Any:
    return Need._meta.get_field(name)


def label_of(name: str) -> str:
    """What a column of a need is called."""
    return str(_field(name).verbose_name)


def wording_problems(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Field → sentences: what is missing, too long, or a personal number that may not become public."""
    problems: dict[str, list[str]] = {}
    for name in ("title", "who", "detail", "street"):
        if not str(values.get(name) or "").strip():
            problems[name] = [gettext("请填写。")]
    for name in TEXTS:
        longest = _field(name).max_length or 0
        if len(str(values.get(name) or "")) > longest:
            problems[name] = [gettext("最多 %(n)d 字。") % {"n": longest}]
    if values.get("field") not in ServiceField.values:
        problems["field"] = [gettext("请选择服务领域。")]
    people = values.get("people")
    if not isinstance(people, int) or not 1 <= people <= 1_000_000:
        problems["people"] = [gettext("请填写大约人数，至少 1 人。")]
    return problems | _leaking(values)


def _leaking(values: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in TEXTS:
        for leak in leaks({label_of(name): str(values.get(name) or "")}):
            found.setdefault(name, []).append(leak.sentence)
    return found
