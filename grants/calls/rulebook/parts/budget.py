"""预算: the categories a budget may use, their caps, what is banned, and rules in the expression language."""

from __future__ import annotations

from pydantic import Field

from grants.calls.rulebook.parts.base import Code, Flag, Part, Percent, Positive, Prose, Text, Yuan


class BudgetCategory(Part):
    """一类费用."""

    code: Code = Field(title="编号", description="Short name; also its name in expressions.")
    name: Text = Field(title="名称", description="As printed.")
    cap_share: Percent | None = Field(default=None, title="占比上限", description="Share of the grant at most.")
    cap_amount: Yuan | None = Field(default=None, title="金额上限", description="元 at most.")
    banned: Flag = Field(default=False, title="禁止列支", description="Shown in the table only to say that it may not be used.")
    note: Prose = Field(default="", title="说明", description="Standards and examples.")


class BudgetRule(Part):
    """A limit over several categories, written in the expression language (see `expressions.py`)."""

    code: Code = Field(title="编号", description="Short name.")
    expr: Text = Field(title="算式", description="True when the budget is lawful, e.g. personnel + expert <= 45% * grant.")
    message: Text = Field(title="提示", description="What the applicant reads when it is false.")


class BudgetRules(Part):
    """Everything about budgets; shares are of the grant, not of the whole project."""

    categories: tuple[BudgetCategory, ...] = Field(title="费用类别", description="In order.", min_length=1)
    banned: tuple[Text, ...] = Field(default=(), title="禁止列支事项", description="Things no category may contain.")
    rules: tuple[BudgetRule, ...] = Field(default=(), title="组合规则", description="Limits over several categories.")
    max_lines: Positive | None = Field(default=None, title="最多行数", description="Lines a budget may have; absent = no limit.")
    quotation_over: Yuan | None = Field(
        default=None, title="询价起点", description="Single purchases above this need three quotations."
    )
