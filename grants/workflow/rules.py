"""Rules: named questions that compose, answer, explain themselves and print themselves.

A rule is asked about one object and one actor at one moment. It answers yes, or no with a sentence that says what to do.
The same rule serves `by` (who may) and `when` (on which facts). Rules that lists need also carry a queryset form; the object
form of such a rule is *derived* from the queryset form, so that a page and a list can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.workflow.refusals import Sentence

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet


M = TypeVar("M", bound="Model")


class Actor(Protocol):
    """Whoever takes a step: a person, or the clock."""

    @property
    def pseudonym(self) -> Any:
        """A random identifier that means nothing outside this installation (never a name, never an ID number)."""

    @property
    def is_active(self) -> bool:
        """Whether the account may act at all."""


class _System:
    """The clock as an actor, so that deadline closings are recorded like any other step."""

    pseudonym = "system"
    is_active = True
    pk = None

    def __str__(self) -> str:
        return "系统"


class _Public:
    """Somebody without an account. The public may object and propose; who they are is in the object's own private columns."""

    pseudonym = "public"
    is_active = True
    pk = None

    def __str__(self) -> str:
        return "公众"


SYSTEM = _System()
PUBLIC = _Public()


@dataclass(frozen=True)
class Ask:
    """The question: may `actor` do this to `obj` at `now`, with these details?"""

    actor: Any
    obj: Any
    now: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """yes/no, the sentence when no, the rule that decided, and the role in which a person was let through."""

    ok: bool
    sentence: Sentence = ""
    rule: str = ""
    role: str = ""


Test = Callable[[Ask], "bool | str | Sentence | Answer"]


@dataclass(frozen=True)
class Rule:
    """One named question.

    name: stable identifier, shown in refusals and generated tables.
    says: what holds when the rule holds, as a short Chinese phrase for the table of who may what.
    test: True, False, a sentence (meaning no, and why), or a full Answer.
    refusal: the sentence used when `test` answers a bare False.
    roles: role codes whose holders this rule can let through (empty for facts).
    where: the queryset form, from an actor to a Q; None when no list needs it.
    typed: whether it asks about what the person types into the step's form, so that a page cannot ask it beforehand.
    """

    name: str
    says: Sentence
    test: Test
    refusal: Sentence = ""
    roles: frozenset[str] = frozenset()
    where: Callable[[Any], Q] | None = None
    typed: bool = False

    def answer(self, ask: Ask) -> Answer:
        verdict = self.test(ask)
        if isinstance(verdict, Answer):
            return verdict
        if verdict is True:
            return Answer(True, rule=self.name)
        return Answer(False, verdict or self.refusal or _("不符合条件：%(rule)s") % {"rule": self.says}, self.name)

    def allows(self, obj: Any, actor: Any, now: datetime, **details: Any) -> bool:
        return self.answer(Ask(actor, obj, now, details)).ok

    def q(self, actor: Any) -> Q:
        if self.where is None:
            raise LookupError(f"rule {self.name} has no queryset form")
        return self.where(actor)

    def filter(self, queryset: QuerySet[M], actor: Any) -> QuerySet[M]:
        """The rows the rule holds for, each once. DISTINCT compares whole rows, so it is asked for only where a row can come twice."""
        where = self.q(actor)
        found = queryset.filter(where)
        return found.distinct() if any(_leads_to_many(queryset.model, path) for path in _paths(where)) else found

    def __and__(self, other: Rule) -> Rule:
        return _joined(self, other, "且", _both, lambda a, b: a & b)

    def __or__(self, other: Rule) -> Rule:
        return _joined(self, other, "或", _either, lambda a, b: a | b)

    def __invert__(self) -> Rule:
        where = self.where
        return Rule(
            name=f"not_{self.name}",
            says=_("非（%(says)s)") % {"says": self.says},
            test=lambda ask: not self.answer(ask).ok,
            where=None if where is None else lambda actor: ~where(actor),
        )

    def renamed(self, name: str, says: Sentence, refusal: Sentence = "") -> Rule:
        """The same question under a name of its own, with its own sentence."""
        return replace(self, name=name, says=says, refusal=refusal or self.refusal)


def _paths(where: Q) -> Iterator[str]:
    """Every lookup path of a condition, however deeply nested; an expression joins nothing."""
    for child in where.children:
        if isinstance(child, Q):
            yield from _paths(child)
        elif isinstance(child, tuple):
            yield child[0]


@cache
def _leads_to_many(model: type[Model], path: str) -> bool:
    """Whether following the path can meet several rows for one, e.g. "members__expert" from a panel."""
    place: Any = model
    for part in path.split("__"):
        try:
            column = place._meta.get_field(part)
        except FieldDoesNotExist:  # "pk", or a lookup such as "in"
            return False
        if column.one_to_many or column.many_to_many:
            return True
        if column.related_model is None:
            return False
        place = column.related_model
    return False


def _both(a: Rule, b: Rule, ask: Ask) -> Answer:
    first = a.answer(ask)
    if not first.ok:
        return first
    second = b.answer(ask)
    return second if not second.ok else replace(second, role=first.role or second.role)


def _either(a: Rule, b: Rule, ask: Ask) -> Answer:
    first = a.answer(ask)
    if first.ok:
        return first
    second = b.answer(ask)
    return second if second.ok else first


def _joined(a: Rule, b: Rule, word: str, test: Callable[[Rule, Rule, Ask], Answer], q: Callable[[Q, Q], Q]) -> Rule:
    where = None
    if a.where is not None and b.where is not None:
        left, right = a.where, b.where
        where = lambda actor: q(left(actor), right(actor))  # noqa: E731
    return Rule(
        name=f"{a.name} {'&' if word == '且' else '|'} {b.name}",
        says=_Joined(a.says, word, b.says),
        test=lambda ask: test(a, b, ask),
        roles=a.roles | b.roles,
        where=where,
    )


class _Joined:
    """Two phrases with 且/或 between them, joined only when printed, so that each speaks the reader's language."""

    def __init__(self, left: Any, word: str, right: Any) -> None:
        self.parts = left, word, right

    def __str__(self) -> str:
        left, word, right = self.parts
        middle = str(_("且")) if word == "且" else str(_("或"))
        return f"{left}{middle}{right}"


def rule(
    says: Sentence, refusal: Sentence = "", *, roles: frozenset[str] = frozenset(), typed: bool = False
) -> Callable[[Test], Rule]:
    """Decorator: a plain function becomes a Rule named after it."""

    def make(test: Test) -> Rule:
        return Rule(name=getattr(test, "__name__", "rule"), says=says, test=test, refusal=refusal, roles=roles, typed=typed)

    return make


def row_rule(name: str, says: Sentence, where: Callable[[Any], Q], refusal: Sentence = "") -> Rule:
    """A rule given in its queryset form; the object form asks the database the same Q about one row."""

    def test(ask: Ask) -> bool:
        return bool(type(ask.obj)._base_manager.filter(where(ask.actor), pk=ask.obj.pk).exists())

    return Rule(name=name, says=says, test=test, refusal=refusal, where=where)


the_clock = Rule(
    name="the_clock",
    says=_("系统时钟"),
    test=lambda ask: Answer(ask.actor is SYSTEM, _("这一步由系统到时自动完成，无需人工操作。"), "the_clock", "system"),
    roles=frozenset({"system"}),
)


anyone = Rule(
    name="anyone",
    says=_("任何人"),
    test=lambda ask: Answer(
        ask.actor is not SYSTEM, _("这一步由人办理。"), "anyone", "public" if ask.actor is PUBLIC else "self"
    ),
    roles=frozenset({"public", "self"}),
)
