"""矛盾检查: every way in which a well-formed call can contradict itself, the law, or what can be carried out.

One small function for each contradiction, in a module for each subject; `CONTRADICTIONS` lists them all by code.
"""

from __future__ import annotations

from grants.calls.rulebook.lint import applicants, award, evaluation, funding, money, paper, review, times
from grants.calls.rulebook.lint.registry import CONTRADICTIONS, Contradiction, World
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.problems import Problem, Severity

__all__ = ["CONTRADICTIONS", "SUBJECTS", "Contradiction", "World", "errors_in", "lint"]

SUBJECTS = (times, money, applicants, paper, review, award, funding, evaluation)
"""The modules whose import registered their contradictions."""


def lint(rules: CallRules, *, file: str = "call.toml", world: World | None = None) -> list[Problem]:
    """Every contradiction in `rules`, errors first; `world` knows the calendar (Monday to Friday when it is not given)."""
    known = world or World()
    found = [
        Problem(file, f.key, c.code, f.severity, f.message, f.way_out) for c in CONTRADICTIONS for f in c.check(rules, known)
    ]
    return sorted(found, key=lambda problem: (problem.severity is Severity.WARNING, problem.code))


def errors_in(rules: CallRules, *, file: str = "call.toml", world: World | None = None) -> list[Problem]:
    """Only what stops publishing."""
    return [problem for problem in lint(rules, file=file, world=world) if problem.severity is Severity.ERROR]
