"""A small total language for budget rules: `personnel + expert <= 45% * grant and insurance > 0`.

Numbers (with an optional `%`), names, `+ - * /`, comparisons (which chain), `and`, `or`, `not`, `min(…)`, `max(…)` and brackets;
nothing else. There are no loops, calls out or powers, the text is at most 500 characters and nests at most 20 deep, so evaluating
always ends.
Arithmetic is exact to 28 digits in Decimal; dividing by zero makes the rule fail with that reason instead of raising.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Final, TypeVar

from grants.sentences import marked as _

MAX_LENGTH: Final = 500
MAX_DEPTH: Final = 20
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d{1,15}(?:\.\d{1,6})?%?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|==|!=|[-+*/()<>,]))"
)
_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_WORDS: Final = frozenset({"and", "or", "not"})
_FUNCTIONS: Final[dict[str, Callable[[list[Decimal]], Decimal]]] = {"min": min, "max": max}


WORDS: Final[dict[str, str]] = {
    "held": _("满足"), "broken": _("不满足"), "zero": _("除数为零，无法计算"), "unknown": _("没有名为 %(name)s 的数值"),
}  # fmt: skip
"""What a verdict says; the browser says the same (`bidding/sealed_budget.py`)."""

_Node = TypeVar("_Node")


class ExpressionError(ValueError):
    """The text is not a rule of this language; the message says where and what was expected."""


class _UndefinedError(ArithmeticError):
    """A value that does not exist (division by zero); caught by `judge`."""


@dataclass(frozen=True)
class Verdict:
    """Whether the rule holds, and why: each comparison that decided, with its two values."""

    holds: bool
    because: str


@dataclass(frozen=True)
class Number:
    """A literal; `40%` is 0.4."""

    value: Decimal
    text: str


@dataclass(frozen=True)
class Name:
    """A value from the environment."""

    name: str


@dataclass(frozen=True)
class Arithmetic:
    """`left sign right`."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Call:
    """`min(…)` or `max(…)`."""

    function: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Comparison:
    """A chain `a <= b < c`."""

    terms: tuple[Term, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Logic:
    """`and`, `or` over several rules, or `not` over one."""

    word: str
    parts: tuple[Rule, ...]


Term = Number | Name | Arithmetic | Call
Rule = Comparison | Logic


def parse(text: str) -> Rule:
    """The rule that `text` says; raises `ExpressionError` naming the place when it says none."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"算式超过 {MAX_LENGTH} 个字符")
    return _Parser(list(_tokens(text))).whole()


def names(rule: Rule | Term) -> frozenset[str]:
    """Every name the rule reads."""
    if isinstance(rule, Name):
        return frozenset({rule.name})
    return frozenset[str]().union(*(names(part) for part in _children(rule)))


def judge(rule: Rule, values: Mapping[str, Decimal]) -> Verdict:
    """Whether the rule holds for `values`; a name without a value or a division by zero makes it fail with that reason."""
    try:
        return _judge(rule, values)
    except _UndefinedError as undefined:
        return Verdict(False, str(undefined))


def _children(node: Rule | Term) -> tuple[Rule | Term, ...]:
    match node:
        case Arithmetic(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Comparison(terms=terms):
            return terms
        case Logic(parts=parts):
            return parts
    return ()


def _judge(rule: Rule, values: Mapping[str, Decimal]) -> Verdict:
    if isinstance(rule, Comparison):
        return _compare(rule, values)
    verdicts = [_judge(part, values) for part in rule.parts]
    if rule.word == "not":
        return Verdict(not verdicts[0].holds, verdicts[0].because)
    holds = all(v.holds for v in verdicts) if rule.word == "and" else any(v.holds for v in verdicts)
    return Verdict(holds, ";".join(v.because for v in verdicts if v.holds is holds))


def _compare(rule: Comparison, values: Mapping[str, Decimal]) -> Verdict:
    terms = [_value(term, values) for term in rule.terms]
    steps = zip(rule.signs, pairwise(terms), pairwise(rule.terms), strict=True)
    told = [(_COMPARE[sign](a, b), _tell(sign, a, b, *pair)) for sign, (a, b), pair in steps]
    holds = all(each for each, _ in told)
    return Verdict(holds, ";".join(sentence for each, sentence in told if each is holds))


def _tell(sign: str, left: Decimal, right: Decimal, first: Term, second: Term) -> str:
    held = WORDS["held" if _COMPARE[sign](left, right) else "broken"]
    return f"{_show(first, left)} {sign} {_show(second, right)} {held}"


def _show(term: Term, value: Decimal) -> str:
    shown = f"{value.normalize():f}" if value == value.to_integral_value() else str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))
    return term.text if isinstance(term, Number) else f"{_source(term)}({shown})"


def _source(term: Term) -> str:
    match term:
        case Number(text=text):
            return text
        case Name(name=name):
            return name
        case Arithmetic(sign=sign, left=left, right=right):
            return f"{_source(left)} {sign} {_source(right)}"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(_source, arguments))})"


def _value(term: Term, values: Mapping[str, Decimal]) -> Decimal:
    match term:
        case Number(value=value):
            return value
        case Name(name=name):
            return _look_up(name, values)
        case Call(function=function, arguments=arguments):
            return _FUNCTIONS[function]([_value(each, values) for each in arguments])
        case Arithmetic(sign=sign, left=left, right=right):
            return _reckon(sign, _value(left, values), _value(right, values))


def _look_up(name: str, values: Mapping[str, Decimal]) -> Decimal:
    if name not in values:
        raise _UndefinedError(WORDS["unknown"] % {"name": name})
    return values[name]


def _reckon(sign: str, left: Decimal, right: Decimal) -> Decimal:
    if sign == "/" and right == 0:
        raise _UndefinedError(WORDS["zero"])
    reckon: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    }  # fmt: skip
    return reckon[sign](left, right)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise ExpressionError(f"第 {position + 1} 个字符处无法识别：{text[position : position + 10]!r}")
        kind = str(found.lastgroup)
        yield kind, found[kind], found.start(kind)
        position = found.end()
    yield "end", "", len(text)


class _Parser:
    """Recursive descent, one method for each level of binding; `or` binds loosest."""

    def __init__(self, tokens: list[tuple[str, str, int]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def whole(self) -> Rule:
        node = self.either()
        if self.tokens[self.at][0] != "end":
            raise self.expected("算式结束")
        return self.rule(node)

    def expected(self, what: str) -> ExpressionError:
        _, text, position = self.tokens[self.at]
        return ExpressionError(f"第 {position + 1} 个字符处应为{what}，现为 {text or '结尾'}")

    def taken(self, *texts: str) -> str:
        kind, text, _ = self.tokens[self.at]
        if kind in ("sign", "name") and text in texts:
            self.at += 1
            return text
        return ""

    def rule(self, node: Rule | Term) -> Rule:
        if isinstance(node, Comparison | Logic):
            return node
        raise self.expected("比较，例如 a <= b")

    def term(self, node: Rule | Term) -> Term:
        if isinstance(node, Comparison | Logic):
            raise self.expected("数值，而不是判断")
        return node

    def either(self) -> Rule | Term:
        return self.joined("or", self.both)

    def both(self) -> Rule | Term:
        return self.joined("and", self.negated)

    def joined(self, word: str, part: Callable[[], Rule | Term]) -> Rule | Term:
        parts = [part()]
        while self.taken(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Logic(word, tuple(self.rule(each) for each in parts))

    def negated(self) -> Rule | Term:
        if self.taken("not"):
            return self.nested(lambda: Logic("not", (self.rule(self.negated()),)))
        return self.compared()

    def compared(self) -> Rule | Term:
        first = self.sum()
        terms, signs = [first], []
        while sign := self.taken(*_COMPARE):
            signs.append(sign)
            terms.append(self.sum())
        return Comparison(tuple(self.term(each) for each in terms), tuple(signs)) if signs else first

    def sum(self) -> Rule | Term:
        return self.chained(("+", "-"), self.product)

    def product(self) -> Rule | Term:
        return self.chained(("*", "/"), self.atom)

    def chained(self, signs: tuple[str, ...], part: Callable[[], Rule | Term]) -> Rule | Term:
        node = part()
        while sign := self.taken(*signs):
            node = Arithmetic(sign, self.term(node), self.term(part()))
        return node

    def atom(self) -> Rule | Term:
        kind, text, _ = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            return Number(Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text), text)
        if kind == "name" and text not in _WORDS:
            self.at += 1
            return self.called(text) if text in _FUNCTIONS else Name(text)
        if self.taken("("):
            return self.nested(self.bracketed)
        raise self.expected("数字、名称或括号")

    def bracketed(self) -> Rule | Term:
        inner = self.either()
        if not self.taken(")"):
            raise self.expected("右括号")
        return inner

    def called(self, function: str) -> Term:
        if not self.taken("("):
            raise self.expected(f"{function} 后的左括号")
        return self.nested(lambda: Call(function, self.arguments()))

    def arguments(self) -> tuple[Term, ...]:
        found = [self.term(self.sum())]
        while self.taken(","):
            found.append(self.term(self.sum()))
        if not self.taken(")"):
            raise self.expected("逗号或右括号")
        return tuple(found)

    def nested(self, part: Callable[[], _Node]) -> _Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"算式嵌套超过 {MAX_DEPTH} 层")
        try:
            return part()
        finally:
            self.depth -= 1
