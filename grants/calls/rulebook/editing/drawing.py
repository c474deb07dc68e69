"""Plain data as what a page shows: a tree of nodes with labels, texts, choices, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from grants.calls.rulebook.editing.parts import HEAVY, covers
from grants.calls.rulebook.editing.reading import written
from grants.calls.rulebook.editing.shapes import Shape, shapes
from grants.calls.rulebook.parts.base import NUMBER
from grants.calls.rulebook.problems import Problem, key_path

Option = tuple[str, str]
NARROW: Final = frozenset({"text", "code", "yuan", "percent", "points", "count", "moment", "day", "choice", "flag"})


@dataclass
class Node:
    """One control, group, list or element. name: of the control; key: as problems name it; loc: the way with indexes."""

    shape: Shape
    name: str
    key: str
    kind: str
    value: Any = ""
    present: bool = True
    children: list[Node] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    index: int = 0
    last: bool = False

    @property
    def ident(self) -> str:
        """The control's id."""
        return "id-" + self.name.replace(".", "-")

    @property
    def next_name(self) -> str:
        """Of a list: the way to an element that is not there yet."""
        return f"{self.name}.{len(self.children)}"

    @property
    def heavy(self) -> bool:
        """Whether the elements of this list have pages of their own."""
        return self.kind == "table" and self.shape.model in HEAVY

    @property
    def long(self) -> bool:
        """Whether a text wants several lines."""
        if self.kind == "lines" or self.shape.key in _LONG:
            return self.kind in ("prose", "lines", "text")
        return self.kind in ("prose", "text") and ("\n" in self.value or len(self.value) > 48)

    @property
    def rows(self) -> int:
        return max(2, min(8, str(self.value).count("\n") + 1 + len(str(self.value)) // 60))

    @property
    def cells(self) -> list[Node]:
        """Of an element: what stands in the columns of the table."""
        return [each for each in self.children if each.in_column]

    @property
    def below(self) -> list[Node]:
        """Of an element: what needs the whole width, and is set."""
        return [each for each in self.children if not each.in_column and not each.tucked]

    @property
    def more(self) -> list[Node]:
        """Of an element: what is seldom needed and not set."""
        return [each for each in self.children if not each.in_column and each.tucked]

    @property
    def in_column(self) -> bool:
        """Names, kinds and what every element needs; at most some six columns."""
        if self.shape.key in ("code", "id") and self.shape.owner not in _CODE_IS_CHOICE:
            return False
        return self.shape.kind in NARROW and (self.shape.required or self.shape.key in _COLUMNS.get(self.shape.owner, ()))

    @property
    def tucked(self) -> bool:
        """Whether it may stay folded: it holds what it would hold anyway, and nothing is wrong with it."""
        if self.problems or any(each.problems for each in self.children):
            return False
        if self.shape.key in ("code", "id"):
            return True
        if self.kind == "table":
            return not self.children and not self.shape.required
        if self.kind == "group":
            return self.shape.optional and not self.present
        return not self.shape.required and self.kind != "flag" and self.is_default

    @property
    def is_default(self) -> bool:
        default = text_of(self.shape, self.shape.default)
        return bool(self.value == default or (self.kind == "choices" and not self.value and not default))

    @property
    def labels(self) -> list[Node]:
        """The columns' headings, taken from the first element."""
        return self.children[0].cells if self.children else []

    def walk(self) -> Iterable[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


_LONG: Final = frozenset({"summary", "note", "help", "text", "message", "means", "expr"})
"""Texts that are sentences: they get several lines from the start."""
_CODE_IS_CHOICE: Final = frozenset({"Condition"})
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "Criterion": ("scorer",), "Category": ("amount", "count"), "BudgetCategory": ("cap_share", "cap_amount", "banned"),
    "Track": ("amount", "cap"), "FormField": ("required",), "Column": ("kind", "required"), "Attachment": ("required", "phase"),
    "GradeBand": ("below",), "AmountBand": ("below",), "Consequence": ("months",), "Condition": ("percent",),
    "Kpi": ("required", "minimum"), "TieRule": ("criterion",), "ReviewStage": ("pitch_minutes", "question_minutes"),
    "ClosingItem": ("required",), "InKind": ("hours_total", "hours_per_project"), "ListedNeed": ("cap",),
}  # fmt: skip
"""Columns beside the required ones, by the element's type."""


def draw(shape: Shape, name: str, data: Mapping[str, Any], whole: Mapping[str, Any]) -> Node:
    """The node at `name` (a way with indexes); data: the table that holds its last key; whole: for choices and keys of problems."""
    node = Node(shape, name, key_path(_loc(name), whole), shape.kind)
    value = data.get(shape.key)
    if shape.kind == "group":
        node.present = value is not None or not shape.optional
        node.children = _fields(shape, name, value if isinstance(value, Mapping) else shape.default or {}, whole) if node.present else []
    elif shape.kind == "table":
        node.children = _elements(shape, name, value or [], whole)
    else:
        missing = value is None and not shape.required and not shape.optional
        node.value = text_of(shape, shape.default if missing else value)
        node.options = _options(shape, whole)
        node.kind = _kind(shape, node)
    return node


def _kind(shape: Shape, node: Node) -> str:
    """A short name that points at something else in the call is chosen, not typed."""
    if (shape.owner, shape.key) not in _POINTS_AT:
        return shape.kind
    known = {value for value, _ in node.options}
    held = node.value.split("\n") if shape.kind == "lines" and node.value else [node.value] if node.value else []
    node.options += [(each, each) for each in held if each not in known]
    if shape.kind == "lines":
        node.value = held
        return "choices"
    return "choice"


def element(shape: Shape, name: str, data: Mapping[str, Any], whole: Mapping[str, Any]) -> Node:
    """The node of one element of a list, with its fields."""
    return Node(shape, name, key_path(_loc(name), whole), "row", children=_fields(shape, name, data, whole))


def attach(nodes: Iterable[Node], problems: Iterable[Problem]) -> list[Problem]:
    """Hang each problem on the innermost node that it concerns; returns those that concern none of the nodes."""
    known = [node for top in nodes for node in top.walk()]
    homeless = []
    for problem in problems:
        at = [node for node in known if covers(node.key, problem.key)]
        if at:
            max(at, key=lambda node: (len(node.key), node.kind != "row")).problems.append(problem)
        else:
            homeless.append(problem)
    return homeless


def text_of(shape: Shape, value: Any) -> Any:
    """A plain value as it stands in its control; what was not understood stands as it was typed."""
    if shape.kind == "flag":
        return bool(value)
    if shape.kind == "choices":
        return list(value or ())
    if shape.kind == "lines":
        return "\n".join(written(str(each)) for each in value or ())
    if value is None:
        return ""
    if shape.kind in ("yuan", "percent", "points"):
        return _number(shape, str(value))
    return str(value).removesuffix("+08:00").removesuffix(":00") if shape.kind == "moment" else str(value)


def _number(shape: Shape, text: str) -> str:
    if not NUMBER.fullmatch(text):
        return text
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return text
    return f"{amount:,.2f}" if shape.kind == "yuan" else f"{amount.normalize():f}"


def _fields(shape: Shape, name: str, data: Mapping[str, Any], whole: Mapping[str, Any]) -> list[Node]:
    assert shape.model is not None
    return [draw(each, f"{name}.{each.key}", data, whole) for each in shapes(shape.model) if each.kind != "fixed"]


def _elements(shape: Shape, name: str, rows: list[Any], whole: Mapping[str, Any]) -> list[Node]:
    found = [element(shape, f"{name}.{index}", row, whole) for index, row in enumerate(rows)]
    for index, node in enumerate(found):
        node.index, node.last = index, index == len(found) - 1
    return found


def _loc(name: str) -> list[str | int]:
    return [int(step) if step.isdecimal() else step for step in name.split(".")]


def _options(shape: Shape, whole: Mapping[str, Any]) -> list[Option]:
    if shape.words is not None and shape.kind in ("choice", "choices"):
        return [(member.value, member.zh) for member in shape.words]
    finder = _POINTS_AT.get((shape.owner, shape.key))
    return finder(whole) if finder else []


def _listed(*way: str) -> Any:
    """The elements of a list of the call as choices: short name, printed name."""

    def options(whole: Mapping[str, Any]) -> list[Option]:
        data: Any = whole
        for step in way:
            data = data.get(step) or {}
        return [(str(each["code"]), str(each.get("name") or each["code"])) for each in data or [] if each.get("code")]

    return options


def _criteria(whole: Mapping[str, Any]) -> list[Option]:
    sheets = whole.get("review", {}).get("sheets") or []
    found = [(str(c["code"]), str(c.get("name") or c["code"])) for s in sheets for c in s.get("criteria") or [] if c.get("code")]
    return list(dict(found).items())


_POINTS_AT: Final[Mapping[tuple[str, str], Any]] = {
    ("FundSource", "forbids"): _listed("budget", "categories"),
    ("Track", "sheet"): _listed("review", "sheets"),
    ("FormField", "kpi"): _listed("outcomes", "kpis"),
    ("FormField", "attachment"): _listed("attachments"),
    ("TieRule", "criterion"): _criteria,
    ("SiteCheck", "criterion"): _criteria,
}
"""Keys that name another element of the same call, and where its choices are found."""
