"""立项与签约: how ranked bids turn into awards, and what the contract looks like."""

from __future__ import annotations

from pydantic import Field

from grants.calls.rulebook.parts.base import Flag, Named, Part, Points, Positive, Prose, Text, Yuan


class Method(Named):
    """How amounts are decided."""

    RANK = "rank", "按名次足额资助"
    GRADE_BANDS = "grade_bands", "按评分档定额资助"
    REDUCE = "reduce", "按评审建议核减"


class WhenFull(Named):
    """What happens to a bid that no longer fits the money left."""

    SKIP = "skip", "跳过，继续下一名"
    STOP = "stop", "到此为止"


class AmountBand(Part):
    """A score band with a fixed grant."""

    name: Text = Field(title="档次", description="As printed.")
    at_least: Points = Field(title="起始分", description="Lowest score of the band.")
    below: Points | None = Field(default=None, title="上限分", description="First score above the band; empty for the top.")
    amount: Yuan = Field(title="金额", description="元 for each project of the band.")


class Allocation(Part):
    """分配规则; published before anyone bids."""

    method: Method = Field(default=Method.REDUCE, title="方式", description="How amounts are decided.")
    when_full: WhenFull = Field(default=WhenFull.SKIP, title="额度不足时", description="Skip or stop.")
    awards_max: Positive | None = Field(default=None, title="立项数上限", description="Projects at most.")
    bands: tuple[AmountBand, ...] = Field(default=(), title="定额档", description="Only for grade bands.")
    district_cap: Yuan | None = Field(default=None, title="单个街道（区）额度上限", description="元 for organisations of one place at most.")
    grey_band: Points | None = Field(
        default=None, title="灰带（分）", description="Bids this close to the last funded score are equal: a public lot decides among them."
    )
    publish_experts: Flag = Field(default=True, title="公布专家名单", description="With the award notice, never before.")


class Parties(Named):
    """Who signs."""

    TWO = "two", "两方"
    THREE = "three", "三方"


class Clause(Named):
    """Optional clauses of the contract."""

    MATCH = "match", "配套资金"
    LOGO = "logo", "资金来源标识"
    VENUE = "venue", "场地与实物支持"
    INSURANCE = "insurance", "人员与志愿者保险"
    MINORS = "minors", "未成年人保护"
    SENSITIVE_DATA = "sensitive_data", "敏感个人信息"
    NAMING = "naming", "冠名与认购"
    SPONSOR = "sponsor", "挂靠与代管账户"
    JOINT = "joint", "联合体分工"
    TRAINING = "training", "参加培训与督导"
    IP = "ip", "成果与知识产权"


class ContractRules(Part):
    """协议书."""

    number_pattern: Text = Field(title="编号格式", description="With {year} and {no}, e.g. 云民创投〔{year}〕{no}号.")
    parties: Parties = Field(default=Parties.TWO, title="签约方", description="Two, or three with operator or sponsor.")
    third_party: Prose = Field(default="", title="第三方", description="Name of the third party; empty = each bid's own sponsor.")
    clauses: tuple[Clause, ...] = Field(default=(), title="可选条款", description="Clauses added to the fixed ones.")
    copies: Positive = Field(default=4, title="份数", description="Paper copies.")
