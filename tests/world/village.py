"""A village: one office with something at every stage, so that whoever walks through the site finds every kind of page with content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from grants import clock
from grants.people.models import User
from grants.workflow import effects
from tests.world import awards, bidding, calls, evaluation, funding, people, review
from tests.world.funding import Project
from tests.world.people import Body, Office
from tests.world.review import Judged


@dataclass(frozen=True)
class Village:
    """The office's round with two running projects, a panel at work, and an open call with a draft and a bid in it."""

    desk: Office
    projects: list[Project]
    scoring: Judged
    writers: list[Body]
    evaluator: User
    expert: User
    admin: User
    now: datetime

    def people(self) -> dict[str, User | None]:
        """Everybody who walks, by role; None is a visitor."""
        return {
            "visitor": None,
            "officer": self.desk.officer,
            "approver": self.desk.approver,
            "finance": self.desk.finance,
            "auditor": self.auditor,
            "grantee": self.projects[0].claimant,
            "applicant": self.writers[0].signatory,
            "expert": self.expert,
            "evaluator": self.evaluator,
            "second officer": self.scoring.desk.officer,
            "administrator": self.admin,
        }

    @property
    def auditor(self) -> User:
        return people.appointed("auditor", self.desk.agency, "审计员")


def settled() -> Village:
    """Built through services only. The caller sets the clock to `now`."""
    projects = funding.begun(awards.rules("YX-2026-01"), amounts=("100000.00", "90000.00"))
    first = projects[0]
    day = first.day(40)
    with clock.at(first.day(2)):
        funding.paid(first, 1)
        funding.requested(projects[1], 1)
    with clock.at(day):
        funding.expense(first, "3260.40")
        evaluation.submitted(first)
        evaluator = evaluation.nominated(first)
    scoring = _scoring()
    writers = _writing(first.desk, day)
    effects.drain()
    admin = User.objects.create_superuser("root", password=people.PASSWORD, name="管理员")
    return Village(first.desk, projects, scoring, writers, evaluator, _judge(scoring), admin, day + timedelta(hours=2))


def _scoring() -> Judged:
    """Another office's call with its panel at work: some ballots are in."""
    made = review.judged(review.rules("YX-2026-01", name="YX-2026-11"), n=3)
    panel = review.started(made.call, made.desk.officer)
    with clock.at(review.after(made.call, 5)):
        for ballot in panel.reviews.select_related("expert__user").order_by("pk")[:2]:
            review.scored(ballot)
    return made


def _judge(made: Judged) -> User:
    """An expert who still has something to score."""
    panel = made.call.panels.get() if hasattr(made.call, "panels") else made.call.panel
    return panel.reviews.filter(state="assigned").select_related("expert__user").first().expert.user


def _writing(desk: Office, day: datetime) -> list[Body]:
    """A call open on `day`: one organisation has a draft, another has handed in. And a call still being drafted."""
    call = calls.opened(desk, calls.rules("YX-2026-04", opens_at=day - timedelta(days=3)))
    writers = [people.body(desk), people.body(desk)]
    with clock.at(day):
        for who in writers:
            people.checked(who, desk, 2024, 2025)
        bidding.filled(call, writers[0], amount=Decimal("20000.00"))
        bidding.submitted(call, writers[1], amount=Decimal("20000.00"))
    calls.draft(desk, calls.rules("YX-2026-03"))
    return writers
