"""评估与结项: mid-term and final sheets, grade bands with consequences, closing items, retention."""

from __future__ import annotations

from pydantic import Field

from grants.calls.rulebook.parts.base import Code, Count, Flag, Named, Part, Percent, Points, Positive, Prose, Text
from grants.money import ZERO


class Action(Named):
    """What a grade leads to."""

    PAY = "pay", "拨付下期"
    COMMEND = "commend", "通报表扬"
    PRIORITY = "priority", "下年度同等条件优先"
    RECTIFY = "rectify", "限期整改"
    WITHHOLD = "withhold", "暂缓拨付"
    TERMINATE = "terminate", "终止项目"
    RECOVER = "recover", "追回资金"
    PUBLISH = "publish", "公开通报"
    BAR = "bar", "限制申报"


class Consequence(Part):
    """One consequence of a grade."""

    action: Action = Field(title="后果", description="What follows.")
    months: Count = Field(default=0, title="期限（月）", description="For a bar: months; for rectification: months to finish.")


class GradeBand(Part):
    """评估等级."""

    name: Text = Field(title="等级", description="As printed.")
    at_least: Points = Field(title="起始分", description="Lowest score of the band.")
    below: Points | None = Field(default=None, title="上限分", description="First score above the band; empty for the top.")
    passed: Flag = Field(title="合格", description="Whether this grade counts as passed.")
    consequences: tuple[Consequence, ...] = Field(default=(), title="后果", description="What follows.")


class EvaluationCriterion(Part):
    """评估指标."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    weight: Points = Field(title="权重", description="Points out of 100.")
    note: Prose = Field(default="", title="评分说明", description="What to look for and where the evidence is.")


class EvaluationSheet(Part):
    """评估表: weights add up to 100; bonus and penalty come on top, within limits."""

    criteria: tuple[EvaluationCriterion, ...] = Field(title="指标", description="In order.", min_length=1)
    bonus_max: Points = Field(default=ZERO, title="加分上限", description="Points.")
    penalty_max: Points = Field(default=ZERO, title="扣分上限", description="Points.")
    bands: tuple[GradeBand, ...] = Field(title="等级", description="Without gaps or overlaps, down to 0.", min_length=1)


class ClosingItem(Part):
    """结项材料."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    required: Flag = Field(default=True, title="必交", description="Closing waits for it.")


class EvaluationRules(Part):
    """Everything about evaluating."""

    midterm: EvaluationSheet | None = Field(default=None, title="中期评估表", description="None for very small grants.")
    final: EvaluationSheet | None = Field(default=None, title="末期评估表", description="None where closing is by evidence only.")
    late_is_fail: Flag = Field(
        default=True, title="逾期视为不合格", description="No or late submission without reason is a fail."
    )
    satisfaction_min: Percent | None = Field(default=None, title="满意度底线", description="Share of satisfied beneficiaries.")
    audit_sample: Percent = Field(default=ZERO, title="财务抽查比例", description="Share of projects whose vouchers are audited.")
    closing: tuple[ClosingItem, ...] = Field(title="结项清单", description="What must be in the file.", min_length=1)


class Retention(Part):
    """保管期限; nothing is destroyed before, and only after appraisal (档案法§21)."""

    file_years: Positive = Field(title="项目档案（年）", description="Years the file is kept after closing.")
    voucher_years: Positive = Field(default=30, title="会计凭证（年）", description="Years accounting vouchers are kept.")
    personal_months: Positive = Field(
        default=36, title="个人信息（月）", description="Months after closing until beneficiary rows are pseudonymised."
    )
