"""资格审查: the facts known about an applicant against the eligibility rules of a call.

Every rule answers with a `Finding`: pass, fail, or needs a clerk. A rule a clerk must check never passes on declared facts alone:
it passes when the clerk has recorded evidence, and fails at once when the declared facts already break it. Days are Shanghai dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from grants.calls.rulebook.parts.eligibility import UNREGISTERED, Check, Eligibility, EntityKind, Repeat
from grants.calls.rulebook.parts.timetable import months_after

__all__ = [
    "EntityKind",
    "Facts",
    "Finding",
    "Listing",
    "Outcome",
    "PastProject",
    "SponsorFacts",
    "assess",
    "clean_since",
    "outcome_of",
]


class Outcome(StrEnum):
    """What a rule says about an applicant."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    NEEDS_CLERK = "needs_clerk"


@dataclass(frozen=True)
class Finding:
    """One rule's answer: its code, the outcome, a Chinese sentence, and what to do when it is not a pass."""

    rule: str
    outcome: Outcome
    sentence: str
    way_out: str = ""


@dataclass(frozen=True)
class Listing:
    """One stay on a public list; `until` None means still listed. For a violation, `until` is the day of the penalty."""

    since: date
    until: date | None


@dataclass(frozen=True)
class PastProject:
    """An earlier award: the year it was awarded, its final grade if any, when it ended or was terminated."""

    year: int
    grade: str = ""
    decided_on: date | None = None
    terminated: bool = False


@dataclass(frozen=True)
class SponsorFacts:
    """The sponsor of an unregistered group and the days its agreement covers."""

    name: str
    legal_person: bool
    valid_from: date
    valid_until: date


@dataclass(frozen=True)
class Facts:
    """What is known about an applicant on a day; unknown facts are None or empty and never pass by themselves."""

    kind: EntityKind
    legal_person: bool
    registered_on: date | None = None
    annual_checks: Mapping[int, str] = field(default_factory=dict)
    assessment: int | None = None
    abnormal: tuple[Listing, ...] = ()
    serious: tuple[Listing, ...] = ()
    violations: tuple[Listing, ...] = ()
    credit_looked_up_on: date | None = None
    full_time_staff: int | None = None
    professionals: Mapping[str, int] = field(default_factory=dict)
    supervisors: int = 0
    adults: int | None = None
    district: str = ""
    members: int = 1
    sponsor: SponsorFacts | None = None
    other_bids: int = 0
    other_awards: int = 0
    past: tuple[PastProject, ...] = ()
    barred_until: date | None = None
    runs_this_call: bool = False
    clerk: Mapping[str, bool] = field(default_factory=dict)
    """What a clerk recorded with evidence: rule code → whether it is met."""


Answer = Iterator[Finding]
RuleCheck = Callable[[Facts, Eligibility, date], Answer]


def assess(facts: Facts, rules: Eligibility, *, on: date) -> tuple[Finding, ...]:
    """Every applicable rule's finding on the day `on` (Shanghai), in a fixed order; a rule that the call lacks gives none."""
    return tuple(finding for check in CHECKS for finding in check(facts, rules, on))


def outcome_of(findings: tuple[Finding, ...]) -> Outcome:
    """The worst outcome: one failure fails, one open question keeps the whole open."""
    outcomes = {finding.outcome for finding in findings}
    return next((each for each in (Outcome.FAIL, Outcome.NEEDS_CLERK) if each in outcomes), Outcome.PASS)


def _decide(rule: str, met: bool | None, sentence: str, way_out: str, *, check: Check, facts: Facts) -> Finding:
    """The finding of a rule whose declared facts say `met` (None: unknown); a clerk's recorded evidence settles an open rule."""
    if met is False:
        return Finding(rule, Outcome.FAIL, sentence, way_out)
    if met and check is Check.MACHINE:
        return Finding(rule, Outcome.PASS, sentence)
    if rule in facts.clerk:
        kept = facts.clerk[rule]
        return Finding(rule, Outcome.PASS if kept else Outcome.FAIL, f"{sentence}（经办已核验凭证）", "" if kept else way_out)
    return Finding(rule, Outcome.NEEDS_CLERK, f"{sentence}（待经办核验凭证）", "由经办人员核对凭证后记录结论")


def _kind(facts: Facts, rules: Eligibility, on: date) -> Answer:
    admitted = "、".join(kind.zh for kind in rules.kinds)
    met = facts.kind in rules.kinds
    sentence = f"申报主体为{facts.kind.zh}，本征集接纳：{admitted}"
    yield _decide("kind", met, sentence, "由符合条件的单位申报，或联合其申报", check=Check.MACHINE, facts=facts)


def _body(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if rules.legal_person and not facts.legal_person:
        needs = rules.sponsor is not None and facts.kind in rules.sponsor.kinds
        sentence = "非法人主体由挂靠单位签约" if needs else "申报单位须为独立法人"
        yield _decide("legal_person", needs, sentence, "先登记，或由登记单位申报", check=Check.MACHINE, facts=facts)


def _sponsored(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule, given = rules.sponsor, facts.sponsor
    if rule is None or facts.kind not in rule.kinds:
        return
    wanted = rule.name or "一家登记的枢纽组织"
    met = (
        given is not None and given.legal_person and given.valid_from <= on <= given.valid_until and rule.name in ("", given.name)
    )
    sentence = f"{facts.kind.zh}须由{wanted}挂靠，且挂靠协议在有效期内"
    yield _decide("sponsor", met, sentence, f"与{wanted}签订挂靠协议并上传", check=rule.check, facts=facts)


def _registered(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule = rules.registered
    if rule is None or facts.kind in UNREGISTERED:
        return
    met = None if facts.registered_on is None else months_after(facts.registered_on, rule.months) <= on
    sentence = f"登记须满 {rule.months} 个月，登记日期 {facts.registered_on or '未填写'}"
    yield _decide("registered", met, sentence, "登记满期后再申报，或补填登记日期", check=rule.check, facts=facts)


def _annual(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule = rules.annual_checks
    if rule is None or facts.kind in UNREGISTERED:
        return
    years = range(on.year - rule.years, on.year)
    results = [facts.annual_checks.get(year) for year in years if facts.registered_on is None or year >= facts.registered_on.year]
    bad = any(result is not None and result not in rule.accept for result in results)
    met = False if bad else None if None in results else True
    sentence = (
        f"最近 {rule.years} 年年检须为{'或'.join(rule.accept)}，现为 {'、'.join(r or '未填写' for r in results) or '尚无年检'}"
    )
    yield _decide("annual_checks", met, sentence, "补交年检结论；未通过的须整改后再申报", check=rule.check, facts=facts)


def _graded(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule = rules.assessment
    if rule is not None and facts.kind not in UNREGISTERED:
        met = None if facts.assessment is None else facts.assessment >= rule.at_least
        sentence = f"社会组织评估等级须达 {rule.at_least}A，现为 {f'{facts.assessment}A' if facts.assessment else '未填写'}"
        yield _decide("assessment", met, sentence, "取得相应等级后再申报", check=rule.check, facts=facts)


def clean_since(listings: tuple[Listing, ...], years: int, on: date) -> bool:
    """Whether no stay reaches into the `years` before `on`; a stay that ended exactly that long ago no longer counts."""
    cutoff = months_after(on, -12 * years)
    return all(stay.since > on or (stay.until is not None and stay.until <= cutoff) for stay in listings)


def _credit(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule = rules.credit
    if rule is None:
        return
    looked = facts.credit_looked_up_on
    fresh = looked is not None and timedelta(0) <= on - looked <= timedelta(days=rule.lookup_valid_days)
    lists = (
        ("abnormal", "活动异常名录", facts.abnormal, rule.abnormal_years),
        ("serious", "严重违法失信名单", facts.serious, rule.serious_years),
        ("violation", "重大违法记录", facts.violations, rule.violation_years),
    )
    for code, noun, listings, years in lists:
        rule_code, sentence = f"credit_{code}", f"近 {years} 年内不得有{noun}，查询日期 {looked or '尚未查询'}"
        if not clean_since(listings, years, on) or facts.clerk.get(rule_code) is False:
            yield Finding(rule_code, Outcome.FAIL, sentence, "移出名单满期后再申报")
        elif fresh or rule.check is Check.MACHINE:
            yield Finding(rule_code, Outcome.PASS, sentence)
        else:  # evidence of an old look-up settles nothing: the list may have changed since
            yield Finding(rule_code, Outcome.NEEDS_CLERK, sentence, f"由经办重新查询；查询结果 {rule.lookup_valid_days} 天内有效")


def _staffed(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule = rules.staff
    if rule is not None and facts.kind not in UNREGISTERED:
        met = None if facts.full_time_staff is None else facts.full_time_staff >= rule.full_time
        sentence = (
            f"专职人员不少于 {rule.full_time} 人，填报 {facts.full_time_staff if facts.full_time_staff is not None else '未填写'}"
        )
        yield _decide("staff", met, sentence, "补充专职人员与社保证明", check=rule.check, facts=facts)


def _professional(facts: Facts, rules: Eligibility, on: date) -> Answer:
    rule = rules.professionals
    if rule is None:
        return
    number = sum(count for title, count in facts.professionals.items() if title in rule.titles)
    met = number >= rule.at_least and facts.supervisors >= rule.supervisors
    wanted = f"{'、'.join(rule.titles)}不少于 {rule.at_least} 人、督导不少于 {rule.supervisors} 人"
    sentence = f"项目须有{wanted}，填报 {number} 人、{facts.supervisors} 人"
    yield _decide("professionals", met, sentence, "补充持证人员和督导的姓名与证书", check=rule.check, facts=facts)


def _adult(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if rules.minimum_adults and facts.kind in UNREGISTERED:
        met = None if facts.adults is None else facts.adults >= rules.minimum_adults
        sentence = f"团队成年成员不少于 {rules.minimum_adults} 人，填报 {facts.adults if facts.adults is not None else '未填写'}"
        yield _decide("adults", met, sentence, "补充成年成员后再申报", check=Check.MACHINE, facts=facts)


def _placed(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if rules.district and not rules.cross_district:
        met = None if not facts.district else facts.district == rules.district
        sentence = f"须在{rules.district}登记或备案，现为 {facts.district or '未填写'}"
        yield _decide("district", met, sentence, "与当地单位合作，由其申报", check=Check.MACHINE, facts=facts)


def _joined(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if facts.members > 1:
        met = rules.joint.allowed and facts.members <= rules.joint.max_members
        said = f"最多 {rules.joint.max_members} 家联合申报" if rules.joint.allowed else "不接受联合申报"
        yield _decide(
            "joint", met, f"本征集{said}，现为 {facts.members} 家", "减少成员或单独申报", check=Check.MACHINE, facts=facts
        )


def _counted(facts: Facts, rules: Eligibility, on: date) -> Answer:
    most, awards = rules.bids_per_organisation, rules.awards_per_organisation
    sentence = f"每家最多申报 {most} 个项目，已有 {facts.other_bids} 个"
    yield _decide("bids", facts.other_bids < most, sentence, "撤回另一份申报后再提交", check=Check.MACHINE, facts=facts)
    sentence = f"每家最多立项 {awards} 个，已立项 {facts.other_awards} 个"
    yield _decide("awards", facts.other_awards < awards, sentence, "本次不再立项", check=Check.MACHINE, facts=facts)


def _history(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if facts.barred_until is not None:
        sentence = f"被限制申报至 {facts.barred_until}"
        yield _decide("barred", on > facts.barred_until, sentence, "限制期满后再申报", check=Check.MACHINE, facts=facts)
    rule = rules.past
    if rule is None:
        return
    start = months_after(on, -12 * rule.look_back_years)
    recent = [project for project in facts.past if project.decided_on is None or start < project.decided_on <= on]
    bad = [p for p in recent if p.grade in rule.barred_grades or (p.terminated and rule.terminated_barred)]
    said = "、".join(f"{p.year} 年{'被终止' if p.terminated else p.grade}" for p in bad) or "无"
    sentence = f"近 {rule.look_back_years} 年履约不良记录：{said}"
    yield _decide("past", not bad, sentence, "回溯期满后再申报", check=rule.check, facts=facts)
    if rule.repeat is Repeat.BARRED:
        won = any(project.year == on.year - 1 for project in facts.past)
        yield _decide("repeat", not won, "上一年度获资助者本年度不得申报", "下一年度再申报", check=rule.check, facts=facts)


def _clerk_only(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if rules.within_charter:
        sentence = "项目须符合章程载明的业务范围"
        yield _decide("charter", None, sentence, "调整项目内容或变更章程", check=Check.CLERK, facts=facts)
    if rules.no_double_funding:
        sentence = "同一项目不得已获其他财政或公益资金资助"
        yield _decide("double_funding", None, sentence, "申报不同的项目或内容", check=Check.CLERK, facts=facts)


def _host(facts: Facts, rules: Eligibility, on: date) -> Answer:
    if facts.runs_this_call:
        sentence = "承办、评估、审计本征集的单位及其关联单位不得申报（政府采购法实施条例第十八条）"
        yield _decide("host", False, sentence, "回避本征集", check=Check.MACHINE, facts=facts)


CHECKS: Final[tuple[RuleCheck, ...]] = (
    _kind, _body, _sponsored, _registered, _annual, _graded, _credit, _staffed, _professional,
    _adult, _placed, _joined, _counted, _history, _clerk_only, _host,
)  # fmt: skip
"""Every rule, in the order in which findings are shown."""
