"""评审: stages, score sheets with anchors in words, the panel, the arithmetic and the tie rule."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from grants.calls.rulebook.parts.base import Code, Count, Flag, Named, Part, Percent, Points, Positive, Prose, Text
from grants.money import ZERO


class StageKind(Named):
    """How a stage is judged."""

    DOCUMENT = "document", "书面评审"
    ORAL = "oral", "路演答辩"


class Scorer(Named):
    """Who gives the marks of a criterion."""

    EXPERT = "expert", "评审专家"
    FINANCE = "finance", "财务专家"
    FIELD = "field", "行业专家"
    SECRETARIAT = "secretariat", "秘书处（客观项）"
    RESIDENT = "resident", "居民代表"


class TieBy(Named):
    """What decides between equal scores."""

    CRITERION = "criterion", "指定指标得分高者优先"
    LOWER_ASK = "lower_ask", "申请金额低者优先"
    CHAIR = "chair", "评审组长投票"
    LOT = "lot", "公开抽签"


class AssignFloor(Named):
    """Which reviews of a bid must reach the highest threshold that all bids can reach at once."""

    MAJORITY = "majority", "多数席位达到共同下限"
    ALL = "all", "全部席位达到共同下限"
    NONE = "none", "不设下限"


class Official(Named):
    """Which arithmetic of the ballots is the official score."""

    TRIMMED = "trimmed", "去极值平均分"
    CALIBRATED = "calibrated", "扣除专家宽严后的去极值平均分"


class DrawMode(Named):
    """How chance falls when experts and the order of defence are drawn (docs/adr/0017)."""

    SIMPLE = "simple", "简易（先公布，再按公共随机源抽取）"
    COMMIT_REVEAL = "commit-reveal", "多方承诺（三方以上，加公共随机源）"


class Anchor(Part):
    """What a mark means, in words."""

    at: Percent = Field(title="得分率", description="Per cent of the criterion's weight.")
    means: Text = Field(title="描述", description="What a bid at this level looks like.")


class Criterion(Part):
    """评分指标."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    weight: Points = Field(title="权重", description="Points out of 100.")
    scorer: Scorer = Field(default=Scorer.EXPERT, title="评分人", description="Who marks it.")
    note: Prose = Field(default="", title="评分说明", description="What to look for.")
    anchors: tuple[Anchor, ...] = Field(default=(), title="分档描述", description="Levels in words.")


class Sheet(Part):
    """评分表: weights add up to 100."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    criteria: tuple[Criterion, ...] = Field(title="指标", description="In order.", min_length=1)


class ReviewStage(Part):
    """评审环节."""

    kind: StageKind = Field(title="方式", description="Documents or oral.")
    weight: Percent = Field(title="权重", description="Share of the expert score.")
    pitch_minutes: Count = Field(default=0, title="陈述（分钟）", description="Oral only.")
    question_minutes: Count = Field(default=0, title="问答（分钟）", description="Oral only.")


class Panel(Part):
    """评审小组."""

    size: Positive = Field(title="人数", description="Experts who score each bid.")
    finance: Count = Field(default=0, title="财务专家", description="Of whom finance experts at least.")
    field: Count = Field(default=0, title="行业专家", description="Of whom field professionals at least.")
    agency_seats: Count = Field(default=0, title="主办方席位", description="Seats of the agency at most.")
    residents: Count = Field(default=0, title="居民代表", description="Residents who score beside the experts.")
    min_ballots: Positive = Field(title="最少有效票", description="Fewer valid ballots give no result; the alternate is called.")
    conflict_years: Positive = Field(
        default=3, title="回避回溯（年）", description="Look-back of the conflict declaration (政府采购法实施条例§9)."
    )
    conflict_edges: Positive | None = Field(
        default=None, title="回避路径（步）", description="Steps at most from an expert to a bidder; absent = 2.", le=3
    )
    blind: Flag = Field(default=True, title="独立评分", description="Experts do not see each other's marks before sealing.")
    draw: DrawMode = Field(
        default=DrawMode.SIMPLE, title="抽取方式", description="Announced, then a public beacon; or three parties' commitments and a public beacon."
    )


class Assigning(Part):
    """分派办法: how experts are assigned to bids. Conflicts, seats and loads hold in any case."""

    floor: AssignFloor = Field(
        default=AssignFloor.MAJORITY, title="契合度下限", description="Which seats must reach the common floor."
    )
    even: Flag = Field(default=True, title="份数均衡", description="Loads as equal as possible before anything else.")
    fair: Percent = Field(
        default=ZERO,
        title="照顾最差申报（%）",
        description="Share of the total affinity that may be lost for the worst bid; more than 50 counts as 50.",
    )
    drawn: Flag = Field(
        default=False, title="公开抽取", description="Shortlist twice the experts, then draw half of them in public."
    )
    one_per_organisation: Flag = Field(
        default=True, title="同一单位只评一位", description="Two experts of one employer never review the same bid."
    )


class HideUntil(Named):
    """When reviewers learn who bids."""

    LOCKED = "locked", "评分锁定"
    CONCLUDED = "concluded", "出具评审报告"


class Hiding(Part):
    """隐名评审: while they score, reviewers do not learn who bids; files are shown as redacted copies only."""

    until: HideUntil = Field(default=HideUntil.CONCLUDED, title="隐名至", description="When reviewers learn who bids.")


class SecondBallot(Part):
    """讨论后再次评分: once every ballot is in, the panel discusses, and whoever changes their mind gives a second ballot with a reason."""

    hours: Count = Field(
        default=1,
        title="至少开放(小时)",
        description="Hours at least between the opening of the discussion and the lock.",
        le=720,
    )


class TrimTier(Part):
    """票数分档: where a bid has more valid ballots, this many are dropped instead."""

    from_ballots: Positive = Field(title="适用票数", description="From this number of valid ballots on.")
    high: Count = Field(title="去掉最高分", description="Ballots dropped at the top.")
    low: Count = Field(title="去掉最低分", description="Ballots dropped at the bottom.")


class Trim(Part):
    """去掉最高分和最低分: whole ballots are dropped, not single criteria."""

    high: Count = Field(default=0, title="去掉最高分", description="Ballots dropped at the top.")
    low: Count = Field(default=0, title="去掉最低分", description="Ballots dropped at the bottom.")
    from_ballots: Positive = Field(default=5, title="适用票数", description="Trim only from this number of valid ballots.")
    tiers: Annotated[tuple[TrimTier, ...] | None, AfterValidator(lambda rows: rows or None)] = Field(
        default=None, title="票数分档", description="Steps for more ballots, e.g. two and two from nine; absent: one step."
    )


class TieRule(Part):
    """One step of the tie rule."""

    by: TieBy = Field(title="依据", description="What decides.")
    criterion: Code | None = Field(default=None, title="指标", description="Which criterion, when it decides.")


class Mix(Part):
    """总分构成: whose opinion counts how much; adds up to 100."""

    experts: Percent = Field(default=Decimal("100.00"), title="专家", description="Weight of the panel.")
    residents: Percent = Field(default=ZERO, title="居民代表", description="Weight of residents.")
    pledges: Percent = Field(default=ZERO, title="定向认捐", description="Weight of pledges already made.")
    public_vote: Percent = Field(default=ZERO, title="公众投票", description="Weight of the public vote.")


class Bonus(Part):
    """加分项: points on top of the score, entered once by the organiser (e.g. money raised, a special topic)."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    cap: Points = Field(title="最高加分", description="Points at most.")


class SiteCheck(Part):
    """现场核查: points given on site, inside one criterion."""

    criterion: Code = Field(title="所属指标", description="The criterion that contains the points.")
    points: Points = Field(title="分值", description="Points given on site, at most the criterion's weight.")


class ReviewRules(Part):
    """Everything about review; published before anyone bids."""

    finance_review: Flag = Field(default=False, title="财务预算审核", description="A separate finance check before the panel.")
    optimisation: Flag = Field(
        default=False, title="项目优化", description="Coaching after shortlisting; people, goal and core service stay."
    )
    stages: tuple[ReviewStage, ...] = Field(title="评审环节", description="Weights add up to 100.", min_length=1)
    site_check: SiteCheck | None = Field(default=None, title="现场核查", description="Points given on site.")
    sheets: tuple[Sheet, ...] = Field(title="评分表", description="One, or one for each track.", min_length=1)
    panel: Panel = Field(title="评审小组", description="Size and mix.")
    trim: Trim = Field(default=Trim(high=0, low=0, from_ballots=5), title="去极值", description="Trimming of ballots.")
    official: Official = Field(
        default=Official.TRIMMED, title="正式得分", description="Fixed before opening; the other one is for information only."
    )
    decimals: Count = Field(default=2, title="小数位", description="Digits kept, half up.", le=4)
    pass_line: Points = Field(title="及格线", description="Below it nothing is funded, even if money remains.")
    ties: tuple[TieRule, ...] = Field(title="同分规则", description="In order; the last one must always decide.", min_length=1)
    mix: Mix = Field(default=Mix(), title="总分构成", description="Whose opinion counts how much.")
    assigning: Assigning | None = Field(
        default=None, title="分派办法", description="How experts are assigned; empty: majority floor, even loads, no draw."
    )
    bonuses: tuple[Bonus, ...] = Field(
        default=(), title="加分项", description="Points beyond 100; every bid gets a figure, 0 too."
    )
    hiding: Hiding | None = Field(
        default=None,
        title="隐名评审",
        description="Reviewers do not learn who bids; empty: they do. Independent of `panel.blind`.",
    )
    second_ballot: SecondBallot | None = Field(
        default=None,
        title="讨论后再次评分",
        description="A second ballot after the discussion counts, the first is kept; empty: one ballot only.",
    )
    deviation_alarm: Percent = Field(
        default=Decimal("20.00"), title="偏离提醒", description="A ballot this far from the panel's mean needs a written reason."
    )
