"""Reports written, sheets filled, grades confirmed, projects closed and terminated, through the services a person clicks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from grants import clock
from grants.awards.models import Award
from grants.evaluation import services
from grants.evaluation.grades import sheet
from grants.evaluation.models import Evaluation
from grants.funding.services import compute_surplus
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from tests.world import bidding, funding, people
from tests.world.funding import Project


def of(project: Project, moment: str = "midterm") -> Evaluation:
    """Fresh from the database."""
    return Evaluation.objects.select_related(*Evaluation.door_select).get(award=project.award, moment=moment)


def written(project: Project, moment: str = "midterm", **more: Any) -> Evaluation:
    """Every question answered; `more` by field code."""
    found = of(project, moment)
    for section in services.sections(found):
        given = {f.code: bidding.answer(f) for f in section.fields if f.kind != "file"}
        services.save_report(found, section.code, {**given, **{k: v for k, v in more.items() if k in given}}, by=project.claimant)
    return of(project, moment)


def submitted(project: Project, moment: str = "midterm", **more: Any) -> Evaluation:
    return perform(written(project, moment, **more), "submit", by=project.claimant)


def nominated(project: Project, moment: str = "midterm", evaluator: User | None = None) -> User:
    """An evaluator from outside, unless one is given."""
    who = evaluator or people.person("评估人戊")
    perform(of(project, moment), "nominate", by=project.desk.officer, evaluator=who)
    return who


def scores(found: Evaluation, share: str = "0.8") -> dict[str, Decimal]:
    """The same share of every criterion's points."""
    return {c.code: (c.weight * Decimal(share)).quantize(Decimal("0.01")) for c in sheet(found).criteria}


def graded(project: Project, moment: str = "midterm", share: str = "0.8", **more: Any) -> Evaluation:
    """Submitted, an evaluator nominated, and graded by them."""
    submitted(project, moment, **more)
    who = nominated(project, moment)
    return perform(of(project, moment), "grade", by=who, scores=scores(of(project, moment), share))


def confirmed(project: Project, moment: str = "midterm", share: str = "0.8", **more: Any) -> Evaluation:
    """Graded and confirmed; what follows from the grade is done."""
    done = perform(graded(project, moment, share, **more), "confirm", by=project.desk.approver)
    effects.drain()
    return of(project, done.moment)


def spent_and_evaluated(project: Project, spent: str) -> None:
    """Three tranches paid, `spent` 元 booked, both evaluations passed, the file complete. The last tranche waits for the surplus."""
    with clock.at(project.day(2)):
        funding.paid(project, 1)
    with clock.at(project.day(60)):
        funding.expense(project, spent)
        funding.evidence(project, "logo", *funding.CLOSING)
        confirmed(project, "midterm")
        funding.paid(project, 2)
    with clock.at(project.day(200)):
        confirmed(project, "final", satisfaction="93")
        compute_surplus(project.award, by=project.desk.officer)
        funding.paid(project, 3)


def closed(project: Project) -> Award:
    """Closed by the approver; the record written. Everything must be in the file."""
    done = perform(project.fresh(), "close", by=project.desk.approver)
    effects.drain()
    return done
