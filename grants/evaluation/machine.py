"""评估：待提交 → 已提交 → 退回修改 / 已评分 → 已确认."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.evaluation.rules import (
    award_running,
    confirmer,
    evaluator_is_independent,
    failed_for_lateness,
    late_grader,
    late_is_fail,
    nominator,
    report_is_complete,
    report_is_late,
    reporter,
    scored_by_sheet,
    sheet_is_complete,
    the_evaluator,
)
from grants.people.rules import may
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import the_clock


class EvaluationStates(models.TextChoices):
    DUE = "due", _("待提交报告")
    SUBMITTED = "submitted", _("待评估")
    RETURNED = "returned", _("退回修改")
    GRADED = "graded", _("待确认")
    CONFIRMED = "confirmed", _("已确认")


S = EvaluationStates


class EvaluationMachine(Machine):
    """中期或末期评估：受助方自评报告，独立评估人评分，主办方确认并落实结果。"""

    States = EvaluationStates
    machine_name = "evaluation"
    door_select = ("award__call__agency", "award__bid__organisation", "award__bid__sponsor", "evaluator")
    opening: ClassVar[Opening] = Opening(_("安排评估"), by=the_clock)
    state = StateField(default=S.DUE, choices=S.choices)
    if TYPE_CHECKING:
        submitted_at: Any  # a column of models.Evaluation

    class Meta:
        abstract = True

    @step(
        state,
        _("提交报告"),
        source=[S.DUE, S.RETURNED],
        to=S.SUBMITTED,
        by=reporter,
        when=[award_running, report_is_complete],
        then=["evaluation.tell_submitted"],
    )
    def submit(self) -> Facts:
        """提交自评报告、指标完成情况和佐证。"""
        self.submitted_at = self.submitted_at or clock.now()  # handed in when first handed in, however often it is improved
        return Facts(files={"report": self.report_hash()})

    @step(state, _("指定评估人"), source=[S.DUE, S.SUBMITTED, S.RETURNED], to=None, by=nominator, when=[evaluator_is_independent])
    def nominate(self, *, evaluator: Any) -> Facts:
        """评估人不得来自受助方、托管组织或承办方。"""
        self.evaluator = evaluator
        return Facts(public={"evaluator": str(evaluator.pseudonym)})

    @step(state, _("退回修改"), source=S.SUBMITTED, to=S.RETURNED, by=the_evaluator, danger=True)
    def return_(self) -> None:
        """写明要补充的内容。"""

    @step(state, _("评分"), source=S.SUBMITTED, to=S.GRADED, by=the_evaluator, when=[evaluator_is_independent, sheet_is_complete])
    def grade(self, *, scores: Mapping[str, Any], bonus: Any = 0, penalty: Any = 0, comment: str = "") -> Facts:
        """按评估表逐项评分，等级由规则的分数段确定。"""
        self.write_grade(scores, bonus, penalty, comment)
        return Facts(public={"total": str(self.total), "grade": self.grade_name})

    @step(state, _("按逾期定级"), source=[S.DUE, S.RETURNED, S.SUBMITTED], to=S.GRADED, by=late_grader,
          when=[award_running, late_is_fail, report_is_late], danger=True)
    def fail_late(self) -> Facts:
        """逾期未交或逾期提交且无正当理由的，按规则定为最低等级，写明催交经过。"""
        self.write_late_grade()
        return Facts(public={"grade": self.grade_name, "late": True})

    @step(
        state,
        _("确认评估"),
        source=S.GRADED,
        to=S.CONFIRMED,
        by=confirmer,
        then=["evaluation.apply_consequences", "evaluation.tell_confirmed"],
    )
    def confirm(self) -> Facts:
        """确认等级，按规则落实：拨付、暂缓、限制申报。"""
        self.confirmed_at = clock.now()
        return Facts(public={"grade": self.grade_name})

    @step(state, _("退回重评"), source=S.GRADED, to=S.SUBMITTED, by=may("confirm_evaluations"), when=[scored_by_sheet], danger=True)
    def send_back(self) -> None:
        """评分依据不足时退回评估人。"""

    @step(state, _("认可逾期理由"), source=S.GRADED, to=S.RETURNED, by=may("confirm_evaluations"), when=[failed_for_lateness],
          then=["evaluation.tell_reason_accepted"], danger=True)
    def accept_reason(self) -> None:
        """逾期有正当理由的，写明理由，允许补交报告。"""
        self.withdraw_grade()
