"""Mid-term and final evaluations, closing items, and what stays on the organisation's record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants.awards.models import Award
from grants.calls.models import Call
from grants.documents.models import StoredFile
from grants.evaluation.machine import EvaluationMachine, EvaluationStates
from grants.evaluation.rules import evaluation_visible
from grants.people.models import Agency, Organisation, User
from grants.vault.columns import Secret, SecretJSON
from grants.workflow.machine import states_are


class Evaluation(EvaluationMachine):
    """一次评估. `answers` is the report in the shared form engine's shape; `achieved` the KPI values reached.

    marks: the version of every answer (section → answer → `rulebook.marks`).
    """

    class Moment(models.TextChoices):
        MIDTERM = "midterm", _("中期评估")
        FINAL = "final", _("末期评估")

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="evaluations")
    moment = models.CharField(_("阶段"), max_length=10, choices=Moment.choices)
    due_at = models.DateTimeField(null=True)
    answers: Any = SecretJSON(default=dict, blank=True)
    marks: Any = models.JSONField(default=dict, blank=True, editable=False)
    achieved: Any = models.JSONField(default=dict, blank=True)
    evaluator = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    scores: Any = models.JSONField(default=dict, blank=True)
    bonus = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    penalty = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    total = models.DecimalField(_("得分"), max_digits=6, decimal_places=2, null=True)
    grade_code = models.CharField(max_length=20, blank=True)
    grade_name = models.CharField(_("等级"), max_length=20, blank=True)
    comment = Secret(blank=True)
    graded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    visible = evaluation_visible

    class Meta:
        verbose_name = _("评估")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(EvaluationStates, "evaluation"),
            models.UniqueConstraint(fields=["award", "moment"], name="evaluation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.award.number} {self.get_moment_display()}"

    @property
    def call(self) -> Call:
        return self.award.call

    @property
    def agency(self) -> Agency:
        return self.award.call.agency

    @property
    def organisation(self) -> Organisation:
        return self.award.bid.organisation

    def report_hash(self) -> str:
        """SHA-256 of the report as canonical JSON."""
        text = json.dumps([self.answers, self.achieved], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def write_grade(self, scores: Mapping[str, Any], bonus: Any, penalty: Any, comment: str) -> None:
        """Total and grade from the rules' sheet and bands; called by the `grade` step only."""
        from grants.evaluation.grades import graded  # noqa: PLC0415 - reads these models

        outcome = graded(self, scores, bonus, penalty)
        self.scores = {code: str(value) for code, value in scores.items()}
        self.bonus, self.penalty, self.comment = bonus, penalty, comment
        self.total, self.grade_code, self.grade_name, self.graded_by = outcome.total, outcome.code, outcome.name, self.actor

    def write_late_grade(self) -> None:
        """The lowest band, without a score; called by the `fail_late` step only."""
        from grants.evaluation.grades import graded_late  # noqa: PLC0415 - reads these models

        outcome = graded_late(self)
        self.scores, self.bonus, self.penalty, self.total, self.comment = {}, 0, 0, None, outcome.sentence
        self.grade_code, self.grade_name, self.graded_by = outcome.code, outcome.name, self.actor

    def withdraw_grade(self) -> None:
        """A grade for lateness taken back; called by the `accept_reason` step only. The report has its day over again."""
        self.grade_code = self.grade_name = self.comment = ""
        self.graded_by = self.due_at = self.submitted_at = None


class Evidence(models.Model):
    """A piece of evidence for a report or the closing archive: photo, sign-in sheet, audit report, logo photo."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="evidence")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=150)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class TrackRecord(models.Model):
    """履约记录： what an organisation achieved with one award, and until when it is barred, if it is."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="track_records")
    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="track_record")
    outcome = models.CharField(
        max_length=20, choices=[("running", _("执行中")), ("closed", _("结项")), ("terminated", _("终止"))]
    )
    grade = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    barred_until = models.DateField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["organisation", "barred_until"], name="track_record_bar")]

    def __str__(self) -> str:
        return f"{self.organisation} {self.award.number} {self.outcome}"
