"""申报资格: who may bid. Each rule says who checks it: the machine from facts on file, or a clerk with evidence."""

from __future__ import annotations

from pydantic import Field

from grants.calls.rulebook.parts.base import Count, Flag, Named, Part, Percent, Positive, Prose, Text, Yuan
from grants.money import ZERO


class EntityKind(Named):
    """Kinds of applicants seen in real calls; the first three are registered with 民政."""

    ASSOCIATION = "association", "社会团体"
    SERVICE = "service", "民办非企业单位（社会服务机构）"
    FOUNDATION = "foundation", "基金会"
    RECORDED = "recorded", "备案类社区社会组织"
    COMMITTEE = "committee", "居委会"
    TEAM = "team", "居民团队"
    INSTITUTION = "institution", "事业单位/高校"
    ENTERPRISE = "enterprise", "企业"


REGISTERED = frozenset({EntityKind.ASSOCIATION, EntityKind.SERVICE, EntityKind.FOUNDATION})
UNREGISTERED = frozenset({EntityKind.RECORDED, EntityKind.TEAM})
"""Not legal persons: they cannot sign or hold an account, so somebody must sponsor them (挂靠)."""


class Check(Named):
    """Who verifies a rule."""

    MACHINE = "machine", "系统核验"
    CLERK = "clerk", "经办凭证核验"


class Repeat(Named):
    """What having won before means."""

    NEUTRAL = "neutral", "不作限制"
    BARRED = "barred", "上一年度获资助者不得申报"
    PREFERRED = "preferred", "同等条件下优先"


class RegisteredFor(Part):
    """登记满 N 个月."""

    months: Positive = Field(title="登记满（月）", description="Whole months between registration and the day of the check.")
    check: Check = Field(default=Check.MACHINE, title="核验方式", description="Who checks.")


class AnnualChecks(Part):
    """年检: results of the latest years."""

    years: Positive = Field(title="最近年数", description="How many of the latest complete years must have passed.")
    accept: tuple[Text, ...] = Field(default=("合格",), title="认可结论", description="Results that count as passed.")
    check: Check = Field(default=Check.CLERK, title="核验方式", description="Who checks.")


class Assessment(Part):
    """社会组织评估等级."""

    at_least: Positive = Field(title="最低等级", description="1–5; 3 means 3A or better.", le=5)
    check: Check = Field(default=Check.CLERK, title="核验方式", description="Who checks.")


class Credit(Part):
    """信用: how many years back the public lists must be clean (Guangzhou practice: 1 / 2 / 3 years); 0 = only now."""

    abnormal_years: Count = Field(default=1, title="活动异常名录回溯（年）", description="Years since leaving the abnormal list.")
    serious_years: Count = Field(default=2, title="严重违法失信名单回溯（年）", description="Years since leaving the serious list.")
    violation_years: Count = Field(
        default=3, title="重大违法记录回溯（年）", description="Years since a major violation was punished."
    )
    lookup_valid_days: Positive = Field(
        default=30, title="查询有效期（天）", description="A clerk's look-up older than this must be repeated."
    )
    check: Check = Field(default=Check.CLERK, title="核验方式", description="Who checks.")


class Staff(Part):
    """专职人员."""

    full_time: Positive = Field(title="专职人数", description="Full-time staff at least.")
    check: Check = Field(default=Check.CLERK, title="核验方式", description="Who checks.")


class Professionals(Part):
    """持证专业人员 named for the project."""

    at_least: Positive = Field(title="持证人数", description="Named licensed professionals at least.")
    titles: tuple[Text, ...] = Field(title="执业资格", description="Licences that count.", min_length=1)
    supervisors: Count = Field(default=0, title="督导人数", description="Named supervisors at least.")
    check: Check = Field(default=Check.CLERK, title="核验方式", description="Who checks.")


class PastResults(Part):
    """历史履约: what earlier projects mean for this one."""

    barred_grades: tuple[Text, ...] = Field(default=(), title="限制等级", description="Earlier final grades that bar.")
    look_back_years: Positive = Field(
        default=3, title="回溯（年）", description="How many years back grades and terminations count."
    )
    terminated_barred: Flag = Field(default=True, title="被终止者不得申报", description="Whether a terminated project bars.")
    repeat: Repeat = Field(default=Repeat.NEUTRAL, title="重复获资助", description="What last year's award means.")
    check: Check = Field(default=Check.MACHINE, title="核验方式", description="Who checks.")


class Sponsor(Part):
    """挂靠/依托: the registered body that signs and holds the account for a group."""

    kinds: tuple[EntityKind, ...] = Field(title="须挂靠的主体", description="Kinds that need a sponsor.", min_length=1)
    name: Prose = Field(default="", title="指定枢纽组织", description="The only sponsor accepted; empty = any qualified one.")
    fee_share: Percent = Field(default=ZERO, title="管理费比例", description="Share of the grant the sponsor may keep.")
    fee_cap: Yuan | None = Field(default=None, title="管理费上限", description="元 per project.")
    check: Check = Field(default=Check.MACHINE, title="核验方式", description="Who checks.")


class JointBids(Part):
    """联合申报."""

    allowed: Flag = Field(default=False, title="允许联合申报", description="Whether several organisations may bid together.")
    max_members: Positive = Field(default=3, title="成员上限", description="Members at most, the lead included.")


class Eligibility(Part):
    """Who may bid; an absent rule does not apply."""

    kinds: tuple[EntityKind, ...] = Field(title="主体类型", description="Kinds admitted.", min_length=1)
    legal_person: Flag = Field(default=True, title="须为法人", description="Legal person required unless a sponsor signs.")
    district: Prose = Field(default="", title="登记地", description="Where the applicant must be registered; empty = anywhere.")
    cross_district: Flag = Field(
        default=False, title="允许跨区申报", description="Whether bidders registered elsewhere are welcome."
    )
    within_charter: Flag = Field(
        default=True, title="符合业务范围", description="The project must fit the charter; a clerk checks."
    )
    no_double_funding: Flag = Field(
        default=True, title="不得重复资助", description="Same project not funded elsewhere; a clerk checks."
    )
    registered: RegisteredFor | None = Field(default=None, title="登记年限", description="Time since registration.")
    annual_checks: AnnualChecks | None = Field(default=None, title="年检", description="Annual check results.")
    assessment: Assessment | None = Field(default=None, title="评估等级", description="Assessment grade.")
    credit: Credit | None = Field(default=None, title="信用记录", description="Look-back on public lists.")
    staff: Staff | None = Field(default=None, title="专职人员", description="Full-time staff.")
    professionals: Professionals | None = Field(default=None, title="专业人员", description="Licensed professionals.")
    past: PastResults | None = Field(default=None, title="历史履约", description="Earlier results.")
    sponsor: Sponsor | None = Field(default=None, title="挂靠", description="Sponsor of unregistered groups.")
    joint: JointBids = Field(default=JointBids(allowed=False, max_members=3), title="联合申报", description="Joint bids.")
    minimum_adults: Count = Field(default=0, title="成年成员", description="Adults a team needs at least; 0 = no rule.")
    bids_per_organisation: Positive = Field(default=1, title="每家申报数", description="Bids of one organisation at most.")
    awards_per_organisation: Positive = Field(default=1, title="每家立项数", description="Awards of one organisation at most.")
