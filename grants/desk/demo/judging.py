"""Screening by the officer, draw, ballots by the experts, lock, signatures and report."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

from bidding import services as bidding
from bidding.models import Bid, Finding
from bidding.services.screening import assess
from grants import clock
from grants.calls.models import Call
from grants.desk.demo import drawing
from grants.people.models import User
from grants.workflow.door import perform
from review import services
from review.ballots import own_criteria
from review.models import Draw, Panel, Review
from review.other_scores import components
from review.panels import bids_of
from review.results import waiting_for_lots

LOOKED = "中国社会组织政务服务平台、信用中国查询截图 %s"


def settle(bid: Bid, *, by: User, moment: str = Finding.Moment.SCREENING) -> None:
    """The clerk looks up what the machine cannot know and writes down what was found, with the source and the day."""
    for finding in assess(bid).values():
        if finding.outcome.value == "needs_clerk":
            bidding.record_finding(bid, finding.rule, "pass", by=by, evidence_note=LOOKED % clock.today(), moment=moment)


def fresh(bid: Bid) -> Bid:
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def waiting(call: Call) -> list[Bid]:
    """Bids that wait for screening, by number."""
    return list(Bid.objects.filter(call=call, state="submitted").select_related(*Bid.door_select).order_by("number"))


def screen(call: Call, *, by: User) -> list[Bid]:
    """Machine checks and look-ups for every bid, then admission or refusal with the reason; returns the refused."""
    bidding.screen(call, by=by)
    refused = []
    for bid in waiting(call):
        settle(bid, by=by)
        failed = [f for f in assess(bid).values() if f.outcome.value == "fail"]
        if failed:
            refused.append(perform(fresh(bid), "reject", by=by, note="；".join(f.sentence for f in failed)))
        else:
            perform(fresh(bid), "admit", by=by)
    return refused


def begin(draw: Draw, *, by: User) -> Panel:
    """The panel that was drawn: assign, start."""
    panel = draw.panel
    assert panel is not None
    services.assign(panel, by=by)
    return perform(panel, "start", by=by)


def share(review: Review) -> Decimal:
    """How much of the points this expert gives this bid: the bid's own quality, and the expert's eye."""
    return quality(review.bid) + Decimal(Random(f"{review.expert.code}/{review.bid.title}").randint(-10, 10)) / 1000  # noqa: S311


def quality(bid: Bid) -> Decimal:
    """0.93 for the best bid of its call, 0.016 less for each after it: whoever is drawn, the order stays. By title, in any order."""
    titles = sorted(Bid.objects.filter(call=bid.call_id).values_list("title", flat=True), key=_merit)
    return Decimal("0.93") - Decimal("0.016") * titles.index(bid.title)


def _merit(title: str) -> float:
    return Random(f"merit/{title}").random()  # noqa: S311 - the order of a story


def score(review: Review) -> Review:
    """Pledge, mark every criterion with a word for the bidder, hand in."""
    user = review.expert.user
    review = services.accept(review, by=user, pledge=True)
    given = share(review)
    marks = {c.code: (c.top * given).quantize(Decimal("0.1")) for c in own_criteria(review)}
    words = "需求清楚，安排具体" if given > Decimal("0.75") else "目标偏大，人员投入不足"
    services.save_marks(review, marks, by=user, comments=dict.fromkeys(marks, (words, "")))
    return services.submit(review, by=user)


def open_reviews(panel: Panel) -> list[Review]:
    """Ballots still to be handed in, stage by stage."""
    rows = panel.reviews.filter(state__in=("assigned", "accepted")).select_related(*Review.door_select)
    return list(rows.order_by("stage", "bid__number", "expert__code"))


def score_all(reviews: Iterable[Review]) -> None:
    for review in reviews:
        score(review)


def enter_others(panel: Panel, *, by: User) -> None:
    """Residents' votes, pledges, public votes and site checks."""
    for bid in bids_of(panel):
        for part in components(panel.rules, bid):
            value = (part.top * quality(bid)).quantize(Decimal("0.1"))
            services.enter_other_score(panel, bid, part.code, value, basis=f"现场计票表 {clock.today()}", by=by)


def part_equals(panel: Panel, *, by: User) -> Panel:
    """Lots drawn simply where bids are equal in everything; a call that wants commitments has none in this demonstration."""
    if waiting_for_lots(panel) and str(panel.rules.review.panel.draw) == "simple":
        drawing.simple(panel.call, by, panel=panel, about="tie")
    return panel


def conclude(panel: Panel, *, by: User) -> Panel:
    """Every sitting member signs; the report is issued."""
    members = panel.members.filter(alternate=False, excused=False).select_related("expert__user")
    for member in members:
        services.sign(panel, by=member.expert.user)
    return services.conclude(panel, by=by)


def report(panel: Any) -> Panel:
    """The panel as it stands now."""
    return Panel.objects.select_related(*Panel.door_select).get(pk=panel.pk)
