"""What a stage hands to the desk: a form per step, a page per kind of object, and what waits for a person.

The desk imports these from each stage; no stage imports the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.workflow.door import perform
from grants.workflow.refusals import Sentence

if TYPE_CHECKING:
    from grants.workflow.machine import Machine


class StepForm(forms.Form):
    """Base of a step's form: a reason, plus the step's details as fields. Subclasses add fields and may override `details`.

    obj: the object as read for the page; actor: who is looking. `note` is required where the step is hard to undo.
    proves: the step is given the proof of who the person is as `authenticated`, because it is a part of the act (an electronic signature). That a
    page asks for one at all is said for every step in one table (`grants.desk.asking`), so that most steps need not know.
    """

    proves = False

    note = forms.CharField(label=_("说明"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, obj: Machine, actor: Any, danger: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.obj, self.actor = obj, actor
        if danger:
            self.fields["note"].required = True
            self.fields["note"].label = _("原因（必填，将记入经过）")
        self.order_fields([name for name in self.fields if name != "note"] + ["note"])

    def details(self) -> dict[str, Any]:
        """Keyword arguments for the step's body."""
        return {name: value for name, value in self.cleaned_data.items() if name != "note"}

    def take(self, verb: str, **details: Any) -> Any:
        """Take the step. A stage whose step needs more around it than the door itself (what a refusal must leave behind) overrides this."""
        return perform(self.obj, verb, by=self.actor, **details)


@dataclass(frozen=True)
class Link:
    """A link on an object's page: label, URL, and whether it is the main thing to do next."""

    label: Sentence
    url: str
    primary: bool = False


@dataclass(frozen=True)
class Page:
    """How the desk shows one kind of object.

    template: the partial with the stage's own facts. context: (obj, actor) → extra template context. links: (obj, actor) →
    links to the stage's own pages (editing, lists). documents: (obj, actor) → [(label, StoredFile)] this person may download.
    """

    template: str
    context: Callable[[Any, Any], dict[str, Any]] = lambda _obj, _actor: {}
    links: Callable[[Any, Any], Sequence[Link]] = lambda _obj, _actor: ()
    documents: Callable[[Any, Any], Sequence[tuple[Any, Any]]] = lambda _obj, _actor: ()


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a person: what to do, on what, where, and by when (UTC)."""

    label: Sentence
    title: str
    url: str
    due_at: datetime | None = None
