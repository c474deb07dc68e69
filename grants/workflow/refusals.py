"""Typed refusals. Each explains itself in a sentence the person can act on, and says which rule failed."""

from __future__ import annotations

from collections.abc import Mapping

Sentence = object  # anything that prints itself: a string, or a lazy translation in the reader's language


class Refusal(Exception):
    """Why a step was not taken. `str()` gives the sentence in the active language.

    rule: the name of the rule that failed, stable across languages.
    status: the HTTP status a view answers with.
    """

    status = 400

    def __init__(self, sentence: Sentence, *, rule: str, verb: str = "", subject: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.rule = rule
        self.verb = verb
        self.subject = subject

    def __str__(self) -> str:
        return str(self.sentence)


class NotYou(Refusal):
    """403: this person may not take this step, whatever the circumstances."""

    status = 403


class NotNow(Refusal):
    """409: the step exists and the person might take it, but not in this state or on these facts."""

    status = 409


class Invalid(Refusal):
    """422: what was handed in breaks a rule. `problems` maps field names to sentences (may be empty)."""

    status = 422

    def __init__(self, sentence: Sentence, *, rule: str, problems: Mapping[str, list[str]] | None = None, verb: str = "") -> None:
        super().__init__(sentence, rule=rule, verb=verb)
        self.problems: Mapping[str, list[str]] = problems or {}


class SideDoor(RuntimeError):
    """A step was called directly. State changes only through `perform()` (design §4)."""
