"""Contradictions of who may bid, and with what."""

from __future__ import annotations

from collections.abc import Iterator

from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, warning
from grants.calls.rulebook.model import CallRules, InKindKind, NeedsMode
from grants.calls.rulebook.parts.award import Parties
from grants.calls.rulebook.parts.eligibility import REGISTERED, UNREGISTERED, EntityKind
from grants.money import yuan
from grants.sentences import marked as _


def _named(kinds: set[EntityKind] | frozenset[EntityKind]) -> str:
    return "、".join(kind.zh for kind in EntityKind if kind in kinds)


@contradiction("L040", _("接纳未登记主体却没有挂靠"))
def unregistered_without_sponsor(rules: CallRules, world: World) -> Iterator[Flaw]:
    sponsored = set(rules.eligibility.sponsor.kinds) if rules.eligibility.sponsor else set()
    alone = (UNREGISTERED & set(rules.eligibility.kinds)) - sponsored
    if alone:
        message = f"{_named(alone)}不是法人，不能签约和开户，却没有要求挂靠"
        yield error("eligibility.sponsor", message, "增加 [eligibility.sponsor] 并列入这些主体，或不接纳它们")


@contradiction("L041", _("赛道主体与申报资格不一致"))
def tracks_miss_kinds(rules: CallRules, world: World) -> Iterator[Flaw]:
    admitted = set(rules.eligibility.kinds)
    for track in rules.tracks:
        if extra := set(track.kinds) - admitted:
            yield error(f"tracks[{track.code}].kinds", f"赛道接纳 {_named(extra)}，而申报资格不接纳", "两处改为一致")
    placed = {kind for track in rules.tracks for kind in track.kinds}
    if rules.tracks and (lost := admitted - placed):
        yield error("tracks", f"{_named(lost)}有资格申报，却没有赛道可进", "为其安排赛道，或从申报资格中删去")


@contradiction("L042", _("资格条件与主体类型不合"))
def rule_without_subject(rules: CallRules, world: World) -> Iterator[Flaw]:
    eligibility, kinds = rules.eligibility, set(rules.eligibility.kinds)
    if not kinds & REGISTERED:
        for name in ("registered", "annual_checks", "assessment"):
            if getattr(eligibility, name) is not None:
                yield error(f"eligibility.{name}", "只接纳未在民政登记的主体，此条件无从核验", "删去此条件，或接纳已登记主体")
    if eligibility.minimum_adults and not kinds & UNREGISTERED:
        yield warning("eligibility.minimum_adults", "只接纳登记单位，成年成员数没有适用对象", "删去此条件")
    if eligibility.sponsor and (extra := set(eligibility.sponsor.kinds) - kinds):
        yield error("eligibility.sponsor.kinds", f"要求 {_named(extra)} 挂靠，却不接纳其申报", "两处改为一致")


@contradiction("L043", _("每家立项数多于申报数"))
def more_awards_than_bids(rules: CallRules, world: World) -> Iterator[Flaw]:
    eligibility = rules.eligibility
    if eligibility.awards_per_organisation > eligibility.bids_per_organisation:
        message = f"每家最多申报 {eligibility.bids_per_organisation} 个，却允许立项 {eligibility.awards_per_organisation} 个"
        yield error("eligibility.awards_per_organisation", message, f"改为不超过 {eligibility.bids_per_organisation}")


@contradiction("L044", _("只接受需求却没有需求"))
def needs_only_without_needs(rules: CallRules, world: World) -> Iterator[Flaw]:
    if rules.needs.mode is NeedsMode.ONLY_LIST and not rules.needs.items:
        yield error("needs.items", "只接受需求指引表内的项目，而指引表是空的", "填写需求，或改为自由申报")


@contradiction("L045", _("需求金额高于上限"))
def need_over_cap(rules: CallRules, world: World) -> Iterator[Flaw]:
    for need in rules.needs.items:
        if need.cap is not None and need.cap > rules.amounts.cap:
            yield error(
                f"needs.items[{need.code}].cap",
                f"需求上限 {yuan(need.cap)} 高于单个项目上限 {yuan(rules.amounts.cap)}",
                "需求上限只能更低",
            )


@contradiction("L046", _("限制等级不存在"))
def barred_grade_unknown(rules: CallRules, world: World) -> Iterator[Flaw]:
    sheets = [sheet for sheet in (rules.evaluation.midterm, rules.evaluation.final) if sheet is not None]
    known = {band.name for sheet in sheets for band in sheet.bands}
    barred = rules.eligibility.past.barred_grades if rules.eligibility.past else ()
    for grade in [grade for grade in barred if known and grade not in known]:
        message = f"限制等级“{grade}”不是本征集评估表中的等级"
        yield warning("eligibility.past.barred_grades", message, f"如指往年等级可保留，否则改为 {'、'.join(sorted(known))} 之一")


@contradiction("L047", _("场地或导师时数不够分"))
def in_kind_over_promised(rules: CallRules, world: World) -> Iterator[Flaw]:
    projects = rules.allocation.awards_max or 1
    for item in rules.in_kind:
        if item.hours_total and item.hours_per_project * projects > item.hours_total:
            message = f"“{item.name}”{projects} 个项目各用 {item.hours_per_project} 小时，超过总时数 {item.hours_total}"
            yield error(f"in_kind[{item.code}].hours_total", message, "增加总时数或减少每项目时数")
        if item.kind is not InKindKind.EQUIPMENT and not (item.hours_total or item.hours_per_project):
            yield warning(f"in_kind[{item.code}]", f"“{item.name}”没有写可用时数", "填写总时数或每项目时数")


@contradiction("L048", _("三方协议没有第三方"))
def three_parties_without_third(rules: CallRules, world: World) -> Iterator[Flaw]:
    third = rules.contract.third_party or rules.agency.operator or rules.eligibility.sponsor
    if rules.contract.parties is Parties.THREE and not third:
        yield error("contract.parties", "三方协议既没有第三方名称，也没有承办方或挂靠单位", "填写第三方，或改为两方协议")


@contradiction("L049", _("指定枢纽组织即主办方"))
def sponsor_is_agency(rules: CallRules, world: World) -> Iterator[Flaw]:
    sponsor = rules.eligibility.sponsor
    if sponsor and sponsor.name and sponsor.name == rules.agency.name:
        yield error("eligibility.sponsor.name", "主办方不能同时做挂靠单位：自己向自己付款", "另定枢纽组织")
