"""Contradictions of budget, forms, indicators and attachments."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from grants.calls.rulebook import expressions
from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, repeated, warning
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.budget import BudgetRule
from grants.calls.rulebook.parts.form import Column, FieldKind, FormField, Section
from grants.calls.rulebook.parts.funding import Predicate
from grants.money import percent_text, yuan
from grants.sentences import marked as _

EXPRESSION_NAMES: Final = frozenset({"grant", "match", "in_kind", "project"})
"""What a budget rule may read besides the categories: 资助额, 配套, 实物配套, 项目总预算, all in 元."""

CHOICES: Final = frozenset({FieldKind.CHOICE, FieldKind.MULTICHOICE})


@contradiction("L050", _("预算上限之和不足 100%"))
def caps_leave_no_budget(rules: CallRules, world: World) -> Iterator[Flaw]:
    usable = [category for category in rules.budget.categories if not category.banned]
    shares = [category.cap_share for category in usable if category.cap_share is not None]
    if not usable:
        yield error("budget.categories", "所有费用类别都禁止列支，写不出预算", "至少保留一个可用类别")
    elif len(shares) == len(usable) and sum(shares) < 100:
        message = f"每个类别都有占比上限，合计只有 {percent_text(sum(shares, Decimal(0)))}，写不出合规的预算"
        yield error("budget.categories", message, "放开主要类别的上限，使合计达到 100%")


@contradiction("L051", _("禁止列支的类别又设上限"))
def banned_and_capped(rules: CallRules, world: World) -> Iterator[Flaw]:
    for category in rules.budget.categories:
        if category.banned and (category.cap_share or category.cap_amount):
            yield error(f"budget.categories[{category.code}]", f"“{category.name}”禁止列支，却设了上限", "删去上限，或取消禁止")


@contradiction("L052", _("费用类别、规则、指标或附件编号重复"))
def repeated_paper_codes(rules: CallRules, world: World) -> Iterator[Flaw]:
    lists = {
        "budget.categories": [category.code for category in rules.budget.categories],
        "budget.rules": [rule.code for rule in rules.budget.rules],
        "outcomes.kpis": [kpi.code for kpi in rules.outcomes.kpis],
        "attachments": [attachment.code for attachment in rules.attachments],
        "forms.declarations": [declaration.code for declaration in rules.forms.declarations],
    }
    for key, codes in lists.items():
        for code in repeated(codes):
            yield error(key, f"编号 {code} 出现了不止一次", "每一项用不同的编号")


@contradiction("L053", _("预算算式无法计算"))
def unreadable_expression(rules: CallRules, world: World) -> Iterator[Flaw]:
    known = EXPRESSION_NAMES | {category.code for category in rules.budget.categories}
    for rule in rules.budget.rules:
        yield from _expression(rule, known)


def _expression(rule: BudgetRule, known: frozenset[str]) -> Iterator[Flaw]:
    key = f"budget.rules[{rule.code}].expr"
    try:
        unknown = expressions.names(expressions.parse(rule.expr)) - known
    except expressions.ExpressionError as fault:
        yield error(key, f"算式读不懂：{fault}", "写成比较，例如 personnel + expert <= 45% * grant")
        return
    if unknown:
        yield error(key, f"算式用了不存在的名称 {'、'.join(sorted(unknown))}", f"可用名称：{'、'.join(sorted(known))}")


@contradiction("L054", _("费用类别的金额上限没有意义"))
def category_cap_over_cap(rules: CallRules, world: World) -> Iterator[Flaw]:
    for category in rules.budget.categories:
        if category.cap_amount is not None and category.cap_amount > rules.amounts.cap:
            message = f"“{category.name}”金额上限 {yuan(category.cap_amount)} 高于单个项目上限 {yuan(rules.amounts.cap)}"
            yield warning(f"budget.categories[{category.code}].cap_amount", message, "降低或删去此上限")


@contradiction("L055", _("费用类别与算式保留名同名"))
def category_shadows_name(rules: CallRules, world: World) -> Iterator[Flaw]:
    for category in rules.budget.categories:
        if category.code in EXPRESSION_NAMES | {"and", "or", "not", "min", "max"}:
            yield error(f"budget.categories[{category.code}].code", f"编号 {category.code} 是算式的保留名", "换一个编号")


@contradiction("L060", _("问题缺少选项或列"))
def field_without_parts(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, field in _fields(rules):
        if field.kind in CHOICES and len(field.options) < 2:
            yield error(f"{key}.options", f"“{field.label}”是选择题，却没有两个以上选项", "填写选项")
        if field.kind is FieldKind.TABLE and not field.columns:
            yield error(f"{key}.columns", f"“{field.label}”是表格，却没有列", "填写列")
        for column in field.columns:
            yield from _column(f"{key}.columns[{column.code}]", column)


def _column(key: str, column: Column) -> Iterator[Flaw]:
    if column.kind in (FieldKind.TABLE, FieldKind.FILE):
        yield error(f"{key}.kind", "表格的列不能再是表格或附件", "改为文字、数字、金额、日期或选择")
    if column.kind in CHOICES and len(column.options) < 2:
        yield error(f"{key}.options", f"“{column.label}”列没有两个以上选项", "填写选项")


@contradiction("L068", _("问题的行数或取值范围颠倒"))
def field_range_reversed(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, field in _fields(rules):
        if field.max_rows and field.min_rows > field.max_rows:
            yield error(f"{key}.min_rows", f"“{field.label}”最少行数多于最多行数", "调整行数")
        if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
            yield error(f"{key}.minimum", f"“{field.label}”最小值大于最大值", "调整取值范围")


@contradiction("L061", _("问题指向不存在的指标或附件"))
def field_points_nowhere(rules: CallRules, world: World) -> Iterator[Flaw]:
    kpis = {kpi.code for kpi in rules.outcomes.kpis}
    files = {attachment.code for attachment in rules.attachments}
    for key, field in _fields(rules):
        if field.kpi is not None and field.kpi not in kpis:
            yield error(f"{key}.kpi", f"没有指标 {field.kpi}", f"改为 {'、'.join(sorted(kpis))} 之一")
        if field.attachment is not None and field.attachment not in files:
            yield error(f"{key}.attachment", f"附件清单中没有 {field.attachment}", "在 [[attachments]] 中增加，或改正编号")
        if field.kind is FieldKind.FILE and field.attachment is None:
            yield error(f"{key}.attachment", f"“{field.label}”要求上传，却没有说明是哪一种附件", "填写附件编号")


@contradiction("L062", _("附件要求不可能满足"))
def attachment_for_nobody(rules: CallRules, world: World) -> Iterator[Flaw]:
    for attachment in rules.attachments:
        key = f"attachments[{attachment.code}]"
        if not attachment.media_types:
            yield error(f"{key}.media_types", f"附件“{attachment.name}”没有允许的文件类型", "至少允许 PDF")
        absent = [kind.zh for kind in attachment.required_for if kind not in rules.eligibility.kinds]
        if absent:
            yield warning(
                f"{key}.required_for", f"附件“{attachment.name}”只对不能申报的 {'、'.join(absent)} 有要求", "更正适用主体"
            )


@contradiction("L063", _("表单的部分或问题编号重复"))
def repeated_form_codes(rules: CallRules, world: World) -> Iterator[Flaw]:
    for form, sections in _forms(rules).items():
        for code in repeated(section.code for section in sections):
            yield error(f"forms.{form}", f"部分编号 {code} 出现了不止一次", "每一部分用不同的编号")
        for section in sections:
            for code in repeated(field.code for field in section.fields):
                yield error(f"forms.{form}[{section.code}].fields", f"问题编号 {code} 出现了不止一次", "每一题用不同的编号")


@contradiction("L064", _("有评估表却没有对应的报告表单"))
def sheet_without_form(rules: CallRules, world: World) -> Iterator[Flaw]:
    pairs = {
        "midterm": (rules.evaluation.midterm, rules.forms.midterm, "中期"),
        "final": (rules.evaluation.final, rules.forms.final, "末期"),
    }
    for name, (sheet, form, zh) in pairs.items():
        if sheet is not None and not form:
            yield error(f"forms.{name}", f"有{zh}评估表，却没有{zh}报告表单，评估没有依据", f"增加 [[forms.{name}]]")


@contradiction("L065", _("没有承诺书"))
def nothing_declared(rules: CallRules, world: World) -> Iterator[Flaw]:
    if not rules.forms.declarations:
        yield warning("forms.declarations", "没有任何承诺，虚假申报难以追责", "至少要求承诺材料真实、无违法记录、未重复获资助")


@contradiction("L066", _("保管期限短于法律依据的要求"))
def kept_too_short(rules: CallRules, world: World) -> Iterator[Flaw]:
    limits = rules.limits
    if rules.retention.file_years < limits.file_years:
        message = f"项目档案保管 {rules.retention.file_years} 年，短于 {limits.file_years} 年（{limits.file_years_source}）"
        yield error("retention.file_years", message, f"改为不少于 {limits.file_years} 年")


@contradiction("L067", _("要求标识佐证却没有标识文字"))
def logo_proof_without_logo(rules: CallRules, world: World) -> Iterator[Flaw]:
    wanted = any(c.code is Predicate.LOGO_SHOWN for tranche in rules.funding.tranches for c in tranche.conditions)
    if wanted and not any(source.logo_text for source in rules.sources):
        yield error("funding.tranches", "拨付条件要求提交标识佐证，却没有来源写明标识文字", "填写来源的标识文字，或删去此条件")


def _forms(rules: CallRules) -> dict[str, tuple[Section, ...]]:
    forms = rules.forms
    return {"application": forms.application, "midterm": forms.midterm, "final": forms.final, "closing": forms.closing}


def _fields(rules: CallRules) -> Iterator[tuple[str, FormField]]:
    for form, sections in _forms(rules).items():
        for section in sections:
            for field in section.fields:
                yield f"forms.{form}[{section.code}].fields[{field.code}]", field
