"""A call, the versions of its rules, and who holds which mandate in it."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.calls.machine import CallMachine, CallStates
from grants.calls.needs.models import Need, NeedBacking  # noqa: F401 - models of this app, kept in a package of their own
from grants.calls.questions import QuestionMachine, QuestionStates, question_visible
from grants.calls.rules import call_visible
from grants.people.models import Agency, Organisation, User
from grants.people.permissions import ScopePermission
from grants.people.roles import CALL, permissions_on
from grants.workflow.machine import states_are

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from grants.calls.rulebook.problems import Problem




class RulesAltered(RuntimeError):
    """Somebody changed a version's text behind the services; the hash, also in the ledger, no longer fits. Nothing goes on with it."""


class Call(CallMachine):
    """征集. The times are copies of the current rules' timetable, kept as columns because the clock queries them (UTC)."""

    agency = models.ForeignKey(Agency, verbose_name=_("主办方"), on_delete=models.PROTECT, related_name="calls")
    operator = models.ForeignKey(
        Organisation, verbose_name=_("承办方"), null=True, blank=True, on_delete=models.PROTECT, related_name="operates"
    )
    code = models.CharField(_("编号"), max_length=40, unique=True)
    title = models.CharField(_("名称"), max_length=200)
    rules_version = models.ForeignKey("RulesVersion", null=True, on_delete=models.PROTECT, related_name="+")
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    contributors = models.ManyToManyField(User, related_name="+", editable=False)
    opens_at = models.DateTimeField(null=True)
    questions_until = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    visible = call_visible

    class Meta:
        verbose_name = _("征集")
        permissions = permissions_on(CALL)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(CallStates, "call"),
            models.CheckConstraint(name="call_period", condition=Q(opens_at=None) | Q(closes_at__gt=F("opens_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def call(self) -> Call:
        return self

    @property
    def rules(self) -> CallRules:
        """The current version's rules as the typed value."""
        if self.rules_version is None:
            raise LookupError(f"call {self.code} has no rules yet")
        return self.rules_version.rules

    @property
    def draft_addendum(self) -> RulesVersion | None:
        """The version drafted after publication and not yet issued, or None."""
        newer = self.versions.filter(frozen_at=None)
        if self.rules_version is not None:
            newer = newer.filter(number__gt=self.rules_version.number)
        return newer.order_by("-number").first()

    def write_rules(self, rules: CallRules, *, by: User) -> RulesVersion:
        """Write `rules` into the draft's one unfrozen version and copy title and times. Called by the `revise` step only."""
        version = self.rules_version or RulesVersion(call=self, number=1)
        version.write(rules, by=by, against=None)
        self.rules_version, self.code, self.title = version, rules.code, rules.title.zh
        self.copy_timetable()
        return version

    def copy_timetable(self) -> None:
        """Take the times of the current rules over; a closing time that was already moved later stays."""
        times = self.rules.timetable
        later = self.published_at is not None and self.closes_at is not None and self.closes_at > times.closes_at
        self.opens_at, self.questions_until = times.opens_at, times.questions_until
        self.closes_at = self.closes_at if later else times.closes_at


class CallPermission(ScopePermission):
    content_object = models.ForeignKey(Call, on_delete=models.CASCADE)


@lru_cache(maxsize=64)
def _parsed(document: str) -> CallRules:
    """The value of a document. It is frozen, so every row and every request of this process may share it."""
    from grants.calls.rulebook.model import CallRules  # noqa: PLC0415 - pydantic is slow to import, pages rarely need it

    return CallRules.model_validate(json.loads(document))


class RulesVersion(models.Model):
    """One version of a call's rules: canonical JSON text and its SHA-256. Frozen at publication; an addendum is a new row."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.TextField()
    hash = models.CharField(max_length=64)
    changes = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("规则版本")
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["call", "number"], name="rules_version_once")
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to change a frozen version's document."""
        if (
            self.pk
            and kwargs.get("update_fields") != ["frozen_at"]
            and RulesVersion.objects.filter(pk=self.pk, frozen_at__isnull=False).exists()
        ):
            raise RuntimeError("a frozen rules version cannot be changed; write a new version")
        super().save(*args, **kwargs)

    @property
    def rules(self) -> CallRules:
        """The document as the typed value; checked once per instance. Raises RulesAltered when it no longer matches its hash."""
        held = self.__dict__.get("_rules")
        if held is None:
            if hashlib.sha256(self.document.encode()).hexdigest() != self.hash:
                raise RulesAltered(f"version {self.number} of call {self.call_id} no longer matches its hash {self.hash}")
            held = self.__dict__["_rules"] = _parsed(self.document)
        return held  # type: ignore[no-any-return]

    def write(self, rules: CallRules, *, by: User, against: CallRules | None) -> None:
        """Put `rules` into this unfrozen row and save it. against: the version it replaces, for the list of changes."""
        from grants.calls.rulebook.diff import diff  # noqa: PLC0415 - as above

        self.document, self.hash = rules.canonical().decode(), rules.rules_hash
        self.changes = [change.plain() for change in diff(against, rules)] if against is not None else []
        self.created_by, self.created_at = by, clock.now()
        self.__dict__["_rules"] = rules
        self.save()

    def problems(self) -> list[Problem]:
        """The linter's errors (not warnings) in this version."""
        return [problem for problem in self.advice() if problem.severity == "error"]

    def advice(self) -> list[Problem]:
        """Everything the linter says, errors first, asked with this installation's calendar."""
        from grants.calls.advice import advice  # noqa: PLC0415 - as above

        return advice(self.rules)

    def freeze(self) -> None:
        """Fix this version for good. Only a call's steps call this; a trigger-like check in save() refuses later edits."""
        if self.frozen_at is None:
            self.frozen_at = clock.now()
            self.save(update_fields=["frozen_at"])


class Question(QuestionMachine):
    """提问. `text` and `answer` become public; who asked does not, and not even the agency learns it before the deadline."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="questions")
    organisation = models.ForeignKey(Organisation, verbose_name=_("提问单位"), on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("问题"), max_length=2000)
    answer = models.TextField(_("答复"), max_length=4000, blank=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")

    visible = question_visible

    class Meta:
        verbose_name = _("答疑")
        ordering: ClassVar[list[str]] = ["created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(QuestionStates, "question"),
            models.CheckConstraint(name="question_published_answered", condition=~Q(state="published") | ~Q(answer="")),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["call", "state", "published_at"], name="question_list")]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 30 else f"{self.text[:29]}…"

    @property
    def agency(self) -> Agency:
        return self.call.agency

    @property
    def asker_is_known(self) -> bool:
        """Whether the agency may read who asked: whoever asks means to bid, and that is nobody's business before the deadline."""
        return self.call.closes_at is not None and clock.now() >= self.call.closes_at

    def veiled(self, actor: Any) -> dict[str, str]:
        """Pseudonym → the words that stand for the person on the timeline that `actor` reads."""
        from grants.people.permissions import permissions_of  # noqa: PLC0415 - only a page asks

        if self.asker_is_known or permissions_of(actor, self.organisation):
            return {}
        return {str(self.asked_by.pseudonym): str(_("提问单位（截止后可见）"))}


class Follower(models.Model):
    """Somebody who wants the answers and addenda of a call by letter."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="followers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [models.UniqueConstraint(fields=["call", "user"], name="follower_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.call}"


class Downtime(models.Model):
    """The site could not be used: measured by its own clock (nobody recorded it), or recorded by an officer with evidence."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["started_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="downtime_period", condition=Q(ended_at__gt=F("started_at"))),
            models.CheckConstraint(name="downtime_evidence", condition=Q(recorded_by=None) | ~Q(note="")),
        ]

    def __str__(self) -> str:
        return f"{self.started_at.isoformat()} – {self.ended_at.isoformat()}"


class Pulse(models.Model):
    """When the clock last beat (real time). One row."""

    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [models.CheckConstraint(name="one_pulse", condition=Q(pk=1))]

    def __str__(self) -> str:
        return self.at.isoformat()
