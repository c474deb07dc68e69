"""Decisions, awards, notices, objections, the agreed budget, contracts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid, BudgetLine
from grants import clock
from grants.awards.contract_machine import ContractMachine, ContractStates
from grants.awards.machine import (
    AwardMachine,
    AwardStates,
    ObjectionMachine,
    ObjectionStates,
)
from grants.awards.rules import award_visible, contract_visible, decision_visible, objection_visible
from grants.calls.models import Call
from grants.clock.calendar import end_of_period
from grants.documents.models import StoredFile
from grants.people.models import Agency, Organisation, User
from grants.vault.columns import Secret, SecretJSON
from grants.workflow.columns import Money, not_negative
from grants.workflow.machine import Facts, states_are
from review.models import Panel

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules


class Decision(models.Model):
    """The proposal's line for one bid: awarded or refused, how much, and why in one sentence. Every ranked bid has one.

    rule: stable code of what decided (`awards.selection`). Never changed: what happens to an award later is the award's own story.
    released_at: since when its bidder may know of it; until then it is the agency's alone. letter: the feedback letter as it was printed.
    """

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="decisions")
    bid = models.OneToOneField(Bid, on_delete=models.PROTECT, related_name="decision")
    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="decisions")
    rank = models.PositiveIntegerField(null=True)
    score = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    awarded = models.BooleanField()
    amount = Money()
    rule = models.CharField(max_length=30)
    reason = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    letter = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    visible = decision_visible

    class Meta:
        ordering: ClassVar[list[str]] = ["rank", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            not_negative("decision", "amount"),
            models.CheckConstraint(
                name="decision_amount_only_when_awarded", condition=Q(awarded=True, amount__gt=0) | Q(awarded=False, amount=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bid} {self.reason}"


class PublicNotice(models.Model):
    """公示: a whitelist of fields, published for a stated period. `body` is exactly what the public sees.

    ends_at, objections_until: exclusive instants (00:00 Shanghai after the last day); last_day: the last day of the notice.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="notices")
    number = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    body: Any = models.JSONField()
    published_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    last_day = models.DateField()
    objections_until = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("公示")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="notice_period", condition=Q(ends_at__gt=models.F("published_at")))
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def agency(self) -> Agency:
        return self.call.agency

    @property
    def objections_end(self) -> datetime:
        """Until when an objection may be filed; at least as long as the notice itself."""
        return max(self.ends_at, self.objections_until or self.ends_at)


class Award(AwardMachine):
    """立项: the head of the chain award → contract → tranches → evaluation."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="awards")
    bid = models.OneToOneField(Bid, on_delete=models.PROTECT, related_name="award")
    number = models.CharField(_("项目编号"), max_length=60, unique=True)
    amount = Money(_("立项金额"))
    prepared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    notice = models.ForeignKey(PublicNotice, null=True, on_delete=models.PROTECT, related_name="awards")
    confirmed_at = models.DateTimeField(null=True)
    started_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    reduction_reason = models.CharField(max_length=300, blank=True)
    agreed_targets: Any = models.JSONField(default=dict, blank=True)
    grantee_agreed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    grantee_agreed_at = models.DateTimeField(null=True)

    visible = award_visible

    class Meta:
        verbose_name = _("立项")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(AwardStates, "award"),
            models.CheckConstraint(name="award_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.bid.title}"

    @property
    def agency(self) -> Agency:
        return self.call.agency

    @property
    def organisation(self) -> Organisation:
        return self.bid.organisation

    @property
    def sponsor(self) -> Organisation | None:
        return self.bid.sponsor

    @property
    def payee(self) -> Organisation:
        """Who signs and is paid: the sponsor where there is one, else the organisation itself."""
        return self.bid.sponsor or self.bid.organisation

    @property
    def signing_party(self) -> Organisation:
        return self.payee

    @property
    def rules(self) -> CallRules:
        """The rules the bid was written for; its contract follows them."""
        return self.bid.rules

    def budget_hash(self) -> str:
        """SHA-256 over the agreed lines and targets, so that the ledger names what the grantee agreed to."""
        lines = [[line.position, line.category, line.name, str(line.agreed)] for line in self.lines.all()]
        text = json.dumps([str(self.amount), lines, self.agreed_targets], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def write_reduction(self, lines: Mapping[Any, Any], reason: str, targets: Mapping[str, int], core: Any) -> Facts:
        """Write the lines, the amount and the targets. Called by the `reduce` step only. Raises Invalid."""
        from grants.awards.negotiation import write  # noqa: PLC0415 - reads these models

        return write(self, lines, reason, targets, core)


class AgreedLine(models.Model):
    """核减 line by line: asked, agreed, reason. Lines of the grant only.

    raised: 元 by which an approved change put the line above what was asked for it; the award's total stays.
    """

    award = models.ForeignKey(Award, on_delete=models.CASCADE, related_name="lines")
    budget_line = models.ForeignKey(BudgetLine, null=True, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    category = models.CharField(max_length=30)
    name = models.CharField(max_length=100)
    asked = Money()
    agreed = Money()
    raised = Money(default=0)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            not_negative("agreed_line", "asked", "agreed", "raised"),
            models.CheckConstraint(name="agreed_not_over_asked", condition=Q(agreed__lte=models.F("asked") + models.F("raised"))),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.agreed}"


class Objection(ObjectionMachine):
    """异议. Name, contact and facts are personal: shown to handlers only, never in the ledger or on a page.

    award: the award objected to; None when the objection is to the notice as a whole. due_at: exclusive end of the reply period.
    """

    class Objector(models.TextChoices):
        PERSON = "person", _("个人（实名）")
        UNIT = "unit", _("单位（盖章）")
        ANONYMOUS = "anonymous", _("匿名线索")

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="objections")
    notice = models.ForeignKey(PublicNotice, on_delete=models.PROTECT, related_name="objections")
    award = models.ForeignKey(Award, null=True, on_delete=models.PROTECT, related_name="objections")
    number = models.CharField(max_length=60, unique=True)
    filed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    objector_kind = models.CharField(_("异议人类别"), max_length=12, choices=Objector.choices)
    objector_name = Secret(_("姓名/单位名称"), max_length=100, blank=True)
    objector_contact = Secret(_("联系方式"), max_length=100, blank=True)
    facts = Secret(_("事实和理由"))
    file = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    handled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField(null=True)
    reply = models.TextField(_("书面答复"), blank=True)
    replied_at = models.DateTimeField(null=True)

    visible = objection_visible

    class Meta:
        verbose_name = _("异议")
        constraints: ClassVar[list[models.BaseConstraint]] = [states_are(ObjectionStates, "objection")]

    def __str__(self) -> str:
        return self.number

    @property
    def agency(self) -> Agency:
        return self.call.agency

    def reply_deadline(self) -> datetime:
        """UTC; working days after acceptance, from the call's rules."""
        reply = self.call.rules.timetable.objection_reply
        return end_of_period(clock.now(), reply.amount, reply.unit.value, count_first_day=reply.count_first_day).ends_at

    @property
    def is_lead(self) -> bool:
        """Anonymous: kept as a lead, stops nothing."""
        return self.objector_kind == self.Objector.ANONYMOUS

    @property
    def is_overdue(self) -> bool:
        """Accepted, not answered, and the reply period over."""
        return self.state == ObjectionStates.ACCEPTED and self.due_at is not None and clock.now() >= self.due_at

    def hold_awards(self, by: Any) -> int:
        """Hold the award objected to, or every award of the notice; how many. Called by the `accept` step only."""
        from grants.awards.objecting import hold  # noqa: PLC0415 - reads these models

        return hold(self, by)

    def cancel_award(self, by: Any) -> None:
        """Cancel the award objected to. Called by the `uphold` step only."""
        from grants.awards.objecting import cancel  # noqa: PLC0415 - reads these models

        cancel(self, by)

    def answer(self, reply: str) -> Facts:
        """Write the reply down; called by this machine's steps only."""
        self.reply, self.replied_at = reply.strip(), clock.now()
        return Facts(private={"reply": self.reply})


class Contract(ContractMachine):
    """项目协议书. The text is frozen when issued; signing is print, seal, scan with hashes on both sides, or electronic.

    data: everything the text says (`documents.contract_data`); text_hash: its SHA-256, whose head the footer prints; file: the
    printed text. signed_by: parties that signed electronically, in order; signed: the file with their signatures; provable_until: when the
    certificate of its last document timestamp runs out (B-LTA only). asked_party, asked_by,
    asked_at: a signature that was asked for and is being made. shares: source code → 元 as text, how the sources carry this award.
    agreed_targets: the targets it prints.
    """

    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="contract")
    number = models.CharField(_("协议编号"), max_length=60, unique=True)
    data: Any = SecretJSON(default=dict)
    shares: Any = models.JSONField(default=dict)
    agreed_targets: Any = models.JSONField(default=dict)
    text_hash = models.CharField(max_length=64, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(null=True)
    grantee_scan = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    grantee_signed_at = models.DateTimeField(null=True)
    agency_scan = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    effective_at = models.DateTimeField(null=True)
    signed_by: Any = models.JSONField(default=list)
    signed = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    provable_until = models.DateTimeField(null=True)
    asked_party = models.CharField(max_length=10, blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(null=True)

    visible = contract_visible

    class Meta:
        verbose_name = _("协议")
        constraints: ClassVar[list[models.BaseConstraint]] = [states_are(ContractStates, "contract")]

    def __str__(self) -> str:
        return self.number

    @property
    def call(self) -> Call:
        return self.award.call

    @property
    def agency(self) -> Agency:
        return self.award.call.agency

    @property
    def bid(self) -> Bid:
        return self.award.bid

    @property
    def signing_party(self) -> Organisation:
        return self.award.payee

    @property
    def organisation(self) -> Organisation:
        return self.award.bid.organisation

    @property
    def sponsor(self) -> Organisation | None:
        return self.award.bid.sponsor

    @property
    def executing_team(self) -> Organisation | None:
        """丙方: the group that executes, where a sponsor signs as 乙方."""
        return self.organisation if self.sponsor is not None else None

    @property
    def objections(self) -> Any:
        return self.award.objections

    def write_text(self) -> Facts:
        """Compose the text from what was agreed; printing follows. Called when the contract is drawn or redrawn. Raises Invalid."""
        from grants.awards.contract_text import write  # noqa: PLC0415 - reads these models

        return write(self)

    def text_files(self) -> dict[str, str]:
        """The text's digest and the printed file, for the ledger."""
        return {"text": self.text_hash, **({"printed": self.file_id} if self.file_id else {})}

    def remember_recheck(self) -> dict[str, str]:
        """Write the findings of today's re-check beside the bid; rule → outcome. Called by `issue` and `countersign` only."""
        from grants.awards.rechecks import remember  # noqa: PLC0415 - reads these models

        return remember(self.award)

    @property
    def idle_steps(self) -> frozenset[str]:
        """Steps that mean nothing for this contract and are not offered on its page, not even with a reason why not."""
        third = frozenset() if self.sponsor is not None else frozenset({"ask_executor"})
        return third | (frozenset() if self.asked_party else frozenset({"withdraw_signature"}))

    def ask_signature(self, party: str, authenticated: Any) -> Facts:
        """Remember that a party asked for its signature. Called by the `ask_…` steps only."""
        self.asked_party, self.asked_by, self.asked_at = party, self.actor, clock.now()
        return Facts(public={"party": party, "authenticated": authenticated.method}, files=self.text_files())

    def forget_signatures(self) -> None:
        """Paper takes the place of electronic signatures, or the signing begins anew. Called by this machine's steps only."""
        self.signed_by, self.signed, self.asked_party, self.provable_until = [], None, "", None

    def stop_waiting(self) -> str:
        """Wait no longer for the signature that was asked for; whose it was. Called by this machine's steps only."""
        party, self.asked_party = self.asked_party, ""
        return str(party)

    def keep_signature(self, party: str, signed: StoredFile, checked: Any) -> Facts:
        """The file with one more signature is the contract's now. Called by the `complete_…` steps only."""
        self.signed, self.signed_by, self.asked_party = signed, [*self.signed_by, party], ""
        self.provable_until = checked.until
        public = {"party": party, "certificate": checked.serial, "issuer": checked.issuer, "level": checked.level}
        return Facts(public=public, files={**self.text_files(), "signed": signed.sha256})

    def keep_renewal(self, signed: StoredFile, checked: Any) -> Facts:
        """The file with one more document timestamp is the contract's now. Called by `renew_stamp` only."""
        self.signed, self.provable_until = signed, checked.until
        return Facts(public={"until": checked.until.date().isoformat()}, files={**self.text_files(), "signed": signed.sha256})


class SelectionCheck(models.Model):
    """立项建议的对照: what was asked (the file `manage.py review select` reads), and the proven optimum beside it once it is there.

    question, body: canonical JSON; body is empty until the effect has run. A check, never a decision.
    """

    panel = models.OneToOneField(Panel, on_delete=models.PROTECT, related_name="selection_check")
    question = models.TextField()
    body = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("立项建议的对照")

    def __str__(self) -> str:
        return f"{self.panel} {self.sha256[:12]}"
