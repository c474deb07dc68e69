"""What a panel does together: second ballots after the discussion, rulings on flagged ballots, lots among equals — and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import opening, services
from review.analysing import analysis_of, keep, recheck
from review.ballots import own_criteria
from review.feedback import words_to_bidders
from review.models import Draw, Panel, PanelAnalysis, Review, Ruling, SecondBallot
from review.results import recompute, waiting_for_lots
from review.ruling import flagged
from review.transcript import verify
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
FIVE = {"least": 4, "second_ballot": {"hours": 2}}


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids that ask the same, five experts of whom four must count, a second ballot in the rules; every ballot is in and the same."""
    with shared.rows(django_db_blocker):
        made = world.judged(world.rules(name="YX-2026-C1", **FIVE), n=2, sector=5, finance=1)
        panel = world.started(made.call, made.desk.officer)
        with clock.at(world.after(made.call, 5)):
            world.all_scored(panel)
            world.others_entered(panel, made.desk.officer)
        yield made


@pytest.fixture(autouse=True)
def the_sixth_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call, 6)):
        yield


@pytest.fixture
def panel(judged: Judged) -> Panel:
    return fresh(judged)


def fresh(judged: Judged) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(call=judged.call)


def again(review: Review) -> Review:
    return Review.objects.select_related(*Review.door_select).get(pk=review.pk)


def a_ballot(panel: Panel, at: int = 0, seat: str = "sector") -> Review:
    """The ballot of the n-th sector expert for the first bid, by drawn order."""
    seats = list(panel.members.filter(alternate=False, seat=seat).order_by("position"))
    return world.review_of(panel, panel.call.bids.order_by("number")[0], code=seats[at].expert.code)


def marks(review: Review, share: str) -> dict[str, Decimal]:
    return {c.code: (c.top * Decimal(share)).quantize(Decimal("0.01")) for c in own_criteria(review)}


def discussed(panel: Panel) -> Panel:
    return services.open_discussion(panel, by=panel.members.get(chair=True).expert.user)


def revised(panel: Panel, share: str = "0.9", at: int = 0) -> Review:
    review = a_ballot(panel, at)
    words = dict.fromkeys(marks(review, share), ("讨论后更清楚", ""))
    return services.revise(review, marks(review, share), "听取了财务专家的说明", by=review.expert.user, comments=words)


def locked(panel: Panel, by: Any, hours: int = 3) -> Panel:
    with clock.at(clock.now() + timedelta(hours=hours)):
        return services.lock(panel, by=by)


# --- second ballots -----------------------------------------------------------------------------------------------------------


def test_before_the_discussion_there_is_no_second_ballot_and_no_lock(judged: Judged, panel: Panel) -> None:
    """The rules promise a second ballot: nobody gives one early, and the panel is not locked over it."""
    review = a_ballot(panel)
    with pytest.raises(NotNow) as early:
        services.revise(review, marks(review, "0.9"), "改了主意", by=review.expert.user)
    assert early.value.rule == "discussion_is_open"
    with pytest.raises(NotNow) as locking:
        services.lock(panel, by=judged.desk.officer)
    assert locking.value.rule == "discussion_was_held"
    assert not SecondBallot.objects.exists()


def test_the_chair_or_the_organiser_opens_it_once_and_no_other_member(judged: Judged, panel: Panel) -> None:
    other = panel.members.filter(chair=False, alternate=False)[0].expert.user
    with pytest.raises(NotYou):
        services.open_discussion(panel, by=other)
    panel = discussed(panel)
    with pytest.raises(NotNow) as told:
        services.open_discussion(panel, by=judged.desk.officer)
    assert told.value.rule == "not_discussed_yet"
    effects.drain()
    assert Message.objects.filter(template="review/discussing").count() == panel.members.filter(alternate=False).count()


def test_a_discussion_waits_for_the_last_ballot(judged: Judged, panel: Panel) -> None:
    review = a_ballot(panel)
    services.take_back(review, by=review.expert.user)
    with pytest.raises(NotNow) as told:
        discussed(panel)
    assert told.value.rule == "ballots_are_in"


def test_where_the_rules_have_no_second_ballot_nobody_opens_a_discussion() -> None:
    plain = world.judged(world.rules(name="YX-2026-C2"), n=1, sector=5, finance=1)
    with pytest.raises(NotNow) as told:
        services.open_discussion(world.started(plain.call, plain.desk.officer), by=plain.desk.officer)
    assert told.value.rule == "second_ballots_foreseen"


def test_the_last_ballot_counts_and_the_first_is_kept_to_the_byte(judged: Judged, panel: Panel) -> None:
    """80.00 from everybody, one expert 90 per cent afterwards: the first envelope is the same, the result reads the second, both are told."""
    panel = discussed(panel)
    before = a_ballot(panel)
    envelope = bytes(before.sealed)
    review = revised(panel)
    assert bytes(again(review).sealed) == envelope
    row = SecondBallot.objects.get(review=review)
    assert (row.points, row.words, row.reason, row.salt, row.opened_at) == ({}, {}, "", "", None), "sealed as the first is"
    assert "说明".encode() not in bytes(row.sealed)
    named = ledger.history(review.subject)[-1]
    assert set(named.files) == {"ballot", "words", "reason"}
    panel = locked(panel, judged.desk.officer)
    result = panel.results.get(bid=review.bid)
    stage = result.explanation["stages"][0]
    totals = {b["expert"]: b["total"] for b in stage["ballots"]}
    assert stage["first"] == {review.expert.code: "80.00"}
    assert Decimal(totals[review.expert.code]) > Decimal("80.00")
    assert recompute(panel) == []
    row.refresh_from_db()
    assert row.reason == "听取了财务专家的说明"
    assert row.points == {code: int(mark * 100) for code, mark in marks(review, "0.9").items()}
    assert {m.criterion: m.value for m in review.marks.all()} == marks(review, "0.8"), "the first ballot's rows"
    assert {w.text for w in words_to_bidders([review.bid])[review.bid_id] if w.expert == review.expert.code} == {"讨论后更清楚"}
    told = next(line for line in opening.recheck(panel) if line["expert"] == review.expert.code and line["bid"] == review.bid.number)
    assert told["agrees"]
    assert told["second"]["agrees"]


def test_a_second_ballot_can_be_given_anew_until_the_lock_and_the_first_not_taken_back(judged: Judged, panel: Panel) -> None:
    panel = discussed(panel)
    review = revised(panel, "0.9")
    revised(panel, "0.85")
    assert SecondBallot.objects.filter(review=review).count() == 1
    assert AuditEvent.objects.filter(subject=review.subject, event="review.revise").count() == 2
    with pytest.raises(NotNow) as told:
        services.take_back(again(review), by=review.expert.user)
    assert told.value.rule == "first_ballot_is_open"
    panel = locked(panel, judged.desk.officer)
    with pytest.raises(NotNow) as late:
        revised(panel, "0.95")
    assert late.value.rule == "panel_is_scoring"


@pytest.mark.parametrize(
    ("change", "reason", "rule"),
    [
        (lambda m: m.pop("need"), "改了", "second_complete"),
        (lambda m: m.update(need=Decimal(99)), "改了", "marks"),
        (lambda m: m.update(stranger=Decimal(1)), "改了", "marks"),
        (lambda m: None, "  ", "second_reason"),
        (lambda m: m.update({code: mark * Decimal("0.8") / Decimal("0.9") for code, mark in m.items()}), "没改", "second_differs"),
    ],
    ids=["missing", "too high", "not on the sheet", "no reason", "nothing differs"],
)
def test_a_second_ballot_is_whole_in_range_reasoned_and_different(panel: Panel, change: Any, reason: str, rule: str) -> None:
    review = a_ballot(discussed(panel))
    given = marks(review, "0.9")
    change(given)
    with pytest.raises(Invalid) as told:
        services.revise(review, given, reason, by=review.expert.user)
    assert told.value.rule == rule
    assert not SecondBallot.objects.exists()
    assert not AuditEvent.objects.filter(subject=review.subject, event="review.revise").exists()


def test_only_the_expert_gives_it_and_there_is_time_to_give_it(judged: Judged, panel: Panel) -> None:
    panel = discussed(panel)
    review = a_ballot(panel)
    for other in (judged.desk.officer, a_ballot(panel, 1).expert.user):
        with pytest.raises(NotYou):
            services.revise(review, marks(review, "0.9"), "代写", by=other)
    with pytest.raises(NotNow) as told:
        locked(panel, judged.desk.officer, hours=1)
    assert told.value.rule == "discussion_was_held"


def test_a_second_ballot_altered_or_taken_away_in_the_database_stops_the_lock(judged: Judged, panel: Panel) -> None:
    """Three forgeries: another envelope, none at all, and one where the expert gave none."""
    panel = discussed(panel)
    review = revised(panel)
    rows = SecondBallot.objects.filter(review=review)
    kept = rows.get()
    other = revised(panel, "0.7", at=1)
    rows.update(sealed=SecondBallot.objects.get(review=other).sealed)
    refused(panel, judged)
    rows.delete()
    refused(panel, judged)
    kept.save(force_insert=True)
    SecondBallot.objects.create(review=a_ballot(panel, 2), sealed=kept.sealed, cast_at=clock.now())
    refused(panel, judged)
    SecondBallot.objects.filter(review=a_ballot(panel, 2)).delete()
    assert locked(panel, judged.desk.officer).state == "scored"


def refused(panel: Panel, judged: Judged) -> None:
    with pytest.raises(NotNow) as told:
        locked(panel, judged.desk.officer)
    assert told.value.rule == "seals_are_whole"


def test_the_pages_of_the_discussion(judged: Judged, panel: Panel) -> None:
    """The chair finds the button, the expert the form with the first marks in it; a stranger finds nothing."""
    chair = panel.members.get(chair=True).expert.user
    page = reverse("review:second_ballots", args=[panel.pk])
    assert reverse("desk:step", args=["panel", panel.pk, "discuss"]) in see(chair, page)
    panel = discussed(panel)
    review = a_ballot(panel)
    step = reverse("desk:step", args=["review", review.pk, "revise"])
    assert step in see(review.expert.user, page)
    client = client_of(review.expert.user)
    form = client.get(step).content.decode()
    assert "第一次" in form
    assert f'value="{marks(review, "0.8")["need"].normalize():f}"' in form
    sent = {f"mark_{code}": str(mark) for code, mark in marks(review, "0.9").items()}
    assert client.post(step, {**sent, "reason": ""}).status_code == 422
    assert client.post(step, {**sent, "reason": "看了补充说明", "seen_state": "submitted"}).status_code == 302
    assert SecondBallot.objects.get().review_id == review.pk
    assert client_of(people.office().officer).get(page).status_code == 404
    assert client_of(judged.desk.officer).get(step).status_code == 404


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def see(user: Any, page: str) -> str:
    answer = client_of(user).get(page)
    assert answer.status_code == 200, page
    return answer.content.decode()


# --- rulings ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def odd(judged: Judged, panel: Panel) -> Review:
    """One ballot at 40 per cent where others gave 80 and 90: explained, and the panel locked. Of the first bid, so that no lot is wanted."""
    panel = discussed(panel)
    review = revised(panel, "0.4")
    for at in (1, 2):
        revised(panel, "0.9", at)
    services.explain_deviation(again(review), "预算与活动对不上", by=review.expert.user)
    locked(panel, judged.desk.officer)
    return again(review)


def members(review: Review) -> list[Any]:
    """The other members, by drawn order."""
    rows = review.panel.members.filter(alternate=False).exclude(expert=review.expert_id).order_by("position")
    return [m.expert.user for m in rows.select_related("expert__user")]


def test_excluding_a_flagged_ballot_counts_again_and_keeps_the_ballot(judged: Judged, odd: Review) -> None:
    """46, 80, 80, 88.5, 88.5 give 82.83 with highest and lowest dropped; the last four, too few to trim, 84.25. Hash before and after stand in
    the ledger; the analysis follows."""
    panel = fresh(judged)
    effects.drain()
    old = panel.result_hash()
    analysis = PanelAnalysis.objects.get(panel=panel).sha256
    assert [row.review.pk for row in flagged(panel)] == [odd.pk]
    assert panel.results.get(bid=odd.bid).total == Decimal("82.83")
    first, second = members(odd)[:2]
    ruling = services.propose_ruling(odd, "exclude", "与材料不符，属畸低", by=first)
    ruling = perform(ruling, "adopt", by=second)
    effects.drain()
    result = panel.results.get(bid=odd.bid)
    stage = result.explanation["stages"][0]
    assert result.n_ballots == 4
    assert odd.expert.code not in {b["expert"] for b in stage["ballots"]}
    assert stage["struck"] == [odd.expert.code]
    assert result.total == Decimal("84.25")
    assert again(odd).state == "submitted", "the ballot stays"
    assert recompute(fresh(judged)) == []
    said = ledger.history(ruling.subject)[-1].public
    assert (said["result_before"], said["result"]) == (old, panel.result_hash())
    assert old != panel.result_hash()
    assert PanelAnalysis.objects.get(panel=panel).sha256 != analysis
    assert recheck(fresh(judged)) == []
    assert [row.review.pk for row in flagged(panel)] == [odd.pk], "still told, with what was decided"


def test_upholding_changes_nothing_but_is_on_record(judged: Judged, odd: Review) -> None:
    panel = fresh(judged)
    old = panel.result_hash()
    first, second = members(odd)[:2]
    ruling = perform(services.propose_ruling(odd, "uphold", "理由成立", by=first), "adopt", by=second)
    assert panel.result_hash() == old
    assert (ruling.state, ruling.outcome) == ("adopted", "uphold")
    with pytest.raises(NotNow) as told:
        services.propose_ruling(odd, "exclude", "再想想", by=second)
    assert told.value.rule == "ruling_once"


def test_two_members_rule_and_never_the_expert_or_an_officer(judged: Judged, odd: Review) -> None:
    first, second = members(odd)[:2]
    for who, error, rule in ((judged.desk.officer, NotYou, None), (odd.expert.user, NotNow, "not_own_ballot")):
        with pytest.raises(error) as told:
            services.propose_ruling(odd, "exclude", "畸低", by=who)
        assert rule is None or told.value.rule == rule
    with pytest.raises(Invalid):
        services.propose_ruling(odd, "exclude", "  ", by=first)
    with pytest.raises(Invalid):
        services.propose_ruling(odd, "halve", "折半", by=first)
    ruling = services.propose_ruling(odd, "exclude", "畸低", by=first)
    with pytest.raises(NotYou):
        perform(ruling, "adopt", by=first)
    with pytest.raises(NotNow) as own:
        perform(ruling, "adopt", by=odd.expert.user)
    assert own.value.rule == "not_own_ballot"
    with pytest.raises(NotNow) as signing:
        services.sign(fresh(judged), by=second)
    assert signing.value.rule == "nothing_is_pending"
    assert perform(ruling, "withdraw", by=first).state == "withdrawn"


def test_what_is_not_flagged_stays_and_after_a_signature_everything_does(judged: Judged, odd: Review) -> None:
    first, second = members(odd)[:2]
    plain = odd.panel.reviews.exclude(pk=odd.pk).select_related(*Review.door_select).exclude(expert__user=first)[0]
    with pytest.raises(NotNow) as told:
        services.propose_ruling(plain, "exclude", "不喜欢", by=first)
    assert told.value.rule == "ballot_was_flagged"
    services.sign(fresh(judged), by=second)
    with pytest.raises(NotNow) as late:
        services.propose_ruling(odd, "exclude", "畸低", by=first)
    assert late.value.rule == "committee_sits"


def test_below_the_least_number_of_ballots_none_is_excluded() -> None:
    """Five experts and five needed: the odd one stays, and the sentence says why."""
    tight = world.judged(world.rules(name="YX-2026-C3"), n=1, sector=5, finance=1)
    panel = world.started(tight.call, tight.desk.officer)
    low = a_ballot(panel)
    with clock.at(world.after(tight.call, 5)):
        world.all_scored(panel, lambda r: Decimal("0.4") if r.pk == low.pk else Decimal("0.8"))
        services.explain_deviation(again(low), "预算虚高", by=low.expert.user)
        world.others_entered(panel, tight.desk.officer)
        services.lock(panel, by=tight.desk.officer)
        with pytest.raises(NotNow) as told:
            services.propose_ruling(again(low), "exclude", "畸低", by=members(again(low))[0])
    assert told.value.rule == "enough_is_left"
    assert not Ruling.objects.exists()


def test_the_pages_of_a_ruling(judged: Judged, odd: Review) -> None:
    """Before the lock there is none; members propose, the officer only reads; the ranking shows who was struck."""
    first, second = members(odd)[:2]
    page = reverse("review:rulings", args=[odd.panel_id])
    ask = reverse("review:propose_ruling", args=[odd.panel_id, odd.pk])
    assert ask in see(first, page)
    assert ask not in see(judged.desk.officer, page)
    assert client_of(judged.desk.officer).get(ask).status_code == 404
    assert client_of(first).post(ask, {"outcome": "exclude", "reason": ""}).status_code == 422
    assert client_of(first).post(ask, {"outcome": "exclude", "reason": "畸低"}).status_code == 302
    ruling = Ruling.objects.get()
    assert see(second, reverse("desk:home")).count(reverse("desk:object", args=["ruling", ruling.pk])) >= 1
    perform(ruling, "adopt", by=second)
    assert "排除" in see(judged.desk.officer, page)
    assert "评审组排除" in see(first, reverse("review:ranking", args=[odd.panel_id]))
    assert "畸低" in see(judged.desk.officer, reverse("desk:object", args=["review", odd.pk]))


def test_no_page_of_rulings_or_lots_before_the_lock(judged: Judged, panel: Panel) -> None:
    for name in ("rulings", "lots"):
        assert client_of(judged.desk.officer).get(reverse(f"review:{name}", args=[panel.pk])).status_code == 404


# --- lots among equals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def equal(judged: Judged, panel: Panel) -> Panel:
    """Both bids have the same of everything: locked, and only a lot is left."""
    return locked(discussed(panel), judged.desk.officer)


def test_equals_share_a_place_until_a_public_draw_parts_them(judged: Judged, equal: Panel) -> None:
    """Nobody signs before; the draw is announced and told like any other; the places follow it and can be counted again."""
    rows = list(equal.results.all())
    assert [(r.rank, r.explanation["decided_by"]) for r in rows] == [(1, "lot_waits")] * 2
    with pytest.raises(NotNow) as told:
        services.sign(equal, by=members_of(equal)[0])
    assert told.value.rule == "nothing_is_pending"
    keep(equal, analysis_of(equal))
    draw = world.lots_drawn(equal, judged.desk.officer, value="骰子 3-5-2")
    effects.drain()
    assert all(check.ok for check in verify(draw.transcript))
    placed = [r.bid.number for r in equal.results.select_related("bid").order_by("rank")]
    assert placed == draw.transcript["order"]
    assert [r.rank for r in equal.results.order_by("rank")] == [1, 2]
    assert {r.explanation["decided_by"] for r in equal.results.all()} == {"lot"}
    assert recompute(fresh(judged)) == []
    assert recheck(fresh(judged)) == [], "the analysis follows the lots"
    assert services.sign(fresh(judged), by=members_of(equal)[0]).state == "scored"


def members_of(panel: Panel) -> list[Any]:
    return [m.expert.user for m in panel.members.filter(alternate=False).select_related("expert__user").order_by("position")]


def test_what_was_thrown_in_the_room_decides_and_lots_are_drawn_once(judged: Judged, equal: Panel) -> None:
    draw = world.lots_drawn(equal, judged.desk.officer, value="1")
    assert draw.announced["kind"] == "tie"
    assert sorted(code for code, _seat in draw.announced["pool"]) == sorted(b.number for b in judged.bids)
    with pytest.raises(NotNow) as told:
        world.lots_drawn(equal, judged.desk.officer, value="2")
    assert told.value.rule == "nothing_to_replace"
    assert Draw.objects.filter(about="tie").count() == 1


def test_no_lots_where_none_wait_and_none_by_a_member(judged: Judged, equal: Panel) -> None:
    with pytest.raises(NotYou):
        world.lots_drawn(equal, members_of(equal)[0])
    world.lots_drawn(equal, judged.desk.officer)
    assert waiting_for_lots(fresh(judged)) == []


def test_after_the_lots_no_ballot_is_excluded(judged: Judged, panel: Panel) -> None:
    """Both bids get the same odd ballot from the same expert, so they are equal and flagged; lots first, then it is too late."""
    panel = discussed(panel)
    code = a_ballot(panel).expert.code
    for bid in judged.bids:
        review = world.review_of(panel, bid, code=code)
        services.revise(review, marks(review, "0.4"), "看法变了", by=review.expert.user)
        services.explain_deviation(again(review), "预算对不上", by=review.expert.user)
    panel = locked(panel, judged.desk.officer)
    first = members(a_ballot(panel))[0]
    ruling = services.propose_ruling(a_ballot(panel), "exclude", "畸低", by=first)
    with pytest.raises(NotNow) as pending:
        world.lots_drawn(panel, judged.desk.officer)
    assert pending.value.rule == "nothing_to_replace"
    perform(ruling, "withdraw", by=first)
    announced = world.announced(panel.call, judged.desk.officer, panel=panel, about="tie")
    with pytest.raises(NotNow, match="名单已经公布") as early:
        services.propose_ruling(a_ballot(panel), "exclude", "畸低", by=first)
    assert early.value.rule == "committee_sits", "whoever can work out the lots could still change who is equal"
    services.fail_draw(announced, "开奖停办", by=judged.desk.approver)
    world.lots_drawn(panel, judged.desk.officer, reason="开奖停办")
    with pytest.raises(NotNow) as late:
        services.propose_ruling(a_ballot(panel), "exclude", "畸低", by=first)
    assert late.value.rule == "committee_sits"


def test_where_the_rules_want_commitments_lots_are_drawn_by_the_parties() -> None:
    """Three parties and a beacon, as for the experts: the simple way is refused, the places follow the completed draw."""
    strict = world.judged(world.rules(name="YX-2026-C4", draw="commit-reveal"), n=2, sector=5, finance=1)
    by = strict.desk.officer
    held = world.revealing(strict)
    with clock.at(held.due):
        services.enter_beacon(held.draw, "06 11 19", evidence="公告", by=held.of("监督"))
        panel = services.draw_now(held.draw, by=by).panel
        assert panel is not None
        services.assign(panel, by=by)
        panel = perform(panel, "start", by=by)
        effects.drain()
    panel = world.locked(panel, by)
    with clock.at(world.after(strict.call, 11)):
        with pytest.raises(NotNow) as told:
            world.lots_drawn(panel, by)
        assert told.value.rule == "draw_by_parties"
        assert "beacon_kind" in see(by, reverse("review:lots", args=[panel.pk]))
        beacon = {"kind": "named", "source": "中国福利彩票双色球", "round": "2026040", "due": clock.now() + timedelta(hours=6)}
        draw = services.publish(strict.call, parties=held.parties, beacon=beacon, by=by, panel=panel, about="tie")
        services.start_draw(draw, by=by)
        for name, user in held.parties:
            services.commit(draw, by=user, secret=held.secrets[name])
        services.close_commitments(draw, by=by)
        for name, user in held.parties:
            services.reveal(draw, held.secrets[name], by=user)
    with clock.at(beacon["due"]):  # type: ignore[arg-type]
        services.enter_beacon(draw, "01 02 03", evidence="公告", by=held.of("监督"))
        draw = services.draw_now(draw, by=by)
    assert all(check.ok for check in verify(draw.transcript))
    assert [r.bid.number for r in panel.results.select_related("bid").order_by("rank")] == draw.transcript["order"]


def test_the_page_of_the_lots(judged: Judged, equal: Panel) -> None:
    """The organiser announces on it, a member only reads; the ranking leads to it until the lots fell."""
    page = reverse("review:lots", args=[equal.pk])
    member, officer = members_of(equal)[0], judged.desk.officer
    assert page in see(member, reverse("review:ranking", args=[equal.pk]))
    due = clock.now() + world.MINUTE
    typed = {"beacon_kind": "named", "source": "双色球", "round": "2026039", "due": f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M:%S}"}
    assert 'name="source"' not in see(member, page)
    assert client_of(member).post(page, typed).status_code == 403
    assert client_of(officer).post(page, typed).status_code == 302
    draw = Draw.objects.get(about="tie")
    assert reverse("square:draw", args=[draw.pk]) in see(member, page) and waiting_for_lots(equal)
    with clock.at(due):
        services.enter_beacon(draw, "3-5-2", evidence="公告", by=officer)
        services.draw_now(draw, by=officer)
    assert reverse("square:draw", args=[draw.pk]) in see(member, page)
    assert page not in see(member, reverse("review:ranking", args=[equal.pk]))
    assert client_of(officer).get(reverse("square:draw", args=[draw.pk])).status_code == 200
