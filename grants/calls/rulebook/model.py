"""CallRules: everything that differs between one call and the next, as one frozen value.

Two calls with equal values have equal canonical bytes and so the same `rules_hash`, whichever way the values were written down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from grants.calls.rulebook.legal import LegalBasis, Limits, limits_of
from grants.calls.rulebook.parts.award import Allocation, ContractRules
from grants.calls.rulebook.parts.base import Code, Count, Named, Part, Positive, Prose, Text, Yuan
from grants.calls.rulebook.parts.budget import BudgetRules
from grants.calls.rulebook.parts.eligibility import Eligibility
from grants.calls.rulebook.parts.evaluation import EvaluationRules, Retention
from grants.calls.rulebook.parts.form import Attachment, Forms, Outcomes
from grants.calls.rulebook.parts.funding import FundingRules
from grants.calls.rulebook.parts.money import Amounts, Category, FundSource, Pool, Track
from grants.calls.rulebook.parts.review import ReviewRules, Sheet
from grants.calls.rulebook.parts.timetable import Timetable

CallCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,11}(-[A-Z0-9]{1,12}){0,4}$")]
Version = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$")]


class Title(Part):
    """The call's name."""

    zh: Text = Field(title="中文名称", description="As printed.")
    en: Prose = Field(default="", title="英文名称", description="For English pages.")


class Agency(Part):
    """主办方 and 承办方 as they are named in the notice."""

    name: Text = Field(title="主办方", description="Who issues the call and pays.")
    operator: Prose = Field(default="", title="承办方", description="Who runs it, if anybody.")
    contact: Prose = Field(default="", title="咨询方式", description="Office telephone or address; no personal data.")


class NeedsMode(Named):
    """Whether a bid must answer a published need."""

    FREE = "free", "自由申报"
    ONLY_LIST = "only_list", "只接受需求指引表内的项目"


class ListedNeed(Part):
    """需求指引表 item."""

    code: Code = Field(title="编号", description="Short name.")
    title: Text = Field(title="需求", description="What is needed.")
    place: Prose = Field(default="", title="地点", description="Community or venue.")
    text: Prose = Field(default="", title="说明", description="For whom, how many, why.")
    cap: Yuan | None = Field(default=None, title="金额上限", description="元, when lower than the call's.")


class Needs(Part):
    """需求: the list and how strictly it binds."""

    mode: NeedsMode = Field(default=NeedsMode.FREE, title="方式", description="Free, or only from the list.")
    items: tuple[ListedNeed, ...] = Field(default=(), title="需求指引表", description="Published needs.")


class InKindKind(Named):
    """Support that is not money."""

    VENUE = "venue", "场地"
    MENTOR = "mentor", "导师"
    EQUIPMENT = "equipment", "设备"


class InKind(Part):
    """场地与实物支持 catalogue entry."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    kind: InKindKind = Field(title="类型", description="Venue, mentor or equipment.")
    quantity: Positive = Field(title="数量", description="Rooms, mentors, pieces.")
    hours_total: Count = Field(default=0, title="总时数", description="Hours that can be given altogether; 0 = not counted.")
    hours_per_project: Count = Field(default=0, title="每项目时数", description="Hours one project may book; 0 = not limited.")
    value_per_hour: Yuan | None = Field(default=None, title="每小时折价", description="元 per hour when valued as match.")


class Sealing(Named):
    """Whether bids are encrypted until opening."""

    UNSEALED = "unsealed", "不密封"
    SEALED = "sealed", "密封至开标"


class CallRules(Part):
    """The rules of one call: typed, frozen, versioned."""

    model_config = ConfigDict(title="CallRules")

    schema_id: Literal["call/1"] = Field(alias="schema", title="格式版本", description="Always call/1.")
    code: CallCode = Field(title="征集编号", description="Stable identifier, e.g. YX-2026-01.")
    version: Version = Field(title="规则版本", description="patch = wording, minor = addendum, major = a new call.")
    legal_basis: LegalBasis = Field(title="法律依据", description="Picks default time limits and the appeal route.")
    title: Title = Field(title="名称", description="The call's name.")
    summary: Prose = Field(default="", title="简介", description="A paragraph for the public page.")
    agency: Agency = Field(title="主办与承办", description="Who issues and runs it.")
    timetable: Timetable = Field(title="时间安排", description="When things happen.")
    pool: Pool = Field(title="资金池", description="How the money is split.")
    sources: tuple[FundSource, ...] = Field(title="资金来源", description="Where the money comes from.", min_length=1)
    categories: tuple[Category, ...] = Field(title="服务领域", description="Fields of service.", min_length=1)
    tracks: tuple[Track, ...] = Field(default=(), title="赛道", description="Separate competitions; empty = one.")
    amounts: Amounts = Field(title="资助额度", description="What one project may ask for.")
    eligibility: Eligibility = Field(title="申报资格", description="Who may bid.")
    needs: Needs = Field(default=Needs(), title="需求", description="Needs list.")
    in_kind: tuple[InKind, ...] = Field(default=(), title="场地与实物支持", description="What is offered besides money.")
    budget: BudgetRules = Field(title="预算", description="Categories and caps.")
    forms: Forms = Field(title="表单", description="Application and reports.")
    outcomes: Outcomes = Field(title="成效", description="Indicators and beneficiaries.")
    attachments: tuple[Attachment, ...] = Field(default=(), title="附件", description="Files asked for.")
    review: ReviewRules = Field(title="评审", description="How bids are judged.")
    allocation: Allocation = Field(default=Allocation(), title="立项", description="How money is given out.")
    contract: ContractRules = Field(title="协议", description="The contract.")
    funding: FundingRules = Field(title="拨付", description="How money is paid.")
    evaluation: EvaluationRules = Field(title="评估与结项", description="How projects are judged and closed.")
    retention: Retention = Field(title="档案保管", description="How long the record is kept.")
    legal_notes: tuple[Text, ...] = Field(default=(), title="法律提示", description="Sentences printed in the notice.")
    sealing: Sealing = Field(default=Sealing.UNSEALED, title="密封", description="Whether bids are sealed until opening.")

    @model_validator(mode="before")
    @classmethod
    def _fill_limits(cls, data: Any) -> Any:
        """Complete the timetable from the legal basis, before anything is hashed."""
        return with_defaults(data) if isinstance(data, Mapping) else data

    @property
    def limits(self) -> Limits:
        """The time limits that the legal basis brings."""
        return limits_of(self.legal_basis)

    @property
    def rules_hash(self) -> str:
        """SHA-256 (hex) of the canonical bytes; this is what publishing writes into the ledger."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def plain(self) -> dict[str, Any]:
        """The value as JSON types, money and shares as text, absent options left out; fit for a JSONField."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def canonical(self) -> bytes:
        """Canonical JSON: UTF-8, keys sorted, no spaces; equal values give equal bytes."""
        return json.dumps(self.plain(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def sheet_for(self, track: str | None = None) -> Sheet:
        """The score sheet of a track, or the first one; raises KeyError for a track that is not in the call."""
        wanted = {each.code: each.sheet for each in self.tracks}[track] if track else None
        return next((sheet for sheet in self.review.sheets if sheet.code == wanted), self.review.sheets[0])


def with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` completed with the periods and retention of its legal basis; the input is not changed."""
    limits = limits_of(next((basis for basis in LegalBasis if basis == data.get("legal_basis")), LegalBasis.GRANT))
    filled = dict(data)
    if isinstance(data.get("timetable"), Mapping):
        filled["timetable"] = {**limits.defaults(), **data["timetable"]}
    if isinstance(data.get("retention", {}), Mapping):
        filled["retention"] = {"file_years": limits.file_years, **data.get("retention", {})}
    return filled
