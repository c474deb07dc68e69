"""The tables of a bid: budget, indicators, team. Each is replaced whole, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext as _

from bidding.models import Bid, BudgetLine, Kpi, TeamMember
from bidding.services.keeping import Problems, keep
from bidding.services.working_copy import Row, count, money, one_of, text
from grants.money import fen
from grants.people.models import User
from grants.workflow.refusals import Invalid

MOST_ROWS = 200
M = TypeVar("M", bound=models.Model)
T = TypeVar("T")


class Cells:
    """One row of a table as typed: reads cell by cell and remembers everything that is wrong."""

    def __init__(self, i: int, row: Row) -> None:
        self.i, self.row = i, row
        self.problems: dict[str, list[str]] = {}

    def read(self, column: str, reader: Callable[..., T], *limits: Any, default: Any = "") -> T | None:
        """The cell as `reader(field, value, *limits)` understands it, or None when it does not."""
        try:
            return reader(f"form-{self.i}-{column}", self.row.get(column, default), *limits)
        except Invalid as wrong:
            self.problems.update(wrong.problems)
            return None

    def code(self, column: str, known: Sequence[str], default: str = "") -> str:
        """A code among `known`, or empty."""
        given = str(self.row.get(column, default) or default)
        self.read(column, lambda field, _value: one_of(field, given, known))
        return given

    def must(self, column: str, value: object, sentence: str) -> None:
        """Note a problem unless the cell has a value."""
        if not value and f"form-{self.i}-{column}" not in self.problems:
            self.problems[f"form-{self.i}-{column}"] = [sentence]


def _made(bid: Bid, rows: Sequence[Row], make: Callable[[Bid, Cells], M]) -> list[M]:
    """Every row made, or one Invalid that names everything wrong in all of them."""
    if len(rows) > MOST_ROWS:
        raise Invalid(_("最多 %(most)d 行，请合并同类内容。") % {"most": MOST_ROWS}, rule="too_many_rows")
    cells = [Cells(i, row) for i, row in enumerate(rows)]
    made = [make(bid, each) for each in cells]
    problems = {field: told for each in cells for field, told in each.problems.items()}
    if problems:
        first = next(iter(problems.values()))[0]
        raise Invalid(_("请更正后再保存：%(first)s") % {"first": first}, rule="rows", problems=problems)
    return made


ROWS = "rows"
"""The one answer of a table's page: whoever saves a table saves all of it, on one version."""


@dataclass(frozen=True)
class Table:
    """The page of one table, kept whole. make: one row as typed → its model. stored: the bid's rows. columns: as a page shows them."""

    page: str
    make: Callable[[Bid, Cells], Any]
    stored: Callable[[Bid], Any]
    columns: Callable[[Any], dict[str, Any]]

    def current(self, bid: Bid) -> dict[str, Any]:
        """Rows as people type them; those that could not be read yet stand as they were typed."""
        return {ROWS: [self.columns(row) for row in self.stored(bid)], **bid.typed.get(self.page, {})}

    def tidy(self, bid: Bid, given: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        if ROWS not in given:
            return {}
        try:
            return {ROWS: [self.columns(row) for row in self.made(bid, given[ROWS])]}
        except Invalid:
            if strict:
                raise
            return {ROWS: [{name: value if isinstance(value, bool) else str(value) for name, value in row.items()} for row in given[ROWS]]}

    def linked(self, bid: Bid) -> tuple[tuple[str, str], ...]:
        return ()

    def write(self, bid: Bid, accepted: Mapping[str, Any], *, strict: bool) -> Problems:
        """Replace the rows; while one of them cannot be read, all stay as typed beside the last rows that could be."""
        rows = accepted.get(ROWS, self.current(bid)[ROWS])
        try:
            made = self.made(bid, rows)
        except Invalid as wrong:
            if strict:
                raise
            bid.typed = {**bid.typed, self.page: {ROWS: rows}}
            return wrong.problems or {"": [str(wrong)]}
        bid.typed = {page: kept for page, kept in bid.typed.items() if page != self.page}
        self.stored(bid).delete()
        self.stored(bid).bulk_create(made)
        return {}

    def made(self, bid: Bid, rows: Sequence[Row]) -> list[Any]:
        """The rows as models, not saved. Raises Invalid."""
        elsewhere = promised_elsewhere(bid)
        return [row for row in _made(bid, rows, self.make) if getattr(row, "code", None) not in elsewhere]


def _columns(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda row: {name: _as_typed(getattr(row, name), name) for name in names}


def _as_typed(value: Any, column: str) -> Any:
    """Counts as people write them: 24, not 24.00; amounts keep their two places."""
    if isinstance(value, Decimal):
        return f"{value:.2f}" if column == "unit_price" else f"{value.normalize():f}"
    return value if isinstance(value, bool) else str(value)


def save_budget(bid: Bid, lines: Sequence[Row], *, by: User) -> Bid:
    """Replace the whole budget table. Each line: category, name, unit_price, quantity, source; note optional.

    Amounts are Decimal or text in 元, exact to the fen; a line's amount is unit price × quantity rounded half up. Caps are judged
    at submission. Raises NotYou, NotNow, Invalid (problems as "form-<row>-<column>").
    """
    return keep(bid, BUDGET, {ROWS: lines}, by=by, strict=True).held


def _line(bid: Bid, cells: Cells) -> BudgetLine:
    category = cells.code("category", [c.code for c in bid.rules.budget.categories])
    source = cells.code("source", BudgetLine.Source.values, BudgetLine.Source.GRANT)
    cells.must("category", category, _("请选择费用类别。"))
    name, note = cells.read("name", text, 100), cells.read("note", text, 200)
    price, quantity = cells.read("unit_price", money), cells.read("quantity", count, default="1")
    line = BudgetLine(bid=bid, position=cells.i, category=category, source=source, name=name or "", note=note or "")
    if price is not None and quantity is not None:
        line.unit_price, line.quantity, line.amount = price, quantity, fen(price * quantity)
        cells.read("quantity", lambda field, _value: money(field, line.amount))
    return line


def save_kpis(bid: Bid, kpis: Sequence[Row], *, by: User) -> Bid:
    """Replace indicators and beneficiary counts. Each: target, and either code (one of the call's) or kind and name; group, direct.

    Indicators that a question of the form promises are written there and stay untouched here. Raises NotYou, NotNow, Invalid
    (problems as "form-<row>-<column>").
    """
    return keep(bid, KPIS, {ROWS: kpis}, by=by, strict=True).held


def promised_elsewhere(bid: Bid) -> set[str]:
    """Codes of the indicators that questions of the form promise."""
    return {f.kpi for s in bid.rules.forms.application for f in s.fields if f.kpi}


def _kpi(bid: Bid, cells: Cells) -> Kpi:
    asked: Mapping[str, Any] = {k.code: k for k in bid.rules.outcomes.kpis}
    rule = asked.get(cells.code("code", list(asked)))
    kind = str(rule.measure) if rule else cells.code("kind", Kpi.Kind.values)
    cells.must("kind", kind, _("请选择指标类型。"))
    name = rule.name if rule else cells.read("name", text, 80)
    unit = cells.read("unit", text, 10)
    target = cells.read("target", count)
    return Kpi(
        bid=bid,
        position=cells.i,
        code=rule.code if rule else "",
        kind=kind,
        name=name or str(dict(Kpi.Kind.choices).get(kind, "")),
        target=target or 0,
        unit=unit or Kpi.UNITS.get(kind, ""),
        group=cells.code("group", bid.rules.outcomes.beneficiaries),
        direct=cells.row.get("direct", True) not in (False, "no"),
    )


def save_team(bid: Bid, members: Sequence[Row], *, by: User) -> Bid:
    """Replace the team. Each: name, role; qualification, licence_no, is_supervisor optional. Raises NotYou, NotNow, Invalid."""
    return keep(bid, TEAM, {ROWS: members}, by=by, strict=True).held


def _member(bid: Bid, cells: Cells) -> TeamMember:
    texts = {column: cells.read(column, text, 60) or "" for column in ("name", "role", "qualification", "licence_no")}
    cells.must("name", texts["name"], _("请填写姓名。"))
    return TeamMember(bid=bid, position=cells.i, is_supervisor=bool(cells.row.get("is_supervisor", False)), **texts)


def _kpi_columns(row: Kpi) -> dict[str, Any]:
    kind = "" if row.code else str(row.kind)
    typed = _columns("code", "name", "target", "group")(row)
    return {**typed, "kind": kind, "direct": "yes" if row.direct else "no"}


BUDGET = Table(
    "budget",
    _line,
    lambda bid: bid.budget_lines.all(),
    _columns("category", "name", "source", "unit_price", "quantity", "note"),
)
KPIS = Table("kpis", _kpi, lambda bid: bid.kpis.exclude(code__in=promised_elsewhere(bid)), _kpi_columns)
TEAM = Table(
    "team", _member, lambda bid: bid.team.all(), _columns("name", "role", "qualification", "licence_no", "is_supervisor")
)
