"""Sealed bids: the key of a call and who holds its shares, every sealed version that was handed in, and the opening.

Nothing here is secret: shares are age files that only whole groups of officers open, versions are ciphertext under a public header.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import date, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bidding import sealing_bundle
from bidding.models.bid import Bid
from bidding.seal_machine import SealMachine, SealStates
from bidding.seal_rules import USABLE, seal_visible
from bidding.sealing.ceremony import CallKey
from bidding.sealing.envelope import Sealed
from bidding.sealing.keys import Officer
from grants import clock
from grants.calls.models import Call
from grants.documents.files import read_file
from grants.documents.models import StoredFile
from grants.people.models import Agency, User
from grants.workflow.machine import states_are
from grants.workflow.refusals import Invalid


class OfficerKey(models.Model):
    """开标人的钥匙: the public half, and the secret half under a passphrase that only its officer has (base64 of an age file).

    The protected file is kept so that an officer needs nothing but the passphrase; who does not want that keeps the file alone.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="officer_keys")
    recipient = models.CharField(max_length=120, unique=True)
    protected = models.TextField(blank=True)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user"], condition=Q(retired_at=None), name="officer_key_in_use_once"),
            models.CheckConstraint(name="officer_key_is_age", condition=Q(recipient__startswith="age1")),
        ]

    def __str__(self) -> str:
        return self.recipient


class SealKey(SealMachine):
    """开标密钥 of one call. record: the public record (canonical JSON, `ceremony.CallKey.record`); test: the rehearsal's envelope, base64.

    lost_reported_*: a report that too few keys are left, while it stands; lost_declared_by: who confirmed it, then nothing is opened any more.
    kept_until: then, until when kept copies are taken (exclusive: 00:00 Shanghai after the last day); losses of before there was a day have none.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="seals")
    threshold = models.PositiveSmallIntegerField(_("开标需要的人数"))
    recipient = models.CharField(max_length=120, unique=True)
    record = models.TextField(editable=False)
    test = models.TextField(editable=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(null=True, editable=False)
    lost_reported_at = models.DateTimeField(null=True, editable=False)
    lost_reported_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    lost_declared_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    kept_until = models.DateTimeField(null=True, editable=False)

    visible = seal_visible

    class Meta:
        verbose_name = _("开标密钥")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(SealStates, "seal"),
            models.UniqueConstraint(fields=["call"], condition=Q(state__in=USABLE), name="seal_in_use_once"),
            models.CheckConstraint(
                name="seal_lost_by_two",
                condition=Q(lost_declared_by=None) | (Q(lost_reported_by__isnull=False) & ~Q(lost_declared_by=F("lost_reported_by"))),
            ),
        ]

    def __str__(self) -> str:
        return _("%(call)s的开标密钥") % {"call": self.call.title}

    @property
    def agency(self) -> Agency:
        return self.call.agency

    @property
    def is_lost(self) -> bool:
        """Whether two persons declared that too few keys are left: then nothing was opened, and nothing will be."""
        return self.lost_declared_by_id is not None

    @property
    def kept_last_day(self) -> date | None:
        """The last day (Shanghai) on which kept copies are taken, or None."""
        return None if self.kept_until is None else (self.kept_until - timedelta(seconds=1)).astimezone(clock.TZ).date()

    @property
    def idle_steps(self) -> frozenset[str]:
        """Nobody opened what is lost, so nobody signs; without a report there is none to withdraw."""
        idle = {"sign"} if self.is_lost else set()
        return frozenset(idle if self.lost_reported_by_id else idle | {"withdraw_lost"})

    def state_words(self, state: str) -> str:
        """A call whose keys were lost is not called opened."""
        return str(_("密钥丢失，凭留存包恢复")) if self.is_lost and state == SealStates.OPENED else super().state_words(state)

    def get_state_display(self) -> str:  # type: ignore[no-redef]
        """Pages ask for the state under Django's name."""
        return self.state_words(self.state)

    def note_loss(self, by: User | None) -> None:
        """Who reports the loss, now; None when a report no longer stands. Called by the machine's steps only."""
        self.lost_reported_at, self.lost_reported_by = (None if by is None else clock.now()), by

    @property
    def record_row(self) -> OpeningRecord:
        """The opening record. Raises DoesNotExist before the opening."""
        return self.opening_record

    @property
    def public(self) -> dict[str, Any]:
        """The public record as JSON types."""
        return json.loads(self.record)  # type: ignore[no-any-return]

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the public record: what the call prints, and what anybody compares."""
        return hashlib.sha256(self.record.encode()).hexdigest()

    def as_key(self) -> CallKey:
        """The pure value that `bidding.sealing` works with. Two queries."""
        told = self.public
        shares = {tuple(share.group): share.content for share in self.shares.all()}
        officers = tuple(Officer(row.name, row.key.recipient) for row in self.officers.select_related("key"))
        test = base64.b64decode(self.test)
        return CallKey(told["call"], self.threshold, officers, self.recipient, shares, test, told["test"]["content"])

    def prove(self, share: SealShare, content: bytes) -> None:
        """Note that a group opened the test envelope. Raises Invalid when it opened something else. Called by the `rehearse` step only."""
        if share.key_id != self.pk or not hmac.compare_digest(
            hashlib.sha256(content).hexdigest(), self.public["test"]["content"]
        ):
            raise Invalid(_("打开的不是测试信封的内容，演练没有通过。"), rule="rehearsal", verb="rehearse")
        share.rehearsed_at, share.waiting, share.layer = clock.now(), "", 0
        share.save(update_fields=["rehearsed_at", "waiting", "layer"])


class SealOfficer(models.Model):
    """One of the officers a key was made for. name: the office as it is printed in the call, never a person's name."""

    key_of_call = models.ForeignKey(SealKey, on_delete=models.PROTECT, related_name="officers")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=30)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    key = models.ForeignKey(OfficerKey, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key_of_call", "name"], name="seal_officer_name_once"),
            models.UniqueConstraint(fields=["key_of_call", "user"], name="seal_officer_user_once"),
        ]

    def __str__(self) -> str:
        return self.name


class SealShare(models.Model):
    """One share: an age file for one whole group, opened by the last of the group first.

    layer, waiting: how many layers are off, and what is left (base64), while a group takes its turns; empty otherwise.
    """

    key = models.ForeignKey(SealKey, on_delete=models.PROTECT, related_name="shares")
    position = models.PositiveSmallIntegerField()
    group: Any = models.JSONField()
    blob = models.TextField()
    layer = models.PositiveSmallIntegerField(default=0)
    waiting = models.TextField(blank=True)
    rehearsed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return "、".join(self.group)

    @property
    def content(self) -> bytes:
        return base64.b64decode(self.blob)

    @property
    def is_last(self) -> bool:
        """Whether the next layer is the last: what is under it is the call's key."""
        return int(self.layer) + 1 >= len(self.group)

    @property
    def at_turn(self) -> str:
        """The office whose layer comes off next."""
        return str(self.group[-1 - self.layer])

    @property
    def next_blob(self) -> str:
        """What that officer opens, base64."""
        return self.waiting or self.blob


class SealedVersion(models.Model):
    """密封投标 as it was handed in: the public header (JSON text as it came), its commitment, and the sealed files. Never changed.

    mode: who sealed it. refusal: why it did not open (a rule of `sealing.refusals`), empty otherwise.
    """

    class Mode(models.TextChoices):
        CLIENT = "client", _("在投标人的电脑上封标")
        SERVER = "server", _("由系统代为封标")

    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="sealed_versions")
    number = models.PositiveIntegerField()
    header = models.TextField()
    hash = models.CharField(max_length=64)
    mode = models.CharField(max_length=6, choices=Mode.choices)
    declarations: Any = models.JSONField(default=list)
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    receipt_number = models.CharField(max_length=60, blank=True)
    receipt = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    refusal = models.CharField(max_length=30, blank=True)
    refused_file = models.CharField(max_length=150, blank=True)
    restored_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bid", "number"], name="sealed_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.bid_id} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to change what was handed in; the receipt and the outcome of the opening are added later."""
        later = {"receipt", "receipt_number", "refusal", "refused_file", "restored_at"}
        if not self._state.adding and not set(kwargs.get("update_fields") or ["header"]) <= later:
            raise RuntimeError("a sealed version cannot be changed; hand in another one")
        super().save(*args, **kwargs)

    @property
    def told(self) -> dict[str, Any]:
        """The header as JSON types."""
        return json.loads(self.header)  # type: ignore[no-any-return]

    @property
    def sealed_with(self) -> dict[str, str]:
        """What stands in the log and on the receipt beside the hash: who sealed, and the scripts that pages sent at that moment."""
        program = {"program": sealing_bundle.fingerprint()} if self.mode == self.Mode.CLIENT else {}
        return {"mode": str(self.mode), **program}

    @property
    def size(self) -> int:
        """Bytes of all sealed files."""
        return sum(int(row["size"]) for row in self.told["files"])

    def sealed(self) -> Sealed:
        """Header and files, read from the disk: one version in memory at a time. A file that is lost is left out, and opening says so."""
        files = {}
        for row in self.files.all():
            try:
                files[row.name] = read_file(row.file_id)
            except RuntimeError:
                continue
        return Sealed(self.told, files)


class SealedFile(models.Model):
    """One sealed file of a version, under the name its header gives it."""

    version = models.ForeignKey(SealedVersion, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=40)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "name"], name="sealed_file_once")
        ]

    def __str__(self) -> str:
        return self.name


class OpeningRecord(models.Model):
    """开标记录: who opened, when, every header's hash and result, in canonical JSON (`sealing.opening.record`). Never changed.

    Where the keys were lost, nobody opened: officers is empty and every result is "key_lost".
    """

    key = models.OneToOneField(SealKey, on_delete=models.PROTECT, related_name="opening_record")
    document = models.TextField()
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    officers: Any = models.JSONField()
    opened = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    pdf = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.hash[:12]

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.document)  # type: ignore[no-any-return]


class RecordSignature(models.Model):
    """An officer who took part has signed the record; the entry in the log is the evidence."""

    record = models.ForeignKey(OpeningRecord, on_delete=models.PROTECT, related_name="signatures")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["record", "user"], name="record_signature_once")
        ]

    def __str__(self) -> str:
        return f"{self.record} {self.at}"
