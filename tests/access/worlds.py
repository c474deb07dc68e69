"""One small world for each stage of a call: an organisation with a bid, a rival, outsiders, and a person for every role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.people.models import User
from grants.workflow import effects
from tests.world import awards, bidding, calls, evaluation, funding, needs, people, review
from tests.world.people import Body, Office

OURS, THEIRS = "甲方专用项目——晨曦计划", "乙方专用项目——暮色计划"
"""Titles of the two bids: whoever has no part in the first must not meet its title before it is published."""


@dataclass
class World:
    """A stage: its moment, people by role, and objects by name."""

    stage: str
    now: datetime
    actors: dict[str, User | None] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)

    @property
    def secrets(self) -> list[str]:
        """What outsiders must never read: the title until it is public, and telephone, account and the words of the bid always."""
        ours = self.objects["organisation"]
        always = [ours.phone, ours.account_number]
        return always if self.stage in PUBLISHED else [OURS, *always]


PUBLISHED = ("noticed", "funded")
POOL: dict[str, Any] = {"sector": 14, "finance": 6}
"""Experts enough that some are neither seated nor alternates."""


def _people(world: World, desk: Office, call: Call | None, own: Body, rival: Body) -> None:
    """A person for every role, here and in another agency and organisation."""
    other = people.office("澄江市邻县民政局")
    outsider = people.body(other, name="邻县百花艺术团")
    world.actors |= {
        "visitor": None,
        "stranger": people.person("路人"),
        "superuser": _superuser(),
        "officer": desk.officer, "approver": desk.approver, "finance": desk.finance, "auditor": desk.auditor,
        "officer_elsewhere": other.officer, "auditor_elsewhere": other.auditor,
        "signatory": own.signatory,
        "editor": people.appointed("editor", own.organisation), "claimant": people.appointed("claimant", own.organisation),
        "rival": rival.signatory, "outsider": outsider.signatory,
    }  # fmt: skip
    three = people.trio()
    world.actors |= {"system_admin": three.system, "security_admin": three.security, "audit_admin": three.audit}
    wish = needs.published(desk)
    world.objects |= {"need": wish, "person": people.person("新来的人")}
    if call is not None:
        world.actors |= {"operator": people.appointed("operator", call), "observer": people.appointed("observer", call)}
    world.objects |= {"agency": desk.agency, "organisation": own.organisation, "rival": rival.organisation, "call": call}


def _superuser() -> User:
    """A superuser has no business role at all: the matrix shows what that means."""
    made = people.person("超级用户")
    User.objects.filter(pk=made.pk).update(is_superuser=True, is_staff=True)
    return User.objects.get(pk=made.pk)


def draft() -> World:
    desk = people.office()
    call = calls.draft(desk, review.rules())
    world = World("draft", clock.now())
    _people(world, desk, call, people.body(desk), people.body(desk))
    _pool(world, desk)
    return world


def opened() -> World:
    desk = people.office()
    call = calls.opened(desk, review.rules())
    own, rival = people.body(desk), people.body(desk)
    now = bidding.opens(call)
    with clock.at(now):
        ours = bidding.submitted(call, own, title=OURS)
        theirs = bidding.filled(call, rival, title=THEIRS)
    world = World("open", now + timedelta(hours=2))
    _people(world, desk, call, own, rival)
    _pool(world, desk)
    world.objects |= {"bid": ours, "rival_bid": theirs}
    return world


def in_review() -> World:
    made = review.judged(review.rules(), n=2, titles=(OURS, THEIRS), **POOL)
    panel = review.started(made.call, made.desk.officer)
    ballot = review.scored(review.review_of(panel, made.bids[0]))
    world = World("review", review.after(made.call, 9))
    _people(world, made.desk, made.call, made.bodies[0], made.bodies[1])
    seated = set(panel.members.values_list("expert_id", flat=True))
    waiting = review.review_of(panel, made.bids[1], ballot.expert.code)
    unseated = next(e for e in made.experts.values() if e.pk not in seated)
    world.actors |= {"expert": ballot.expert.user, "expert_unseated": unseated.user}
    world.objects |= {"bid": made.bids[0], "rival_bid": made.bids[1], "panel": panel, "review": waiting, "expert": ballot.expert}
    return world


def noticed() -> World:
    made = awards.ranked(amounts=["90000.00", "80000.00"], titles=(OURS, THEIRS), **POOL)
    awards.proposed(made)
    notice = awards.noticed(made)
    award = awards.awards(made.call)[0]
    objection = awards.objected(notice, award)
    world = World("noticed", notice.published_at + timedelta(days=2))
    _people(world, made.desk, made.call, made.bodies[0], made.bodies[1])
    _reviewed(world, made.call)
    world.objects |= {"bid": made.bids[0], "rival_bid": made.bids[1], "notice": notice, "award": award, "objection": objection}
    return world


def funded() -> World:
    project, other = funding.begun(amounts=("90000.00", "80000.00"), titles=(OURS, THEIRS), **POOL)
    with clock.at(project.day(2)):
        funding.paid(project, 1)
    with clock.at(project.day(60)):
        spent = funding.expense(project, "100.00")
        evaluation.submitted(project)
        evaluator = evaluation.nominated(project)
    world = World("funded", project.day(61))
    _people(world, project.desk, project.call, project.body, other.body)
    _reviewed(world, project.call)
    world.actors |= {"evaluator": evaluator}
    world.objects |= {
        "bid": project.award.bid, "rival_bid": other.award.bid, "award": project.award, "notice": project.award.notice,
        "contract": project.award.contract, "tranche": project.award.tranches.get(number=2),
        "evaluation": evaluation.of(project), "expense": spent, "order": funding.order_of(project),
    }  # fmt: skip
    return world


def _pool(world: World, desk: Office) -> None:
    expert = next(iter(review.pool(desk, sector=1, finance=0)))
    world.actors |= {"expert_unseated": expert.user}
    world.objects |= {"expert": expert}


def _reviewed(world: World, call: Call) -> None:
    """The panel, one of its experts, and one of the pool who was not drawn."""
    from review.models import Expert, Panel

    panel = Panel.objects.select_related(*Panel.door_select).get(call=call)
    ballot = panel.reviews.filter(bid__title=OURS).select_related("expert__user").order_by("expert__code")[0]
    unseated = Expert.objects.exclude(pk__in=panel.members.values("expert_id")).select_related("user").order_by("code")[0]
    world.actors |= {"expert": ballot.expert.user, "expert_unseated": unseated.user}
    world.objects |= {"panel": panel, "review": ballot, "expert": ballot.expert}


def build(make: Callable[[], World]) -> World:
    """The world with everything promised done, and every person as a new request finds them."""
    world = make()
    with clock.at(world.now):
        effects.drain()
    world.actors = {name: user and User.objects.get(pk=user.pk) for name, user in world.actors.items()}
    world.objects = {name: obj for name, obj in world.objects.items() if obj is not None}
    if "bid" in world.objects:
        world.objects["bid"] = Bid.objects.select_related(*Bid.door_select).get(pk=world.objects["bid"].pk)
    return world


STAGES: dict[str, Callable[[], World]] = {
    "draft": draft, "open": opened, "review": in_review, "noticed": noticed, "funded": funded,
}  # fmt: skip
