"""From a filled sheet to a grade, by the call's own bands — a thin bridge from rules to `grading`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grants import clock
from grants.calls.rulebook.parts.evaluation import EvaluationSheet
from grants.evaluation import grading
from grants.evaluation.models import Evaluation
from grants.workflow.refusals import Invalid


@dataclass(frozen=True)
class Graded:
    """What `write_grade` stores."""

    total: Decimal | None
    code: str
    name: str
    sentence: str


def sheet(evaluation: Evaluation) -> EvaluationSheet:
    """The rules' sheet of this moment. LookupError when the rules have none."""
    rules = evaluation.award.bid.rules.evaluation
    found = rules.midterm if evaluation.moment == Evaluation.Moment.MIDTERM else rules.final
    if found is None:
        raise LookupError(f"the rules have no {evaluation.moment} sheet")
    return found


def pure_sheet(evaluation: Evaluation) -> grading.Sheet:
    """The same sheet in the shape of the pure arithmetic."""
    asked = sheet(evaluation)
    return grading.Sheet(
        criteria=tuple(grading.Criterion(c.code, c.name, c.weight) for c in asked.criteria),
        bands=tuple(_band(b) for b in asked.bands),
        bonus_max=asked.bonus_max,
        penalty_max=asked.penalty_max,
    )


def _band(band: Any) -> grading.Band:
    consequences = tuple(grading.Consequence(grading.Action(c.action.value), c.months) for c in band.consequences)
    return grading.Band(band.name, band.at_least, band.passed, consequences)


def outcome(
    evaluation: Evaluation, scores: Mapping[str, Any], bonus: Any, penalty: Any, *, is_late: bool = False
) -> grading.Grade:
    """The grade these scores give today. Raises Invalid naming the criterion."""
    marks = {code: Decimal(str(value)) for code, value in scores.items()}
    try:
        return grading.grade(
            pure_sheet(evaluation),
            marks,
            on=clock.today(),
            bonus=Decimal(str(bonus)),
            penalty=Decimal(str(penalty)),
            is_late=is_late,
        )
    except grading.GradingRefused as refused:
        raise Invalid(refused.sentence, rule=f"sheet_{refused.rule}", problems={"scores": [refused.sentence]}) from refused


def graded(evaluation: Evaluation, scores: Mapping[str, Any], bonus: Any, penalty: Any) -> Graded:
    """Total, code and name of the grade."""
    return _kept(outcome(evaluation, scores, bonus, penalty))


def graded_late(evaluation: Evaluation) -> Graded:
    """The grade of a report that is late or missing without reason: the lowest band, no total."""
    return _kept(outcome(evaluation, {}, 0, 0, is_late=True))


def _kept(found: grading.Grade) -> Graded:
    return Graded(found.total, "passed" if found.band.passed else "failed", found.band.name, found.sentence)


def missing(evaluation: Evaluation, details: Mapping[str, Any]) -> list[str]:
    """Names of the criteria without a score in `details` — a missing score is not zero."""
    given = details.get("scores") or evaluation.scores or {}
    return [c.name for c in sheet(evaluation).criteria if given.get(c.code) in (None, "")]


def stored_outcome(evaluation: Evaluation) -> grading.Grade:
    """The grade of a confirmed evaluation with its consequences, recomputed from what is stored."""
    if not evaluation.scores:
        return outcome(evaluation, {}, 0, 0, is_late=True)
    return outcome(evaluation, evaluation.scores, evaluation.bonus, evaluation.penalty)
