"""Contradictions of sources, pool, sub-quotas and caps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, repeated, warning
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.money import Category, SourceKind
from grants.money import ZERO, percent_text, yuan
from grants.sentences import marked as _

LOTTERY_PURPOSES: Final = ("扶老", "助残", "救孤", "济困")
HUNDRED: Final = Decimal(100)


@contradiction("L020", _("资金池分配与总额不符"))
def pool_does_not_add_up(rules: CallRules, world: World) -> Iterator[Flaw]:
    pool = rules.pool
    parts = pool.grants + pool.hosting + pool.evaluation
    if parts != pool.total:
        message = f"资助金、承办费与评估费合计 {yuan(parts)}，不等于总额 {yuan(pool.total)}"
        yield error("pool.total", message, f"总额改为 {yuan(parts)}，或调整各项")


@contradiction("L021", _("资金来源合计与资金池不符"))
def sources_do_not_fill_pool(rules: CallRules, world: World) -> Iterator[Flaw]:
    total = _sum(source.amount for source in rules.sources)
    if total != rules.pool.total:
        message = f"各来源合计 {yuan(total)}，不等于资金池 {yuan(rules.pool.total)}"
        yield error("sources", message, "补齐来源或更正金额，每一元都要有出处")


@contradiction("L022", _("单个项目上限超过资助金"))
def cap_over_pool(rules: CallRules, world: World) -> Iterator[Flaw]:
    cap, grants = rules.amounts.cap, rules.pool.grants
    if cap > grants:
        yield error("amounts.cap", f"单个项目上限 {yuan(cap)} 超过全部资助金 {yuan(grants)}", f"改为不超过 {yuan(grants)}")
    if rules.amounts.floor is not None and rules.amounts.floor > cap:
        yield error("amounts.floor", f"下限 {yuan(rules.amounts.floor)} 高于上限 {yuan(cap)}", "降低下限或提高上限")


@contradiction("L023", _("领域子额度超过资助金"))
def categories_over_grants(rules: CallRules, world: World) -> Iterator[Flaw]:
    total = _sum(_set_aside(category, rules.pool.grants) for category in rules.categories)
    if total > rules.pool.grants:
        message = f"各领域子额度合计 {yuan(total)}，超过资助金 {yuan(rules.pool.grants)}"
        yield error("categories", message, f"减少 {yuan(total - rules.pool.grants)}，或增加资助金")


@contradiction("L024", _("领域的名额、额度与上限不合"))
def category_disagrees_with_itself(rules: CallRules, world: World) -> Iterator[Flaw]:
    for category in rules.categories:
        key, cap = f"categories[{category.code}]", category.cap or rules.amounts.cap
        if category.cap is not None and category.cap > rules.amounts.cap:
            yield error(f"{key}.cap", f"“{category.name}”上限高于征集的上限 {yuan(rules.amounts.cap)}", "领域上限只能更低")
        if category.amount is not None and category.amount < (rules.amounts.floor or ZERO):
            yield error(f"{key}.amount", f"“{category.name}”额度不够资助一个项目", "提高额度或降低下限")
        if category.amount is not None and category.count is not None and category.count * cap < category.amount:
            message = (
                f"“{category.name}”{category.count} 个项目最多用 {yuan(category.count * cap)}，额度 {yuan(category.amount)} 用不完"
            )
            yield warning(f"{key}.count", message, "增加名额、提高上限或减少额度")


@contradiction("L025", _("赛道额度超过资助金"))
def tracks_over_grants(rules: CallRules, world: World) -> Iterator[Flaw]:
    quotas = [track.amount for track in rules.tracks if track.amount is not None]
    total, grants = _sum(quotas), rules.pool.grants
    if total > grants:
        yield error("tracks", f"各赛道额度合计 {yuan(total)}，超过资助金 {yuan(grants)}", f"减少 {yuan(total - grants)}")
    elif quotas and len(quotas) == len(rules.tracks) and total < grants:
        yield warning("tracks", f"各赛道额度合计 {yuan(total)}，少于资助金 {yuan(grants)}，差额无处可用", "把差额分给某个赛道")


@contradiction("L026", _("赛道上限高于征集上限"))
def track_cap_over_cap(rules: CallRules, world: World) -> Iterator[Flaw]:
    for track in rules.tracks:
        if track.cap is not None and track.cap > rules.amounts.cap:
            yield error(
                f"tracks[{track.code}].cap",
                f"赛道上限 {yuan(track.cap)} 高于征集上限 {yuan(rules.amounts.cap)}",
                "赛道上限只能更低",
            )
        if track.amount is not None and track.amount < (rules.amounts.floor or ZERO):
            yield error(f"tracks[{track.code}].amount", f"赛道“{track.name}”额度不够资助一个项目", "提高额度或降低下限")


@contradiction("L027", _("资助占比与配套占比矛盾"))
def match_contradicts_cap_share(rules: CallRules, world: World) -> Iterator[Flaw]:
    cap, match = rules.amounts.cap_share, rules.amounts.match_share
    if cap is None or match is None or cap + match == HUNDRED:
        return
    if cap + match > HUNDRED:
        message = f"配套至少 {percent_text(match)} 时，资助最多占 {percent_text(HUNDRED - match)}，达不到所写的 {percent_text(cap)}"
    else:
        message = f"资助至多 {percent_text(cap)}，配套必然至少 {percent_text(HUNDRED - cap)}，与所写 {percent_text(match)} 不符"
    yield error("amounts.match_share", message, "两者合计应为 100%，因为项目总预算只有资助与配套两部分")


@contradiction("L028", _("没有配套却限制实物配套"))
def in_kind_without_match(rules: CallRules, world: World) -> Iterator[Flaw]:
    share, match = rules.amounts.in_kind_share, rules.amounts.match_share
    if share is not None and not match:
        yield error("amounts.in_kind_share", "限定了实物配套的占比，却没有配套要求", "写明配套占比下限，或删去实物配套占比")


@contradiction("L029", _("彩票公益金没有标识文字"))
def lottery_without_logo(rules: CallRules, world: World) -> Iterator[Flaw]:
    for source in rules.sources:
        if source.kind is SourceKind.LOTTERY and not source.logo_text:
            yield error(
                f"sources[{source.id}].logo_text",
                f"“{source.name}”必须以显著方式标明彩票公益金资助",
                "填写“彩票公益金资助—中国福利彩票”",
            )


@contradiction("L030", _("彩票公益金用途缺失或越界"))
def lottery_without_purpose(rules: CallRules, world: World) -> Iterator[Flaw]:
    for source in rules.sources:
        if source.kind is not SourceKind.LOTTERY:
            continue
        key, stray = f"sources[{source.id}].purposes", [p for p in source.purposes if p not in LOTTERY_PURPOSES]
        if not source.purposes:
            yield error(key, f"“{source.name}”没有写允许用途（彩票管理条例第三十三条）", f"从 {'、'.join(LOTTERY_PURPOSES)} 中选填")
        if stray:
            yield error(
                key, f"彩票公益金不能用于{'、'.join(stray)}", f"只能用于 {'、'.join(LOTTERY_PURPOSES)}，其余改由别的来源承担"
            )


@contradiction("L031", _("只有受限来源的领域没有钱可用"))
def category_without_source(rules: CallRules, world: World) -> Iterator[Flaw]:
    if any(not source.purposes for source in rules.sources):
        return
    allowed = {purpose for source in rules.sources for purpose in source.purposes}
    for category in rules.categories:
        if category.purpose and category.purpose not in allowed:
            message = f"“{category.name}”的用途“{category.purpose}”不在任何来源的允许用途之内"
            yield error(f"categories[{category.code}].purpose", message, f"改为 {'、'.join(sorted(allowed))} 之一，或增加来源")


@contradiction("L032", _("来源禁止的费用类别不存在"))
def source_forbids_unknown(rules: CallRules, world: World) -> Iterator[Flaw]:
    known = {category.code for category in rules.budget.categories}
    for source in rules.sources:
        for code in sorted(set(source.forbids) - known):
            yield error(f"sources[{source.id}].forbids", f"预算中没有费用类别 {code}", f"改为 {'、'.join(sorted(known))} 之一")


@contradiction("L033", _("配捐与来源性质或金额不合"))
def matching_over_source(rules: CallRules, world: World) -> Iterator[Flaw]:
    for source in rules.sources:
        if source.matching is not None and source.matching.cap > source.amount:
            message = f"“{source.name}”单个项目配捐上限 {yuan(source.matching.cap)} 超过来源总额 {yuan(source.amount)}"
            yield error(f"sources[{source.id}].matching.cap", message, "降低配捐上限")
        if source.claim is not None and source.claim.minimum > source.amount:
            yield error(f"sources[{source.id}].claim.minimum", f"认购起点超过“{source.name}”的总额", "降低认购起点")


@contradiction("L034", _("承办费占比偏高"))
def hosting_too_dear(rules: CallRules, world: World) -> Iterator[Flaw]:
    if rules.pool.hosting * 10 > rules.pool.total:
        yield warning("pool.hosting", "承办服务费超过资金池的 10%（广州市级约 6.8%）", "降低承办费，或在公告中说明理由")


@contradiction("L035", _("来源、领域或赛道编号重复"))
def repeated_codes(rules: CallRules, world: World) -> Iterator[Flaw]:
    lists = {
        "sources": [source.id for source in rules.sources],
        "categories": [category.code for category in rules.categories],
        "tracks": [track.code for track in rules.tracks],
        "needs.items": [need.code for need in rules.needs.items],
        "in_kind": [item.code for item in rules.in_kind],
    }
    for key, codes in lists.items():
        for code in repeated(codes):
            yield error(key, f"编号 {code} 出现了不止一次", "每一项用不同的编号")


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _set_aside(category: Category, grants: Decimal) -> Decimal:
    """Money a category keeps for itself: its amount, or its share of the grants."""
    if category.amount is not None:
        return category.amount
    return grants * (category.reserve_share or ZERO) / HUNDRED
