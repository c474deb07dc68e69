"""Contradictions of allocation and contract."""

from __future__ import annotations

from collections.abc import Iterator

from grants.calls.rulebook.lint.bands import band_faults
from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, plain, warning
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.award import Clause, Method
from grants.money import yuan
from grants.sentences import marked as _


@contradiction("L090", _("立项数、上限与资助金不合"))
def awards_and_pool(rules: CallRules, world: World) -> Iterator[Flaw]:
    number, cap, grants = rules.allocation.awards_max, rules.amounts.cap, rules.pool.grants
    if number is None:
        return
    if rules.amounts.floor is not None and number * rules.amounts.floor > grants:
        message = f"{number} 个项目即使都取下限也要 {yuan(number * rules.amounts.floor)}，超过资助金 {yuan(grants)}"
        yield error("allocation.awards_max", message, "减少立项数或降低下限")
    if number * cap > grants:
        message = f"{number} 个项目都取上限要 {yuan(number * cap)}，超过资助金 {yuan(grants)}"
        yield warning("allocation.awards_max", message, "如以核减解决可不改，否则减少立项数")
    if number * cap < grants:
        message = f"{number} 个项目最多用 {yuan(number * cap)}，资助金 {yuan(grants)} 用不完"
        yield warning("allocation.awards_max", message, "增加立项数或提高上限")


@contradiction("L091", _("定额档缺失或重叠"))
def amount_bands(rules: CallRules, world: World) -> Iterator[Flaw]:
    allocation = rules.allocation
    if allocation.method is Method.GRADE_BANDS and not allocation.bands:
        yield error("allocation.bands", "按评分档定额资助，却没有定额档", "填写各档起始分与金额")
    if allocation.method is not Method.GRADE_BANDS and allocation.bands:
        yield error("allocation.bands", f"分配方式是“{allocation.method.zh}”，定额档不会被使用", "改变方式或删去定额档")
    if allocation.bands:
        bands = [(band.name, band.at_least, band.below) for band in allocation.bands]
        yield from (
            error("allocation.bands", message, way) for message, way in band_faults(bands, down_to=rules.review.pass_line)
        )


@contradiction("L092", _("定额高于单个项目上限"))
def band_over_cap(rules: CallRules, world: World) -> Iterator[Flaw]:
    for band in rules.allocation.bands:
        if band.amount > rules.amounts.cap:
            message = f"“{band.name}”定额 {yuan(band.amount)} 高于单个项目上限 {yuan(rules.amounts.cap)}"
            yield error(f"allocation.bands[{band.name}].amount", message, "降低定额")


@contradiction("L122", _("灰带过宽"))
def band_too_wide(rules: CallRules, world: World) -> Iterator[Flaw]:
    band = rules.allocation.grey_band
    if band is not None and not 0 < band <= 5:
        yield warning("allocation.grey_band", f"资助线上下 {plain(band)} 分都由抽签决定，名次几乎失去意义", "改为 0.5 到 3 分")


@contradiction("L093", _("协议编号不能区分协议"))
def number_without_serial(rules: CallRules, world: World) -> Iterator[Flaw]:
    pattern = rules.contract.number_pattern
    if "{no}" not in pattern:
        yield error("contract.number_pattern", f"编号格式“{pattern}”没有 {{no}}，所有协议同号", "加上 {no}")
    elif "{year}" not in pattern:
        yield warning("contract.number_pattern", f"编号格式“{pattern}”没有 {{year}}，跨年可能重号", "加上 {year}")


@contradiction("L094", _("协议缺少规则要求的条款"))
def clause_missing(rules: CallRules, world: World) -> Iterator[Flaw]:
    needed = {
        Clause.MATCH: bool(rules.amounts.match_share),
        Clause.LOGO: any(source.logo_text for source in rules.sources),
        Clause.SPONSOR: rules.eligibility.sponsor is not None,
        Clause.JOINT: rules.eligibility.joint.allowed,
        Clause.VENUE: bool(rules.in_kind),
        Clause.NAMING: any(source.claim for source in rules.sources),
    }
    for clause, wanted in needed.items():
        if wanted and clause not in rules.contract.clauses:
            yield error("contract.clauses", f"规则中有“{clause.zh}”的内容，协议却没有相应条款", f'加上 "{clause.value}"')
