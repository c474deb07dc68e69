"""资金: where the money comes from, how the pool is split, and how much one project may have."""

from __future__ import annotations

from pydantic import Field

from grants.calls.rulebook.parts.base import Code, Day, Flag, Named, Part, Percent, Positive, Prose, Text, Yuan
from grants.calls.rulebook.parts.eligibility import EntityKind
from grants.money import ZERO


class SourceKind(Named):
    """Kinds of money, each with its own rules."""

    LOTTERY = "lottery", "福利彩票公益金"
    FISCAL = "fiscal", "财政资金"
    FOUNDATION = "foundation", "基金会"
    ENTERPRISE = "enterprise", "企业认购"
    CROWDFUNDING = "crowdfunding", "网络众筹"


class YearEnd(Named):
    """What happens to money of a source that is not spent by its day."""

    CARRY = "carry", "结转下年使用"
    RETURN = "return", "收回财政或出资方"


class Rollover(Named):
    """Where an unfilled sub-quota goes."""

    OTHERS = "others", "调剂给其他领域"
    NEXT_YEAR = "next_year", "只结转下一年度同一征集"
    RETURN = "return", "不调剂，退回资金池"


class Claim(Part):
    """认购: how a donor may claim a project."""

    minimum: Yuan = Field(title="认购起点", description="Smallest claim, 元.")
    naming_share: Percent = Field(title="冠名比例", description="Share of a project's cost from which the donor may name it.")


class Matching(Part):
    """配捐: how a source tops up what a project raises itself."""

    ratio: Percent = Field(title="配捐比例", description="Per cent of what was raised; 100 = one to one.")
    cap: Yuan = Field(title="单个项目配捐上限", description="元 per project.")


class FundSource(Part):
    """One source of money; every yuan paid is booked against exactly one."""

    id: Code = Field(title="编号", description="Short name used by allocations and ledgers.")
    name: Text = Field(title="名称", description="Full name as printed in notices.")
    kind: SourceKind = Field(title="性质", description="Decides logo duty and permitted purposes.")
    amount: Yuan = Field(title="金额", description="元 this source brings into the pool.")
    purposes: tuple[Text, ...] = Field(
        default=(),
        title="允许用途",
        description="Purposes it may serve; for lottery money 扶老、助残、救孤、济困 (彩票管理条例§33).",
    )
    forbids: tuple[Code, ...] = Field(default=(), title="不得列支", description="Budget categories this source may not pay.")
    logo_text: Prose = Field(
        default="", title="标识文字", description="Words that must be shown, e.g. “彩票公益金资助—中国福利彩票”."
    )
    year_end: YearEnd = Field(default=YearEnd.CARRY, title="年末规则", description="What happens to unspent money.")
    spend_by: Day | None = Field(default=None, title="用款截止日", description="Last day (Shanghai) on which it may be spent.")
    claim: Claim | None = Field(default=None, title="认购规则", description="Only for sources that donors direct.")
    matching: Matching | None = Field(
        default=None, title="配捐规则", description="Only for sources that match what projects raise."
    )


class Pool(Part):
    """资金池: total = grants + hosting + evaluation."""

    total: Yuan = Field(title="总额", description="Sum of all sources, 元.")
    grants: Yuan = Field(title="资助金", description="元 for projects.")
    hosting: Yuan = Field(default=ZERO, title="承办服务费", description="元 for the operator.")
    evaluation: Yuan = Field(default=ZERO, title="绩效评估费", description="元 for independent evaluation.")
    hosting_outside: Yuan = Field(
        default=ZERO, title="池外承办费", description="Hosting fee the agency pays separately, outside the pool."
    )


class Category(Part):
    """服务领域: a field of service with its own sub-quota."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As applicants see it.")
    amount: Yuan | None = Field(default=None, title="子额度", description="元 set aside for this field.")
    count: Positive | None = Field(default=None, title="名额", description="Number of projects set aside.")
    reserve_share: Percent | None = Field(default=None, title="保留比例", description="Share of the grants set aside.")
    cap: Yuan | None = Field(default=None, title="单个项目上限", description="Cap in this field when lower than the call's.")
    rollover: Rollover = Field(default=Rollover.OTHERS, title="未用额度", description="Where an unfilled sub-quota goes.")
    purpose: Prose = Field(default="", title="对应用途", description="The source purpose this field serves, e.g. 扶老.")


class Track(Part):
    """赛道: a separate competition for one sort of applicant."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As applicants see it.")
    kinds: tuple[EntityKind, ...] = Field(title="主体类型", description="Entity kinds that compete here.", min_length=1)
    amount: Yuan | None = Field(default=None, title="额度", description="元 set aside for this track.")
    cap: Yuan | None = Field(default=None, title="单个项目上限", description="Cap in this track when lower than the call's.")
    sheet: Code | None = Field(default=None, title="评分表", description="Score sheet of this track; the first sheet if empty.")


class Amounts(Part):
    """How much one project may ask for."""

    cap: Yuan = Field(title="单个项目上限", description="元, absolute.")
    floor: Yuan | None = Field(default=None, title="单个项目下限", description="Smallest grant, 元.")
    cap_share: Percent | None = Field(default=None, title="资助占比上限", description="Grant ÷ whole project budget.")
    match_share: Percent | None = Field(
        default=None, title="配套占比下限", description="Applicant's own match ÷ whole project budget."
    )
    in_kind_share: Percent | None = Field(default=None, title="实物配套占比上限", description="In-kind match ÷ all match.")
    micro: Flag = Field(default=False, title="微创投", description="Light paper: one-page form, receipts instead of reports.")
