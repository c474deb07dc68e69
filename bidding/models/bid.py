"""A bid: working copy, frozen versions, budget, people, attachments, screening findings, receipts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding import formats, frozen
from bidding.machine import BidMachine, BidStates
from bidding.rules import bid_visible
from grants import clock
from grants.calls.models import Call, RulesVersion
from grants.clock.calendar import end_of_period
from grants.documents.models import StoredFile
from grants.people.models import Agency, Organisation, User
from grants.vault.columns import Secret, SecretJSON
from grants.workflow.columns import Money, not_negative
from grants.workflow.machine import states_are
from grants.workflow.refusals import Invalid

if TYPE_CHECKING:
    from bidding.models.sealed import SealedVersion
    from bidding.sealing.envelope import Opened
    from grants.calls.rulebook.model import CallRules


ERASED_TITLE = "已删除的草稿"
"""What a draft is called whose words were erased; stored, so in Chinese whoever erased it."""


class Bid(BidMachine):
    """申报书. The columns and child rows are the working copy; reviewers and contracts read `BidVersion`.

    In a sealed call (`sealed`) there is no working copy and no version until the opening: what was handed in are `SealedVersion`s, and
    seal_refusal says why the one that counts did not open.

    How writing stands: marks holds the version of every answer (page → answer → `rulebook.marks`), typed what was typed and cannot be
    kept in its column yet (page → answer → value), finished the pages whose writer said that they are filled in, sent_back_pages
    the pages that the signatory wants changed (page names as in `completeness.Problem`).
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="bids")
    organisation = models.ForeignKey(Organisation, verbose_name=_("申报单位"), on_delete=models.PROTECT, related_name="bids")
    sponsor = models.ForeignKey(Organisation, verbose_name=_("托管组织"), null=True, blank=True, on_delete=models.PROTECT, related_name="sponsored_bids")
    rules_version = models.ForeignKey(RulesVersion, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(_("申报编号"), max_length=60, blank=True)
    title = models.CharField(_("项目名称"), max_length=120)
    category = models.CharField(_("服务领域"), max_length=40, blank=True)
    track = models.CharField(_("组别"), max_length=20, blank=True)
    need = models.CharField(_("对应需求"), max_length=40, blank=True)
    answers: Any = SecretJSON(default=dict, blank=True)
    marks: Any = models.JSONField(default=dict, blank=True, editable=False)
    typed: Any = SecretJSON(default=dict, blank=True, editable=False)
    finished: Any = models.JSONField(default=list, blank=True, editable=False)
    sign_asked_at = models.DateTimeField(null=True, editable=False)
    sign_asked_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    sent_back_because = models.TextField(blank=True, editable=False)
    sent_back_pages: Any = models.JSONField(default=list, blank=True, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    correction_items = models.TextField(blank=True)
    correction_due_at = models.DateTimeField(null=True)
    corrections = models.PositiveSmallIntegerField(default=0)
    written_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    sealed = models.BooleanField(default=False, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    seal_refusal = models.CharField(max_length=30, blank=True, editable=False)

    visible = bid_visible

    class Meta:
        verbose_name = _("申报书")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(BidStates, "bid"),
            models.UniqueConstraint(fields=["call", "number"], condition=~Q(number=""), name="bid_number_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["call", "state"], name="bid_call_state")]

    def __str__(self) -> str:
        return self.title

    @property
    def agency(self) -> Agency:
        return self.call.agency

    @property
    def rules(self) -> CallRules:
        """The rules this bid was written for."""
        return self.rules_version.rules

    @property
    def is_sealed(self) -> bool:
        """Whether nobody but the bidder can read this bid yet."""
        return self.sealed and self.opened_at is None

    @property
    def sealed_latest(self) -> SealedVersion | None:
        """The last sealed version that was handed in, the one that is opened."""
        return self.sealed_versions.order_by("-number").first()

    @property
    def latest(self) -> BidVersion | None:
        """The last submitted version, the one that counts."""
        return self.versions.order_by("-number").first()

    @property
    def has_unsent_changes(self) -> bool:
        """Whether the working copy says something else than the last submitted version."""
        latest = self.latest
        return latest is not None and frozen.differs(frozen.document(self), latest.content)

    def give_number(self) -> None:
        """申报编号, once: the call's code and the place in the order of first submission. Gapless: counted while the call's row is held.

        Called by the `submit` step only.
        """
        if self.number:
            return
        list(Call._base_manager.select_for_update(no_key=True).filter(pk=self.call_id).values_list("pk"))
        taken = Bid._base_manager.filter(call_id=self.call_id).exclude(number="").count()
        self.number = f"{self.call.code}-{taken + 1:03d}"

    def accept_declarations(self, accepted: Sequence[str]) -> list[dict[str, str]]:
        """The declarations as signed. Raises Invalid(declarations_accepted) when one is missing. Called by the `submit` step only."""
        asked = self.rules.forms.declarations
        missing = [d for d in asked if d.code not in accepted]
        if missing:
            sentence = _("请逐条确认承诺书，还有 %(n)d 条没有确认。") % {"n": len(missing)}
            raise Invalid(sentence, rule="declarations_accepted", problems={"declarations": [d.text for d in missing]}, verb="submit")
        return [{"code": d.code, "text": d.text} for d in asked]

    def ask_for_signature(self) -> None:
        """Note who asks the signatory to read and sign; an earlier return is settled by it. Called by the `ask_to_sign` step only."""
        self.sign_asked_at, self.sign_asked_by = clock.now(), self.actor
        self.sent_back_because, self.sent_back_pages = "", []

    def give_back(self, reason: str, pages: Sequence[str]) -> None:
        """Note why the signatory does not sign yet, and on which pages. Raises Invalid. Called by the `send_back` step only."""
        if not reason.strip():
            raise Invalid(_("请写明要改什么，填报人据此修改。"), rule="reason_given", problems={"reason": [str(_("请填写。"))]})
        self.sent_back_because, self.sent_back_pages = reason.strip(), list(pages)
        self.finished = [page for page in self.finished if page not in pages]
        self.sign_asked_at = self.sign_asked_by = None

    def ask_to_correct(self, items: str) -> None:
        """Start the correction clock: the call's 补正期 from today. Raises Invalid. Called by `return_for_correction` only."""
        if not items.strip():
            raise Invalid(_("请写明要补正的内容，申报单位据此补正。"), rule="items_given", problems={"items": [str(_("请填写。"))]})
        cure = self.rules.timetable.cure
        unit: Any = cure.unit.value
        period = end_of_period(clock.now(), cure.amount, unit, count_first_day=cure.count_first_day)
        self.correction_items, self.correction_due_at = items.strip(), period.ends_at
        self.corrections += 1

    def freeze_version(self, declarations: Sequence[Mapping[str, str]]) -> BidVersion:
        """Write the working copy down as the next version (canonical JSON and its SHA-256). Called by the `submit` step only."""
        last = self.versions.order_by("-number").values_list("number", flat=True).first() or 0
        return self._frozen(declarations, number=last + 1, submitted_at=self.submitted_at or clock.now(), submitted_by=self.actor)

    def _frozen(self, declarations: Sequence[Mapping[str, str]], **about: Any) -> BidVersion:
        text = frozen.canonical(frozen.document(self, declarations))
        return self.versions.create(document=text, hash=hashlib.sha256(text.encode()).hexdigest(), **about)

    def receive_sealed(self, version: SealedVersion, files: Mapping[str, StoredFile]) -> None:
        """Keep a sealed version and its files. Called by the `seal` step only."""
        version.bid, version.submitted_at, version.submitted_by = self, self.submitted_at or clock.now(), self.actor
        version.save()
        for name, file in files.items():
            version.files.create(name=name, file=file)

    def take_out(self, version: SealedVersion, content: Opened) -> tuple[BidVersion, list[str]]:
        """Make the working copy and its frozen version out of what was sealed; and sentences about what could not be taken.

        Called by the `unseal` and `restore` steps only. Raises FileRefused("unscanned") while the virus scanner does not answer.
        """
        told = formats.take(self, content, version.declarations)
        self.opened_at, self.seal_refusal = clock.now(), ""
        texts = {d.code: d.text for d in self.rules.forms.declarations}
        signed = [{"code": code, "text": texts.get(code, code)} for code in version.declarations]
        made = self._frozen(
            signed, number=version.number, submitted_at=version.submitted_at, submitted_by=version.submitted_by,
            receipt=version.receipt, receipt_number=version.receipt_number,
        )  # fmt: skip
        return made, told

    def empty_draft(self) -> dict[str, int]:
        """Take out what was written, rows and files' names included; how many rows went. Called by the `erase_draft` step only."""
        gone = {name: getattr(self, name).all().delete()[0] for name in ("team", "budget_lines", "kpis", "attachments", "prefills")}
        self.answers, self.typed, self.marks, self.title = {}, {}, {}, ERASED_TITLE
        self.sent_back_because = self.correction_items = ""
        return gone

    def restore_version(self) -> BidVersion:
        """Make the working copy equal to the last submitted version again. Called by the `settle` step only."""
        version = self.versions.latest("number")
        frozen.restore(self, version.content)
        return version


class Presence(models.Model):
    """Who is writing where at the moment. subject: as `Machine.subject` names it; place: the page's title. Old rows say nothing."""

    subject = models.CharField(max_length=80)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=120)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["subject", "user"], name="presence_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.place}"


class BidVersion(models.Model):
    """What was submitted, word for word. Never changed."""

    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    document = Secret()
    hash = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    receipt_number = models.CharField(max_length=60, blank=True)
    receipt = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bid", "number"], name="bid_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.bid} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to change what was submitted; only the receipt is added later."""
        if not self._state.adding and not set(kwargs.get("update_fields") or ["document"]) <= {"receipt", "receipt_number"}:
            raise RuntimeError("a submitted version cannot be changed; submit another one")
        super().save(*args, **kwargs)

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.document)  # type: ignore[no-any-return]

    def files(self) -> dict[str, str]:
        """Attachment code and its place → SHA-256 hex. No file names: people put their own names into them."""
        return {f"{a['code']}.{i}": a["sha256"] for i, a in enumerate(self.content["attachments"], start=1)}

    def keeps(self, sha256: str) -> bool:
        """Whether a file of this hash was handed in with this version."""
        return any(a["sha256"] == sha256 for a in self.attachments())

    def attachments(self) -> list[dict[str, Any]]:
        """The attachments that are here: handed in with this version, or declared with it and delivered since. One query if any follow."""
        listed: list[dict[str, Any]] = self.content["attachments"]
        if not any(a.get("follows") for a in listed):
            return listed
        here = set(DeclaredFile.objects.filter(bid_id=self.bid_id, delivered_at__isnull=False).values_list("sha256", flat=True))
        return [a for a in listed if not a.get("follows") or a["sha256"] in here]


class WithdrawalReceipt(models.Model):
    """撤回回执, printed. event_uid: the withdrawal in the ledger; the signed file is made from it whenever it is asked for."""

    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="withdrawal_receipts")
    event_uid = models.UUIDField(unique=True, editable=False)
    pdf = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"withdrawal {self.event_uid}"


class Prefill(models.Model):
    """来自单位资料，请确认: the mark on an answer that was carried over. digest: of the value carried; another value needs no confirmation.

    section "team" with an empty field stands for the list of people.
    """

    class Source(models.TextChoices):
        PROFILE = "profile", _("单位资料")
        BID = "bid", _("以往申报书")

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="prefills")
    section = models.CharField(max_length=40)
    field = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=10, choices=Source.choices)
    told = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bid", "section", "field"], name="prefill_once"),
            models.CheckConstraint(
                name="prefill_confirmed_pair",
                condition=Q(confirmed_at=None, confirmed_by=None) | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.section}.{self.field}"


class BudgetLine(models.Model):
    """One line of the budget. `source` says whose money: the grant, the organisation's cash, or in kind."""

    class Source(models.TextChoices):
        GRANT = "grant", _("申请资助")
        MATCH_CASH = "match_cash", _("配套资金")
        MATCH_IN_KIND = "match_in_kind", _("实物/场地/志愿服务折价")

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="budget_lines")
    position = models.PositiveSmallIntegerField(default=0)
    category = models.CharField(_("类别"), max_length=30)
    name = models.CharField(_("用途"), max_length=100)
    unit_price = Money(_("单价"))
    quantity = models.DecimalField(_("数量"), max_digits=10, decimal_places=2, default=1)
    amount = Money(_("金额"))
    source = models.CharField(_("资金来源"), max_length=15, choices=Source.choices, default=Source.GRANT)
    note = models.CharField(_("说明"), max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [not_negative("budget_line", "unit_price", "quantity", "amount")]

    def __str__(self) -> str:
        return f"{self.name} {self.amount}"


class Kpi(models.Model):
    """指标: what will be delivered, in figures. Beneficiary counts are KPIs with a group (domain §3.1).

    code: the call's own indicator this row answers; empty for one that the applicant adds. Kinds are the rulebook's `Measure`.
    """

    class Kind(models.TextChoices):
        PERSONS = "persons", _("受益人数")
        PERSON_TIMES = "person_times", _("受益人次")
        SESSIONS = "sessions", _("服务场次")
        HOURS = "hours", _("服务小时")
        HOUSEHOLDS = "households", _("受益户数")
        PERCENT = "percent", _("百分比")
        ITEMS = "items", _("件数")

    UNITS: ClassVar[dict[str, str]] = {
        "persons": "人", "person_times": "人次", "sessions": "场", "hours": "小时", "households": "户", "percent": "%", "items": "件",
    }  # fmt: skip

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="kpis")
    position = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True)
    kind = models.CharField(_("类型"), max_length=20, choices=Kind.choices)
    name = models.CharField(_("指标"), max_length=80)
    target = models.DecimalField(_("目标值"), max_digits=10, decimal_places=2)
    unit = models.CharField(_("单位"), max_length=10)
    group = models.CharField(_("受益群体"), max_length=40, blank=True)
    direct = models.BooleanField(_("直接受益"), default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [not_negative("kpi", "target")]

    def __str__(self) -> str:
        return f"{self.name} {self.target}{self.unit}"


class TeamMember(models.Model):
    """项目团队成员. Qualifications count for calls that ask for licensed professionals."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="team")
    position = models.PositiveSmallIntegerField(default=0)
    name = Secret(_("姓名"), max_length=60)
    role = models.CharField(_("项目职务"), max_length=60)
    qualification = models.CharField(_("职业资格"), max_length=60, blank=True)
    licence_no = Secret(_("证书编号"), max_length=60, blank=True)
    is_supervisor = models.BooleanField(_("督导"), default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Attachment(models.Model):
    """附件, kept by hash. `code` is the item of the call's attachment list it answers."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="attachments")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=150)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    expires_on = models.DateField(null=True, blank=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["code", "pk"]

    def __str__(self) -> str:
        return self.name


class DeclaredFile(models.Model):
    """A file announced by name, size and SHA-256 before the deadline; the bytes may follow within the hours that the call's rules give.

    In the frozen document it stands among the attachments, marked `follows`. Nobody opens it before this bid's own people delivered it:
    whoever knows the hash of another's file gains nothing by declaring it.
    """

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="declared")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=150)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    expires_on = models.DateField(null=True, blank=True)
    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["code", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bid", "sha256"], name="declared_once"),
            models.CheckConstraint(name="declared_hash", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def file_id(self) -> str:
        """As `Attachment` names it."""
        return self.sha256


class Finding(models.Model):
    """One eligibility rule's outcome at one moment: by machine where possible, by a clerk with evidence otherwise."""

    class Outcome(models.TextChoices):
        PASS = "pass", _("合格")
        FAIL = "fail", _("不合格")
        NEEDS_CLERK = "needs_clerk", _("待人工核实")

    class Moment(models.TextChoices):
        SCREENING = "screening", _("资格审查")
        CONTRACT = "contract", _("签约前复核")
        PAYMENT = "payment", _("拨款前复核")

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="findings")
    moment = models.CharField(max_length=10, choices=Moment.choices)
    rule = models.CharField(max_length=60)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    sentence = models.CharField(max_length=300)
    way_out = models.CharField(max_length=300, blank=True)
    evidence_file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    evidence_note = models.CharField(max_length=300, blank=True)
    looked_up_at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["bid", "moment"], name="finding_bid_moment")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="finding_clerk_has_evidence",
                condition=Q(by=None) | ~Q(evidence_note="") | Q(evidence_file__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.outcome}"


class RelatedDismissal(models.Model):
    """A hint about related applicants that a clerk looked into and set aside. fingerprint: which hint (`bidding.related`)."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="related_dismissals")
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=12)
    reason = models.CharField(_("排除的理由"), max_length=300)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["call", "fingerprint"], name="related_dismissal_once"),
            models.CheckConstraint(name="related_dismissal_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason}"
