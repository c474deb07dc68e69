"""A page that is sent whole, for whoever has no script: saved answer by answer, and shown again where a colleague was faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from bidding.forms import show
from bidding.services.keeping import Kept
from bidding.views.saving import Choice, based_on, choices, given_way
from grants.workflow.refusals import Invalid

Keeps = Callable[[Mapping[str, Any], Mapping[str, str]], Kept]
"""(answer → value, answer → mark) → what became of it. Raises Invalid about what is wrong."""


class Whole:
    """One such request. Afterwards: status to answer with, marks and choices to show."""

    def __init__(self, request: HttpRequest, form: Any, stands: Kept, keeps: Keeps) -> None:
        self.request, self.form, self.keeps = request, form, keeps
        self.status = 422 if request.method == "POST" else 200
        self.choices: dict[str, Choice] = {}
        self.marks = {answer: request.POST.get(f"mark-{answer}", mark) for answer, mark in stands.marks.items()}

    def saved(self, typed: Mapping[str, Any]) -> bool:
        """Whether everything typed was saved; otherwise the form tells what is wrong, or there are choices to make."""
        post = self.request.POST
        given = {answer: value for answer, value in typed.items() if not given_way(post, answer)}
        try:
            kept = self.keeps(given, based_on(post, given))
        except Invalid as refusal:
            show(self.form, {self._place(name): told for name, told in refusal.problems.items()}, str(refusal))
            return False
        if kept.clashes:
            self.status, self.choices = 409, choices(kept, self.form.in_words)
            self.marks = {a: self.marks.get(a, mark) if a in self.choices else mark for a, mark in kept.marks.items()}
        return not kept.clashes

    def _place(self, name: str) -> str:
        place: str = self.form.place(name) if hasattr(self.form, "place") else name
        return place

    def answers(self) -> list[tuple[Any, str, Choice | None]]:
        """(field, mark, choice) of every field of a simple form."""
        return [(bound, self.marks.get(bound.name, ""), self.choices.get(bound.name)) for bound in self.form]
