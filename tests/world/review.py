"""Experts, panels and ballots, made through services only; what experts give is a pure function of bid and expert."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.calls.rulebook.toml import from_data
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from review import services
from review.ballots import own_criteria
from review.models import Draw, Expert, Mark, Meeting, Panel, Review
from review.other_scores import components
from review.panels import bids_of
from review.results import waiting_for_lots
from review.rules import held
from tests.world import bidding, calls, people
from tests.world.people import Body, Office

Given = Callable[[Review], Decimal]
"""The share (0…1) of each criterion's points that an expert gives a bid."""


def expert(desk: Office, code: str, seat: str = "sector", **more: Any) -> Expert:
    """A person in the pool; whoever has the code already."""
    known = Expert.objects.filter(code=code).select_related("user").first()
    return known or services.register_expert(
        user=people.person(f"专家{code}"), code=code, seat=seat, agency=desk.agency, by=desk.officer, **more
    )


def pool(desk: Office, *, sector: int = 8, finance: int = 3, field: int = 0) -> list[Expert]:
    """Experts S01…, F01…, P01… ."""
    wanted = [("S", "sector", sector), ("F", "finance", finance), ("P", "field", field)]
    return [expert(desk, f"{letter}{n:02d}", seat) for letter, seat, count in wanted for n in range(1, count + 1)]


def after(call: Call, days: float = 3) -> datetime:
    """Some days after the call closed."""
    assert call.closes_at is not None
    return call.closes_at + timedelta(days=days)


MINUTE = timedelta(minutes=1)


def announced(call: Call, by: User, **more: Any) -> Draw:
    """A simple draw announced now, on a lottery that falls in a minute."""
    beacon = {"kind": "named", "source": "中国福利彩票双色球", "round": "2026039", "due": clock.now() + MINUTE}
    return services.announce(call, by=by, **{"beacon": beacon, **more})


def drawn(call: Call, by: User, *, value: str = "3-5-2", name: str = "", **more: Any) -> Draw:
    """Announced now and drawn as soon as its beacon has fallen, by one person."""
    draw = announced(call, by, **more)
    with clock.at(clock.now() + MINUTE):
        services.enter_beacon(draw, value, evidence="中国福彩网公告", by=by)
        return services.draw_now(draw, by=by, name=name)


def panel_drawn(call: Call, by: User, **more: Any) -> Panel:
    """The panel of a simple draw."""
    panel = drawn(call, by, **more).panel
    assert panel is not None
    return panel


def order_drawn(panel: Panel, by: User, **more: Any) -> Meeting:
    """The meeting whose order a simple draw gave."""
    drawn(panel.call, by, panel=panel, **more)
    return Meeting.objects.select_related(*Meeting.door_select).get(panel=panel)


def lots_drawn(panel: Panel, by: User, **more: Any) -> Draw:
    """The places of equals by a simple draw."""
    return drawn(panel.call, by, panel=panel, about="tie", **more)


def convened(call: Call, by: User, **more: Any) -> Panel:
    """A panel drawn three days after closing."""
    with clock.at(after(call)):
        return panel_drawn(call, by, **more)


@dataclass(frozen=True)
class Ceremony:
    """A draw by commitments under way: its three parties by public name with their secrets, and when the beacon falls."""

    draw: Draw
    parties: list[tuple[str, User]]
    secrets: dict[str, str]
    due: datetime

    def of(self, name: str) -> User:
        return dict(self.parties)[name]


def published(made: Judged, **more: Any) -> Ceremony:
    """Announced three days after closing: office, supervisor and a bidder; the beacon falls six hours later."""
    watcher = people.appointed("observer", made.call)
    parties = [("主办方", made.desk.officer), ("监督", watcher), ("申报方代表", made.bodies[0].signatory)]
    start = after(made.call)
    beacon = {"kind": "named", "source": "中国福利彩票双色球", "round": "2026039", "due": start + timedelta(hours=6)}
    with clock.at(start):
        draw = services.publish(made.call, parties=parties, beacon=beacon, by=made.desk.officer, **more)
    secrets = {name: hashlib.sha256(name.encode()).hexdigest() for name, _user in parties}
    return Ceremony(draw, parties, secrets, beacon["due"])  # type: ignore[arg-type]


def committed(made: Judged, **more: Any) -> Ceremony:
    """All three have committed, an hour after publication; not closed."""
    held = published(made, **more)
    with clock.at(after(made.call) + timedelta(hours=1)):
        services.start_draw(held.draw, by=made.desk.officer)
        for name, user in held.parties:
            services.commit(held.draw, by=user, secret=held.secrets[name])
    return held


def revealing(made: Judged, *, silent: Sequence[str] = ()) -> Ceremony:
    """Closed, and all but `silent` have revealed; the beacon is not entered."""
    held = committed(made)
    with clock.at(after(made.call) + timedelta(hours=2)):
        services.close_commitments(held.draw, by=held.of("监督"))
        for name, user in held.parties:
            if name not in silent:
                services.reveal(held.draw, held.secrets[name], by=user)
    return held


def started(call: Call, by: User, **more: Any) -> Panel:
    """Convened, assigned and started; invitations written."""
    with clock.at(after(call)):
        panel = panel_drawn(call, by, **more)
        services.assign(panel, by=by)
        panel = perform(panel, "start", by=by)
        effects.drain()
    return panel


def seated(judged: Judged) -> Panel:
    """Everybody drawn sits, so that somebody is free to step in; three reviews each at most."""
    found = convened(judged.call, judged.desk.officer)
    found.members.filter(alternate=True).update(alternate=False)
    with clock.at(after(judged.call)):
        services.assign(found, by=judged.desk.officer, max_load=3)
        found = perform(found, "start", by=judged.desk.officer)
        effects.drain()
    return found


def even(review: Review) -> Decimal:
    """Eighty per cent of everything."""
    return Decimal("0.8")


def by_bid(shares: dict[Any, str]) -> Given:
    """A share per bid (primary key), the same from every expert."""
    return lambda review: Decimal(shares[review.bid_id])


def scored(review: Review, given: Given = even, *, submit: bool = True) -> Review:
    """Pledged, marked by `given`, and handed in."""
    user = review.expert.user
    review = services.accept(review, by=user, pledge=True)
    share = given(review)
    marks = {c.code: (c.top * share).quantize(Decimal("0.01")) for c in own_criteria(review)}
    services.save_marks(review, marks, by=user, comments=dict.fromkeys(marks, ("目标清楚", "")))
    return services.submit(review, by=user) if submit else review


def all_scored(panel: Panel, given: Given = even, *, but: Iterable[Review] = ()) -> None:
    """Every open review handed in, stage by stage, except those named."""
    left_out = {r.pk for r in but}
    rows = panel.reviews.filter(state__in=("assigned", "accepted")).exclude(pk__in=left_out)
    for review in rows.select_related(*Review.door_select).order_by("stage", "bid__number", "expert__code"):
        scored(review, given)


def others_entered(panel: Panel, by: User, share: str = "0.8") -> None:
    """Residents, pledges, votes, site checks and objective criteria for every bid."""
    for bid in bids_of(panel):
        for part in components(panel.rules, bid):
            value = (part.top * Decimal(share)).quantize(Decimal("0.01"))
            services.enter_other_score(panel, bid, part.code, value, basis="计票表 2026-04-02", by=by)


def locked(panel: Panel, by: User, given: Given = even) -> Panel:
    """All ballots in, everything entered, locked."""
    with clock.at(after(panel.call, 10)):
        all_scored(panel, given)
        others_entered(panel, by)
        return parted(services.lock(panel, by=by), by)


def parted(panel: Panel, by: User) -> Panel:
    """Lots drawn over equals where some wait for one and the rules let them be drawn simply; an earlier draw was voided."""
    now = Panel.objects.select_related(*Panel.door_select).get(pk=panel.pk)
    if str(now.rules.review.panel.draw) == "simple" and waiting_for_lots(now) and not held(now):
        before = now.draws.filter(about="tie").exists()
        lots_drawn(panel, by, reason="前一次抽签随评分作废" if before else "")
    return panel


def concluded(panel: Panel, by: User) -> Panel:
    """Signed by every member and concluded; the report printed."""
    with clock.at(after(panel.call, 11)):
        parted(panel, by)
        for member in panel.members.filter(alternate=False, excused=False).select_related("expert__user"):
            services.sign(panel, by=member.expert.user)
        panel = services.conclude(panel, by=by)
        effects.drain()
    return Panel.objects.select_related(*Panel.door_select).get(pk=panel.pk)


def ranking(call: Call, by: User, given: Given = even) -> Panel:
    """The whole of review in one call: a concluded panel over every admitted bid."""
    return concluded(locked(started(call, by), by, given), by)


def review_of(panel: Panel, bid: Bid | None = None, code: str = "", stage: str = "document") -> Review:
    """One live review, by bid and expert code; the first when not said."""
    rows = panel.reviews.filter(stage=stage, state__in=("assigned", "accepted", "submitted")).select_related(*Review.door_select)
    if bid is not None:
        rows = rows.filter(bid=bid)
    if code:
        rows = rows.filter(expert__code=code)
    found = rows.order_by("bid__number", "expert__code").first()
    assert found is not None
    return found


def sheet(review: Review) -> dict[str, Mark]:
    """Criterion → mark as the ballot stands in the database now, sealed or opened."""
    return Review.objects.select_related(*Review.door_select).get(pk=review.pk).held()


@dataclass(frozen=True)
class Judged:
    """A closed call with admitted bids and a pool to draw from."""

    desk: Office
    call: Call
    bids: list[Bid]
    experts: dict[str, Expert]
    bodies: list[Body]


def rules(
    code: str = "YX-2026-01",
    *,
    name: str = "",
    size: int = 5,
    finance: int = 1,
    residents: int = 0,
    stages: int = 1,
    least: int = 0,
    draw: str = "simple",
    **review: Any,
) -> Any:
    """The district call with a smaller panel: five experts, one of finance, documents only unless stages=2.

    name: the call's own code, where another call has the preset's already. least: ballots that must be valid; five if not said.
    """
    value = calls.rules(code)
    plain = value.plain()["review"]
    panel = {**plain["panel"], "size": size, "finance": finance, "min_ballots": least or min(size, 5), "residents": residents, "draw": draw}
    documents_only = [{"kind": "document", "weight": "100.00"}]
    changed = {**plain, "panel": panel, "stages": plain["stages"] if stages == 2 else documents_only, **review}
    return from_data({**value.plain(), "review": changed, "code": name or code})


def judged(value: Any = None, *, n: int = 3, amounts: Iterable[str] = (), titles: Sequence[str] = (), tracks: Sequence[str] = (), **pool_size: int) -> Judged:
    """`n` bids of `n` organisations, submitted and admitted; experts in the pool. The call is closed. titles, tracks: of the bids, one of the two."""
    desk = people.office()
    call = calls.opened(desk, value or rules())
    bodies = [people.body(desk) for _ in range(n)]
    asked = [Decimal(a) for a in amounts] or [None] * n
    with clock.at(bidding.opens(call)):
        for who in bodies:
            people.checked(who, desk, 2024, 2025)
        named: list[dict[str, str]] = [{"title": t} for t in titles] or [{"track": t} for t in tracks] or [{}] * n
        bids = [bidding.submitted(call, who, amount=a, **t) for who, a, t in zip(bodies, asked, named, strict=True)]
    call = calls.closed(call)
    with clock.at(after(call, 1)):
        bids = [bidding.admitted(Bid.objects.select_related(*Bid.door_select).get(pk=b.pk), desk) for b in bids]
    experts = {e.code: e for e in pool(desk, **pool_size)}
    effects.drain()
    return Judged(desk, call, bids, experts, bodies)
