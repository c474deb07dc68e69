"""Contradictions of the timetable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from grants.calls.rulebook.legal import LegalBasis, Limit
from grants.calls.rulebook.lint.registry import Flaw, World, by_law, contradiction, error, warning
from grants.calls.rulebook.model import CallRules, Sealing
from grants.calls.rulebook.parts.timetable import Period, Unit, months_after
from grants.money import ZERO, yuan
from grants.sentences import marked as _

SEALED_DAYS = 7


@contradiction("L001", _("截止早于开始"))
def closes_before_opening(rules: CallRules, world: World) -> Iterator[Flaw]:
    times = rules.timetable
    if times.closes_at <= times.opens_at:
        yield error(
            "timetable.closes_at", f"截止申报 {times.closes_at:%Y-%m-%d %H:%M} 不晚于开始申报", "把截止时间改到开始时间之后"
        )


@contradiction("L002", _("提问期与申报期不合"))
def questions_outlive_bidding(rules: CallRules, world: World) -> Iterator[Flaw]:
    times = rules.timetable
    if times.questions_until >= times.closes_at:
        yield error("timetable.questions_until", "申报截止时提问期还没有结束，答复来不及使用", "把提问截止提前到申报截止之前")
    if times.questions_until < times.opens_at:
        yield error("timetable.questions_until", "提问期在开始申报之前就结束了", "把提问截止改到开始申报之后")


@contradiction("L003", _("申报期短于法定或惯例"))
def open_too_short(rules: CallRules, world: World) -> Iterator[Flaw]:
    times, limit = rules.timetable, rules.limits.open_at_least
    if (
        times.opens_at
        < times.closes_at
        < times.opens_at.replace(hour=0, minute=0, second=0) + timedelta(days=limit.period.amount)
    ):
        message = f"申报期不足 {limit.period.words()}（法律依据“{rules.legal_basis.zh}”；{limit.source}）"
        yield by_law(limit.binding, "timetable.closes_at", message, f"截止时间至少延到开始后第 {limit.period.amount} 日")


@contradiction("L004", _("公示期短于法律依据的要求"))
def notice_too_short(rules: CallRules, world: World) -> Iterator[Flaw]:
    yield from _floor("notice", "公示期", rules.timetable.notice, rules.limits.notice_at_least, rules.legal_basis)


@contradiction("L005", _("签约时限超过法律依据的要求"))
def contract_too_late(rules: CallRules, world: World) -> Iterator[Flaw]:
    yield from _ceiling(
        "contract_within", "签约时限", rules.timetable.contract_within, rules.limits.contract_at_most, rules.legal_basis
    )


@contradiction("L006", _("评审完成日来不及"))
def review_before_cure(rules: CallRules, world: World) -> Iterator[Flaw]:
    times = rules.timetable
    earliest = times.closes_at.date() + timedelta(days=_calendar_days(times.cure))
    if times.review_by < earliest:
        message = f"评审完成日 {times.review_by} 早于截止加补正期（{times.cure.words()}）之后的 {earliest}"
        yield error("timetable.review_by", message, f"改到 {earliest} 或更晚")


@contradiction("L007", _("截止日不是工作日"))
def deadline_on_a_holiday(rules: CallRules, world: World) -> Iterator[Flaw]:
    times = rules.timetable
    moments = {"closes_at": times.closes_at, "questions_until": times.questions_until}
    moments |= {f"batches[{batch.no}].closes_at": batch.closes_at for batch in times.batches[:-1]}  # the last is closes_at itself
    for name, moment in moments.items():
        if not world.is_workday(moment.date()):
            yield warning(f"timetable.{name}", f"{moment:%Y-%m-%d} 不是工作日，截止前无人答疑", "改到临近的工作日")


@contradiction("L008", _("年份的调休安排未公布"))
def unpublished_year(rules: CallRules, world: World) -> Iterator[Flaw]:
    if world.published_years is None:
        return
    for year in range(rules.timetable.opens_at.year, _last_day(rules).year + 1):
        if year not in world.published_years:
            message = f"{year} 年的放假调休安排尚未公布，按工作日计的时限可能变化"
            yield warning("timetable", message, "公布后更新节假日表；已公告的时限只会延后")


@contradiction("L009", _("异议期、答复期短缺或过长"))
def objections_out_of_bounds(rules: CallRules, world: World) -> Iterator[Flaw]:
    times, limits = rules.timetable, rules.limits
    if _calendar_days(times.objection) < _calendar_days(times.notice):
        yield error(
            "timetable.objection",
            f"异议期（{times.objection.words()}）短于公示期（{times.notice.words()}）",
            "异议期至少与公示期相同",
        )
    yield from _floor("objection", "异议期", times.objection, limits.objection_at_least, rules.legal_basis)
    yield from _ceiling("objection_reply", "异议答复期", times.objection_reply, limits.reply_at_most, rules.legal_basis)


@contradiction("L010", _("实施期超过资金使用期限"))
def term_beyond_money(rules: CallRules, world: World) -> Iterator[Flaw]:
    for source in rules.sources:
        if source.spend_by is not None and source.spend_by < _last_day(rules):
            message = (
                f"“{source.name}”须在 {source.spend_by} 前用完（{source.year_end.zh}），而项目最早也要到 {_last_day(rules)} 才结束"
            )
            yield error(f"sources[{source.id}].spend_by", message, "缩短实施期、提前征集，或改用可结转的资金")


@contradiction("L011", _("中期评估月不在实施期内"))
def midterm_outside_term(rules: CallRules, world: World) -> Iterator[Flaw]:
    times = rules.timetable
    if times.midterm_month >= times.term_months:
        yield error(
            "timetable.midterm_month",
            f"中期在第 {times.midterm_month} 月，而实施期只有 {times.term_months} 个月",
            "改为实施期中间的月份",
        )
    if rules.evaluation.midterm is not None and times.midterm_month == 0:
        yield error("timetable.midterm_month", "有中期评估表，却没有写中期在第几月", "填写月份，或删去中期评估表")


@contradiction("L012", _("分批与总期限或总额不合"))
def batches_do_not_add_up(rules: CallRules, world: World) -> Iterator[Flaw]:
    times = rules.timetable
    if not times.batches:
        return
    total = sum((batch.amount for batch in times.batches), ZERO)
    if total != rules.pool.grants:
        yield error("timetable.batches", f"各批金额合计 {yuan(total)}，不等于资助金 {yuan(rules.pool.grants)}", "调整各批金额")
    ends = [batch.closes_at for batch in times.batches]
    if ends != sorted(set(ends)) or ends[0] <= times.opens_at or ends[-1] != times.closes_at:
        yield error("timetable.batches", "各批截止时间须依次在后，且最后一批即总截止时间", "重排各批截止时间")
    if [batch.no for batch in times.batches] != list(range(1, len(times.batches) + 1)):
        yield error("timetable.batches", "批次编号不是 1、2、3……", "依次编号")


@contradiction("L013", _("购买服务的合同期过长"))
def procurement_beyond_a_year(rules: CallRules, world: World) -> Iterator[Flaw]:
    if rules.legal_basis is LegalBasis.PROCUREMENT and rules.timetable.term_months > 12:
        message = f"政府购买服务的合同期一般不超过一年，现为 {rules.timetable.term_months} 个月（财政部令第102号）"
        yield warning("timetable.term_months", message, "改为 12 个月以内，或说明预算有跨年保障")


def _last_day(rules: CallRules) -> date:
    """The earliest day on which a project of full term can end."""
    return months_after(rules.timetable.review_by, rules.timetable.term_months)


def _calendar_days(period: Period) -> int:
    """A period in calendar days, working days at five to the week: enough to compare two periods."""
    return period.amount if period.unit is Unit.CALENDAR else period.amount + (period.amount - 1) // 5 * 2


def _floor(key: str, noun: str, period: Period, limit: Limit, basis: LegalBasis) -> Iterator[Flaw]:
    if _calendar_days(period) < _calendar_days(limit.period):
        message = f"{noun} {period.words()} 短于“{basis.zh}”的要求 {limit.period.words()}({limit.source})"
        yield by_law(limit.binding, f"timetable.{key}", message, f"改为不少于 {limit.period.words()}")


def _ceiling(key: str, noun: str, period: Period, limit: Limit, basis: LegalBasis) -> Iterator[Flaw]:
    if _calendar_days(period) > _calendar_days(limit.period):
        message = f"{noun} {period.words()} 超过“{basis.zh}”的要求 {limit.period.words()}({limit.source})"
        yield by_law(limit.binding, f"timetable.{key}", message, f"改为不多于 {limit.period.words()}")


@contradiction("L014", _("密封投标却允许后补文件"))
def files_follow_a_sealed_bid(rules: CallRules, world: World) -> Iterator[Flaw]:
    """What is sealed is whole: a file that follows in clear would tell what the rest says, and nobody could tell whose it is."""
    if rules.sealing is Sealing.SEALED and rules.timetable.files_follow_hours:
        yield error("timetable.files_follow_hours", "密封的投标连附件一起加密，不能先报文件摘要、截止后再补交", "删去这一项，或不密封")


@contradiction("L015", _("密封投标的开标与评审挤在一起"))
def no_time_to_open(rules: CallRules, world: World) -> Iterator[Flaw]:
    """Opening takes the officers in one room, screening comes after it: a working week is little enough."""
    times = rules.timetable
    if rules.sealing is Sealing.SEALED and timedelta(0) < times.review_by - times.closes_at.date() < timedelta(days=SEALED_DAYS):
        yield warning("timetable.review_by", f"密封投标截止后要先开标、再审查资格，距评审完成不足 {SEALED_DAYS} 日", "推迟评审完成日")
