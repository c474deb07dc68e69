"""Contradictions of tranches, their conditions, and changes."""

from __future__ import annotations

from collections.abc import Iterator

from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, plain, warning
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.funding import AFTER_MONEY, WITH_PERCENT, Condition, Predicate, TrancheRule
from grants.sentences import marked as _


@contradiction("L100", _("各期拨款比例合计不等于 100%"))
def tranches_do_not_add_up(rules: CallRules, world: World) -> Iterator[Flaw]:
    total = sum(tranche.percent for tranche in rules.funding.tranches)
    if total != 100:
        yield error("funding.tranches", f"各期拨款比例合计 {plain(total)}%，不等于 100%", "调整各期比例")
    for tranche in rules.funding.tranches:
        if tranche.percent == 0:
            yield error(f"{_key(tranche)}.percent", f"第 {tranche.no} 期比例为 0，没有钱可拨", "删去这一期")


@contradiction("L101", _("期次编号不连续"))
def tranches_misnumbered(rules: CallRules, world: World) -> Iterator[Flaw]:
    numbers = [tranche.no for tranche in rules.funding.tranches]
    if numbers != list(range(1, len(numbers) + 1)):
        yield error("funding.tranches", f"期次 {numbers} 不是从 1 起依次编号", "依次编为 1、2、3……")


@contradiction("L102", _("以中期评估为条件却没有中期评估"))
def midterm_condition_without_sheet(rules: CallRules, world: World) -> Iterator[Flaw]:
    for tranche, condition in _conditions(rules):
        if condition.code is Predicate.MIDTERM_PASSED and rules.evaluation.midterm is None:
            yield error(
                f"{_key(tranche)}.conditions",
                f"第 {tranche.no} 期以中期评估合格为条件，却没有中期评估表",
                "增加 [evaluation.midterm]，或改变条件",
            )


@contradiction("L103", _("以末期评估为条件却没有末期评估"))
def final_condition_without_sheet(rules: CallRules, world: World) -> Iterator[Flaw]:
    for tranche, condition in _conditions(rules):
        if condition.code is Predicate.FINAL_PASSED and rules.evaluation.final is None:
            yield error(
                f"{_key(tranche)}.conditions",
                f"第 {tranche.no} 期以末期评估合格为条件，却没有末期评估表",
                "增加 [evaluation.final]，或改变条件",
            )


@contradiction("L104", _("拨付条件循环"))
def first_tranche_waits_for_itself(rules: CallRules, world: World) -> Iterator[Flaw]:
    if len(rules.funding.tranches) < 2:
        return
    first = rules.funding.tranches[0]
    for condition in first.conditions:
        if condition.code in AFTER_MONEY:
            message = f"首期以“{condition.code.zh}”为条件，而没有首期款项目无从做到，永远拨不出"
            yield error(f"{_key(first)}.conditions", message, "把此条件移到以后各期")


@contradiction("L105", _("拨付条件先后颠倒"))
def midterm_after_final(rules: CallRules, world: World) -> Iterator[Flaw]:
    closed_at: int | None = None
    for tranche in rules.funding.tranches:
        codes = {condition.code for condition in tranche.conditions}
        if closed_at is not None and Predicate.MIDTERM_PASSED in codes:
            yield error(
                f"{_key(tranche)}.conditions", f"第 {closed_at} 期已要求末期评估，第 {tranche.no} 期才要求中期评估", "对调两期条件"
            )
        if closed_at is None and Predicate.FINAL_PASSED in codes:
            closed_at = tranche.no


@contradiction("L106", _("拨付条件缺少或多出比例"))
def condition_parameter(rules: CallRules, world: World) -> Iterator[Flaw]:
    for tranche, condition in _conditions(rules):
        key = f"{_key(tranche)}.conditions"
        if condition.code in WITH_PERCENT and not condition.percent:
            yield error(key, f"条件“{condition.code.zh}”没有写比例", "填写 percent，例如 60")
        if condition.code not in WITH_PERCENT and condition.percent is not None:
            yield error(key, f"条件“{condition.code.zh}”不需要比例", "删去 percent")


@contradiction("L107", _("协议未生效或账户未核验就拨款"))
def money_before_contract(rules: CallRules, world: World) -> Iterator[Flaw]:
    first = rules.funding.tranches[0]
    codes = {condition.code for condition in first.conditions}
    for wanted in (Predicate.CONTRACT_EFFECTIVE, Predicate.ACCOUNT_VERIFIED):
        if wanted not in codes:
            yield error(f"{_key(first)}.conditions", f"首期没有以“{wanted.zh}”为条件", f'加上 {{ code = "{wanted.value}" }}')


@contradiction("L108", _("尾款没有结果性条件"))
def last_tranche_unconditional(rules: CallRules, world: World) -> Iterator[Flaw]:
    tranches = rules.funding.tranches
    if len(tranches) > 1 and not any(condition.code in AFTER_MONEY for condition in tranches[-1].conditions):
        yield warning(f"{_key(tranches[-1])}.conditions", "最后一期不看任何成效或支出", "加上末期评估、支出凭证或档案条件")


@contradiction("L109", _("变更审批门槛颠倒"))
def change_thresholds(rules: CallRules, world: World) -> Iterator[Flaw]:
    changes = rules.funding.changes
    if changes.operator_up_to < changes.record_up_to:
        message = f"承办方批准的上限 {plain(changes.operator_up_to)}% 低于备案的上限 {plain(changes.record_up_to)}%"
        yield error("funding.changes.operator_up_to", message, "承办方批准的上限不低于备案上限")
    if changes.extensions_max and not changes.extension_months:
        yield error("funding.changes.extension_months", "允许延期，却没有写可延几个月", "填写月数，或把延期次数改为 0")


@contradiction("L115", _("配套或票据条件没有依据"))
def match_condition_without_match(rules: CallRules, world: World) -> Iterator[Flaw]:
    matched = rules.amounts.match_share or any(source.matching for source in rules.sources)
    for tranche, condition in _conditions(rules):
        if condition.code is Predicate.MATCH_ARRIVED and not matched:
            yield error(f"{_key(tranche)}.conditions", "以配套资金到位为条件，却没有配套要求", "删去此条件，或写明配套占比")
        if condition.code is Predicate.RECEIPT_UPLOADED and not rules.funding.receipts:
            yield error("funding.receipts", "以票据为条件，却没有写认可哪些票据", "填写认可票据")


def _key(tranche: TrancheRule) -> str:
    return f"funding.tranches[{tranche.no}]"


def _conditions(rules: CallRules) -> Iterator[tuple[TrancheRule, Condition]]:
    for tranche in rules.funding.tranches:
        for condition in tranche.conditions:
            yield tranche, condition
