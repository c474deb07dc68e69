"""预算审核: a budget against the rules of its call, to the fen. Pure; every problem is found in one go.

Shares are per cent of money that is named: a category's share is of the *grant* (申请资助 lines only: what an organisation
spends of its own is its own affair), the grant's and the match's shares are of the whole project budget, the in-kind share is of
the match.
Exactly at a limit is accepted, 0.01 元 over it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from grants.money import ZERO, NotMoney, ceiling, exact, fen, floor, number, percent_text, yuan
from grants.sentences import marked as _

HUNDRED: Final = Decimal(100)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "empty": (_("预算没有任何申请资助的费用行。"), _("至少填写一行“申请资助”的费用。")),
    "too_many_lines": (_("预算共 %(rows)d 行，超过本次征集允许的 %(limit)d 行。"), _("合并同类费用，不超过 %(limit)d 行。")),
    "no_name": (_("第 %(row)d 行没有写明用途。"), _("写明这笔钱买什么、做什么。")),
    "not_money": (_("第 %(row)d 行的%(field)s有误：%(detail)s。"), _("按“元”填写，最多两位小数。")),
    "not_positive": (_("第 %(row)d 行的%(field)s为 %(value)s，必须大于 0。"), _("填写大于 0 的数，不需要的行请删除。")),
    "product": (
        _("第 %(row)d 行金额 %(amount)s 与单价×数量 %(product)s 不符（%(unit_price)s × %(quantity)s，四舍五入到分）。"),
        _("把金额改为 %(product)s，或更正单价、数量。"),
    ),
    "unknown_category": (_("第 %(row)d 行的费用类别“%(category)s”不在本次征集的类别中。"), _("从这些类别中选择：%(choices)s。")),
    "banned_category": (
        _("第 %(row)d 行“%(name)s”属于“%(category)s”，本次征集的资助资金不得列支。"),
        _("删除此行，或改由自筹配套资金承担。"),
    ),
    "banned_item": (_("第 %(row)d 行“%(name)s”含有禁止列支事项“%(item)s”。"), _("删除此行，或改由自筹配套资金承担。")),
    "category_share": (
        _("“%(category)s”申请资助 %(amount)s，占资助总额 %(grant)s 的比例超过 %(share)s，最多 %(limit)s，超出 %(over)s。"),
        _("把该类费用压到 %(limit)s 以内，或改由自筹配套资金承担。"),
    ),
    "category_amount": (
        _("“%(category)s”申请资助 %(amount)s，超过该类上限 %(limit)s，超出 %(over)s。"),
        _("把该类费用压到 %(limit)s 以内，或改由自筹配套资金承担。"),
    ),
    "cap": (_("申请资助 %(amount)s，超过单个项目上限 %(limit)s，超出 %(over)s。"), _("把申请资助总额减少 %(over)s 以上。")),
    "floor": (_("申请资助 %(amount)s，低于单个项目下限 %(limit)s。"), _("调整预算，使申请资助不低于 %(limit)s。")),
    "cap_share": (
        _("申请资助 %(amount)s，占项目总预算 %(project)s 的比例超过 %(share)s，最多 %(limit)s，超出 %(over)s。"),
        _("减少申请资助，或增加配套资金。"),
    ),
    "match_share": (
        _("配套资金 %(amount)s，不足项目总预算 %(project)s 的 %(share)s，至少 %(limit)s，还差 %(short)s。"),
        _("增加配套资金，或减少申请资助。"),
    ),
    "in_kind_share": (
        _("实物、场地和志愿服务折价 %(amount)s，超过配套资金 %(match)s 的 %(share)s，最多 %(limit)s，超出 %(over)s。"),
        _("增加现金配套，或减少折价。"),
    ),
    "asked": (
        _("申报书填写的申请金额 %(asked)s 与预算表申请资助合计 %(amount)s 不一致。"),
        _("把申请金额改为 %(amount)s，或更正预算表。"),
    ),
}


class Source(StrEnum):
    """Whose money pays a line."""

    GRANT = "grant"
    MATCH_CASH = "match_cash"
    MATCH_IN_KIND = "match_in_kind"


@dataclass(frozen=True)
class BudgetLine:
    """One line as entered: unit_price and amount in 元, quantity a plain number."""

    category: str
    name: str
    unit_price: Decimal
    quantity: Decimal
    amount: Decimal
    source: Source = Source.GRANT


@dataclass(frozen=True)
class CategoryRule:
    """What the call says of one category: caps on its grant money (per cent of the grant, 元), or banned."""

    code: str
    name: str
    cap_share: Decimal | None = None
    cap_amount: Decimal | None = None
    banned: bool = False


@dataclass(frozen=True)
class BudgetRules:
    """Limits of a call. cap, floor in 元; shares in per cent (see the module); None: no such rule."""

    categories: tuple[CategoryRule, ...]
    cap: Decimal | None = None
    floor: Decimal | None = None
    cap_share: Decimal | None = None
    match_share: Decimal | None = None
    in_kind_share: Decimal | None = None
    banned_items: tuple[str, ...] = ()
    max_lines: int | None = None


@dataclass(frozen=True)
class BudgetProblem:
    """One thing wrong. row: index from 0 into the lines, None for the whole; rule: stable; sentence and way out in Chinese."""

    row: int | None
    rule: str
    sentence: str
    way_out: str


@dataclass(frozen=True)
class BudgetTotals:
    """Sums in 元. `by_category` counts grant money only."""

    grant: Decimal
    match_cash: Decimal
    match_in_kind: Decimal
    by_category: Mapping[str, Decimal]

    @property
    def match(self) -> Decimal:
        """配套: cash and in kind."""
        return self.match_cash + self.match_in_kind

    @property
    def project(self) -> Decimal:
        """项目总预算."""
        return self.grant + self.match


@dataclass(frozen=True)
class BudgetReport:
    """The sums and everything that is wrong (rows first, then the whole)."""

    totals: BudgetTotals
    problems: tuple[BudgetProblem, ...]

    @property
    def is_lawful(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(lines: Sequence[BudgetLine], rules: BudgetRules, *, asked: Decimal | None = None) -> BudgetReport:
    """Check a budget. asked: the amount named in the form, 元, which must equal the grant lines; None leaves it unchecked.

    Lines whose amount is no money are reported and counted as zero, so that the other rules still answer.
    """
    rows = [p for i, line in enumerate(lines) for p in _row(i, line, rules)]
    sums = totals(lines)
    whole = [*_size(lines, sums, rules), *_categories(sums, rules), *_amounts(sums, rules), *_asked(sums, asked)]
    return BudgetReport(sums, (*rows, *whole))


def totals(lines: Iterable[BudgetLine]) -> BudgetTotals:
    """The sums of a budget, 元. A line whose amount is not money counts as zero."""
    sums = dict.fromkeys(Source, ZERO)
    by_category: dict[str, Decimal] = {}
    for line in lines:
        amount = _amount(line)
        sums[line.source] += amount
        if line.source is Source.GRANT:
            by_category[line.category] = by_category.get(line.category, ZERO) + amount
    return BudgetTotals(sums[Source.GRANT], sums[Source.MATCH_CASH], sums[Source.MATCH_IN_KIND], by_category)


@dataclass(frozen=True)
class Cap:
    """One limit of a call on one sum, as a page states and a script recomputes it.

    measure: grant | match | match_in_kind, or "category" with the category's code. amount: the limit in 元, or None; share: per cent
    of the sum `of` (grant, match, project). at_least: a minimum, not a maximum. name: what the sum is called.
    """

    name: str
    measure: str
    category: str = ""
    amount: Decimal | None = None
    share: Decimal | None = None
    of: str = ""
    at_least: bool = False

    def now(self, sums: BudgetTotals) -> Decimal:
        """The sum that is limited, 元."""
        found: Decimal = sums.by_category.get(self.category, ZERO) if self.category else getattr(sums, self.measure)
        return found

    def limit(self, sums: BudgetTotals) -> Decimal:
        """What it may or must be, 元: a share that cannot be paid to the fen counts down for a maximum and up for a minimum."""
        if self.share is None:
            return self.amount or ZERO
        part = getattr(sums, self.of) * self.share / HUNDRED
        return ceiling(part) if self.at_least else floor(part)


def caps(rules: BudgetRules) -> tuple[Cap, ...]:
    """Every limit of a call: on the whole first, then category by category in the call's order. Judged exactly as `check` judges."""
    return (*_whole_caps(rules), *(cap for c in rules.categories if not c.banned for cap in _category_caps(c)))


def _whole_caps(rules: BudgetRules) -> list[Cap]:
    stated = [
        (Cap("申请资助", "grant", amount=rules.cap), rules.cap),
        (Cap("申请资助", "grant", amount=rules.floor, at_least=True), rules.floor),
        (Cap("申请资助", "grant", share=rules.cap_share, of="project"), rules.cap_share),
        (Cap("配套资金", "match", share=rules.match_share, of="project", at_least=True), rules.match_share),
        (Cap("实物、场地和志愿服务折价", "match_in_kind", share=rules.in_kind_share, of="match"), rules.in_kind_share),
    ]
    return [cap for cap, given in stated if given is not None]


def _category_caps(rule: CategoryRule) -> list[Cap]:
    named = Cap(rule.name, "category", category=rule.code)
    shares = [] if rule.cap_share is None else [replace(named, share=rule.cap_share, of="grant")]
    return shares if rule.cap_amount is None else [*shares, replace(named, amount=rule.cap_amount)]


def _problem(rule: str, **figures: object) -> BudgetProblem:
    sentence, way_out = SENTENCES[rule]
    return BudgetProblem(None, rule, sentence % figures, way_out % figures)


def _row_problem(rule: str, row: int, **figures: object) -> BudgetProblem:
    return replace(_problem(rule, row=row + 1, **figures), row=row)


def _amount(line: BudgetLine) -> Decimal:
    try:
        return exact(line.amount)
    except NotMoney:
        return ZERO


def _row(row: int, line: BudgetLine, rules: BudgetRules) -> list[BudgetProblem]:
    problems = [*_row_money(row, line), *_row_category(row, line, rules)]
    if not line.name.strip():
        problems.append(_row_problem("no_name", row))
    return problems


def _row_money(row: int, line: BudgetLine) -> list[BudgetProblem]:
    problems: list[BudgetProblem] = []
    for field, value, read in (("单价", line.unit_price, exact), ("数量", line.quantity, number), ("金额", line.amount, exact)):
        try:
            if read(value) <= 0:
                problems.append(_row_problem("not_positive", row, field=field, value=value))
        except NotMoney as error:
            problems.append(_row_problem("not_money", row, field=field, detail=error.sentence))
    if not problems and (product := fen(line.unit_price * line.quantity)) != line.amount:
        figures = {"unit_price": yuan(line.unit_price), "quantity": f"{line.quantity.normalize():f}"}
        problems.append(_row_problem("product", row, amount=yuan(line.amount), product=yuan(product), **figures))
    return problems


def _row_category(row: int, line: BudgetLine, rules: BudgetRules) -> list[BudgetProblem]:
    category = next((c for c in rules.categories if c.code == line.category), None)
    if category is None:
        choices = "、".join(c.name for c in rules.categories if not c.banned)
        return [_row_problem("unknown_category", row, category=line.category, choices=choices)]
    if line.source is not Source.GRANT:
        return []
    if category.banned:
        return [_row_problem("banned_category", row, name=line.name, category=category.name)]
    return [_row_problem("banned_item", row, name=line.name, item=item) for item in rules.banned_items if item in line.name]


def _size(lines: Sequence[BudgetLine], sums: BudgetTotals, rules: BudgetRules) -> list[BudgetProblem]:
    problems: list[BudgetProblem] = []
    if sums.grant <= 0:
        problems.append(_problem("empty"))
    if rules.max_lines is not None and len(lines) > rules.max_lines:
        problems.append(_problem("too_many_lines", rows=len(lines), limit=rules.max_lines))
    return problems


def _categories(sums: BudgetTotals, rules: BudgetRules) -> list[BudgetProblem]:
    return [p for c in rules.categories if not c.banned for p in _category(c, sums.by_category.get(c.code, ZERO), sums.grant)]


def _category(rule: CategoryRule, amount: Decimal, grant: Decimal) -> list[BudgetProblem]:
    problems: list[BudgetProblem] = []
    if rule.cap_share is not None and amount > (limit := floor(grant * rule.cap_share / HUNDRED)):
        figures = {"share": percent_text(rule.cap_share), "grant": yuan(grant)}
        problems.append(_over("category_share", amount, limit, category=rule.name, **figures))
    if rule.cap_amount is not None and amount > rule.cap_amount:
        problems.append(_over("category_amount", amount, rule.cap_amount, category=rule.name))
    return problems


def _over(rule: str, amount: Decimal, limit: Decimal, **figures: object) -> BudgetProblem:
    return _problem(rule, amount=yuan(amount), limit=yuan(limit), over=yuan(amount - limit), **figures)


def _amounts(sums: BudgetTotals, rules: BudgetRules) -> list[BudgetProblem]:
    """Caps on the whole. A share of money that cannot be paid to the fen counts down for a maximum and up for a minimum."""
    problems: list[BudgetProblem] = []
    if rules.cap is not None and sums.grant > rules.cap:
        problems.append(_over("cap", sums.grant, rules.cap))
    if rules.floor is not None and ZERO < sums.grant < rules.floor:
        problems.append(_problem("floor", amount=yuan(sums.grant), limit=yuan(rules.floor)))
    return [*problems, *_shares(sums, rules)]


def _shares(sums: BudgetTotals, rules: BudgetRules) -> list[BudgetProblem]:
    problems: list[BudgetProblem] = []
    project = yuan(sums.project)
    if rules.cap_share is not None and sums.grant > (limit := floor(sums.project * rules.cap_share / HUNDRED)):
        problems.append(_over("cap_share", sums.grant, limit, project=project, share=percent_text(rules.cap_share)))
    if rules.match_share is not None and sums.match < (least := ceiling(sums.project * rules.match_share / HUNDRED)):
        figures = {"amount": yuan(sums.match), "limit": yuan(least), "short": yuan(least - sums.match)}
        problems.append(_problem("match_share", project=project, share=percent_text(rules.match_share), **figures))
    if rules.in_kind_share is not None and sums.match_in_kind > (limit := floor(sums.match * rules.in_kind_share / HUNDRED)):
        figures = {"match": yuan(sums.match), "share": percent_text(rules.in_kind_share)}
        problems.append(_over("in_kind_share", sums.match_in_kind, limit, **figures))
    return problems


def _asked(sums: BudgetTotals, asked: Decimal | None) -> list[BudgetProblem]:
    if asked is None or asked == sums.grant:
        return []
    return [_problem("asked", asked=yuan(asked), amount=yuan(sums.grant))]
