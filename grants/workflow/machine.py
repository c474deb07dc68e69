"""Machines: models whose state moves only by declared steps.

A machine shows, on one screen, every state, every step, who may take it, when, and what follows. This module is the only one
that imports django_fsm (package `django-fsm-2`); the traps it closes are listed in docs/adr/0005-state-machines.md.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models
from django_fsm import FSMField, transition

from grants.workflow.refusals import Sentence, SideDoor
from grants.workflow.rules import Rule

F = TypeVar("F", bound=Callable[..., "Facts | None"])


@dataclass(frozen=True)
class Facts:
    """What a step wants remembered in the ledger.

    public: goes into the log in the clear (no personal data, no floats). private: salted commitment only, payload erasable.
    files: name → SHA-256 hex of each file concerned.
    """

    public: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One declared step: verb, Chinese label, from, to (None: stays where it is), who, when, what follows."""

    verb: str
    label: Sentence
    source: tuple[str, ...]
    to: str | None
    by: Rule
    when: tuple[Rule, ...]
    then: tuple[str, ...]
    doc: str = ""
    danger: bool = False


@dataclass(frozen=True)
class Opening:
    """How an object of this machine comes into being: label, who, when, what follows."""

    label: Sentence
    by: Rule
    when: tuple[Rule, ...] = ()
    then: tuple[str, ...] = ()


class StateField(FSMField):  # type: ignore[misc]
    """A protected state column. Migrations name this class, never the library."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 32)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("db_index", True)
        kwargs["protected"] = True
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False, **kwargs: Any) -> None:
        """The models that a migration renders have no steps: for them it is a plain column.

        The library listens for every class that is made after each of its fields; a migration renders thousands, so its time grew with the
        square of their number (four fifths of it, measured).
        """
        if cls.__module__ == "__fake__":
            models.CharField.contribute_to_class(self, cls, name, private_only=private_only)
        else:
            super().contribute_to_class(cls, name, private_only=private_only, **kwargs)


def states_are(states: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """CHECK constraint: SQL that writes an undeclared state is refused by the database itself."""
    return models.CheckConstraint(condition=models.Q(state__in=states.values), name=f"{name}_state")


def step(
    state: StateField,
    label: Sentence,
    *,
    source: str | Sequence[str],
    to: str | None,
    by: Rule,
    when: Iterable[Rule] = (),
    then: Iterable[str] = (),
    danger: bool = False,
) -> Callable[[F], F]:
    """Declare a step. `by` has no default: a step that anybody may take says so.

    source: the state or states it starts from. to: the state it ends in; None keeps the state (an act that is recorded).
    when: facts that must hold. then: names of effects, done once each after commit. danger: hard to undo; asks for a reason.
    """
    sources = (source,) if isinstance(source, str) else tuple(source)

    def declare(method: F) -> F:
        moved = transition(field=state, source=[str(s) for s in sources], target=None if to is None else str(to))(method)

        @functools.wraps(moved)
        def guarded(self: Machine, **details: Any) -> Facts | None:
            if self.__dict__.get("_door") != method.__name__:
                raise SideDoor(f"{type(self).__name__}.{method.__name__}() called directly; use perform(obj, verb, by=…)")
            return moved(self, **details)  # type: ignore[no-any-return]

        guarded.step = Step(  # type: ignore[attr-defined]
            verb=method.__name__,
            label=label,
            source=tuple(str(s) for s in sources),
            to=None if to is None else str(to),
            by=by,
            when=tuple(when),
            then=tuple(then),
            doc=(method.__doc__ or "").strip(),
            danger=danger,
        )
        return guarded  # type: ignore[return-value]

    return declare


class Machine(models.Model):
    """Abstract base of everything that has a state.

    Subclasses give `States` (TextChoices), `state` (StateField), `opening`, and steps. `scopes` names the attributes on which
    permissions are asked ("agency", "call", "organisation", …); `door_select` the relations read with the locked row.
    """

    States: ClassVar[type[models.TextChoices]]
    opening: ClassVar[Opening]
    door_select: ClassVar[tuple[str, ...]] = ()
    machine_name: ClassVar[str] = ""

    if TYPE_CHECKING:  # the columns a step's body reads and writes are declared in the stage's models.py
        state: Any

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        abstract = True

    @property
    def subject(self) -> str:
        """How the ledger names this object: machine name and random id."""
        return f"{self.kind()}:{self.pk}"

    def state_words(self, state: str) -> str:
        """A state in the words of this very object; an unknown one as it is written."""
        return str(dict(self.States.choices).get(state, state))

    def seen_by(self, actor: Any) -> Self:
        """This row as that person may see it, to be shown and never saved. A stage that hides part of a row from some says so here."""
        return self

    @property
    def actor(self) -> Any:
        """Who is taking the step now; only readable inside a step's body."""
        return self.__dict__["_actor"]

    @property
    def machine_title(self) -> str:
        """The Chinese name of this kind of object, for captions."""
        return str(self._meta.verbose_name)

    @classmethod
    def kind(cls) -> str:
        return cls.machine_name or cls._meta.model_name or cls.__name__.lower()

    @classmethod
    def steps(cls) -> dict[str, Step]:
        """Every declared step by verb, in the order of declaration. Downstream conditions are included."""
        found: dict[str, Step] = {}
        for klass in reversed(cls.__mro__):
            for name, member in vars(klass).items():
                declared = getattr(member, "step", None)
                if isinstance(declared, Step):
                    found[name] = _with_guards(cls, declared)
        return found

    def refresh_from_db(self, using: str | None = None, fields: Any = None, from_queryset: Any = None) -> None:
        """Like Django's, for a protected field: the old value is taken out first and put back if the row is gone.

        django-fsm-2 4.2.4 instead unprotects the class-wide field and may leave it so for the whole process.
        """
        held = self.__dict__.get("state")
        self.__dict__["_refreshing"] = True
        if fields is None or "state" in fields:
            self.__dict__.pop("state", None)
        try:
            super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        finally:
            del self.__dict__["_refreshing"]
            if held is not None:
                self.__dict__.setdefault("state", held)

    def get_deferred_fields(self) -> set[str]:
        """Django's, but a state that was only taken out to be read again is not deferred: else it would not be read at all."""
        deferred: set[str] = super().get_deferred_fields()
        return deferred - {"state"} if "_refreshing" in self.__dict__ else deferred


_guards: dict[tuple[str, str], list[Rule]] = {}


def guard(machine: type[Machine], verb: str, condition: Rule) -> None:
    """A downstream stage adds a condition to an upstream step (call.archive waits for every award).

    Upstream never names downstream, so the condition is handed up at start-up, in the AppConfig's ready().
    """
    held = _guards.setdefault((machine._meta.label_lower, verb), [])
    if condition.name not in {r.name for r in held}:
        held.append(condition)


def _with_guards(machine: type[Machine], declared: Step) -> Step:
    extra = _guards.get((machine._meta.label_lower, declared.verb))
    if not extra:
        return declared
    return Step(**{**declared.__dict__, "when": declared.when + tuple(extra)})
