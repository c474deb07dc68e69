"""Contradictions of evaluation sheets, grade bands and closing."""

from __future__ import annotations

from collections.abc import Iterator

from grants.calls.rulebook.lint.bands import band_faults
from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, plain, repeated, warning
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.evaluation import Action, EvaluationSheet
from grants.money import ZERO
from grants.sentences import marked as _


@contradiction("L110", _("评估表权重合计不等于 100"))
def evaluation_weights(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        total = sum(criterion.weight for criterion in sheet.criteria)
        if total != 100:
            yield error(f"{key}.criteria", f"评估指标权重合计 {plain(total)}，不等于 100", "调整权重")
        for code in repeated(criterion.code for criterion in sheet.criteria):
            yield error(f"{key}.criteria", f"指标编号 {code} 出现了不止一次", "每项指标用不同的编号")


@contradiction("L111", _("评估等级重叠或有空档"))
def grade_bands(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        bands = [(band.name, band.at_least, band.below) for band in sheet.bands]
        yield from (error(f"{key}.bands", message, way_out) for message, way_out in band_faults(bands, down_to=ZERO))


@contradiction("L112", _("评估等级没有后果"))
def grade_without_consequence(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        for band in sheet.bands:
            if not band.consequences:
                yield error(
                    f"{key}.bands[{band.name}].consequences",
                    f"等级“{band.name}”没有写后果，评估无从落实",
                    "写明拨付、整改、暂缓等后果",
                )


@contradiction("L113", _("限制申报或整改没有期限"))
def consequence_without_months(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        for band in sheet.bands:
            for consequence in band.consequences:
                if consequence.action in (Action.BAR, Action.RECTIFY) and not consequence.months:
                    message = f"等级“{band.name}”的后果“{consequence.action.zh}”没有期限"
                    yield error(f"{key}.bands[{band.name}].consequences[{consequence.action}].months", message, "填写月数")


@contradiction("L114", _("合格与后果矛盾"))
def failed_but_paid(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        for band in sheet.bands:
            actions = {consequence.action for consequence in band.consequences}
            path = f"{key}.bands[{band.name}]"
            if Action.PAY in actions and actions & {Action.WITHHOLD, Action.TERMINATE}:
                yield error(f"{path}.consequences", f"等级“{band.name}”既拨付又暂缓或终止", "二者只留其一")
            if Action.PAY in actions and not band.passed:
                yield error(f"{path}.passed", f"等级“{band.name}”不合格却继续拨付", "改为合格，或改变后果")
        lines = [band.at_least for band in sheet.bands if band.passed]
        if any(not band.passed and lines and band.at_least > min(lines) for band in sheet.bands):
            yield error(f"{key}.bands", "有的等级分数更高却不合格", "合格线以上的等级都应合格")


@contradiction("L116", _("评估分为合格的等级不存在"))
def nobody_can_pass(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        if not any(band.passed for band in sheet.bands):
            yield error(f"{key}.bands", "没有任何等级算合格，以合格为条件的款项永远拨不出", "至少一个等级设为合格")
        if all(band.passed for band in sheet.bands):
            yield warning(f"{key}.bands", "所有等级都算合格，评估不起作用", "设一个不合格等级")


@contradiction("L117", _("扣分后总分可能没有意义"))
def bonus_out_of_bounds(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, sheet in _sheets(rules):
        if sheet.bonus_max > 20 or sheet.penalty_max > 50:
            message = f"加分至多 {plain(sheet.bonus_max)}、扣分至多 {plain(sheet.penalty_max)}，足以盖过指标得分"
            yield warning(f"{key}.bonus_max", message, "加分不超过 20，扣分不超过 50")


@contradiction("L118", _("结项清单不完整或重复"))
def closing_list(rules: CallRules, world: World) -> Iterator[Flaw]:
    items = rules.evaluation.closing
    for code in repeated(item.code for item in items):
        yield error("evaluation.closing", f"结项材料编号 {code} 出现了不止一次", "每项材料用不同的编号")
    if not any(item.required for item in items):
        yield error("evaluation.closing", "结项清单里没有必交材料，项目可以空手结项", "至少一项设为必交")


def _sheets(rules: CallRules) -> Iterator[tuple[str, EvaluationSheet]]:
    for name in ("midterm", "final"):
        sheet: EvaluationSheet | None = getattr(rules.evaluation, name)
        if sheet is not None:
            yield f"evaluation.{name}", sheet
