"""立项建议: never over the pool by a fen, every bid has its sentence, and nobody better is passed over without a rule."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.awards.selection import (
    AmountBand,
    AmountBy,
    Candidate,
    Category,
    FundSource,
    Proposal,
    Rollover,
    RulesContradict,
    SelectionRules,
    Track,
    WhenFull,
    propose,
)
from grants.money import NotMoney, total

D = Decimal


def bid(place: int | None, ask: str, category: str = "", org: str = "", score: str | None = None, **more: object) -> Candidate:
    value = None if place is None else D(score) if score else D(100 - place)
    return Candidate(f"B{place}", org or f"O{place}", place, value, D(ask), category, **more)  # type: ignore[arg-type]


def result(proposal: Proposal) -> list[tuple[str, str]]:
    return [(d.bid, d.rule) for d in proposal.decisions]


def test_awards_fill_the_pool_exactly_and_one_fen_more_is_refused() -> None:
    exactly = propose([bid(1, "600.00"), bid(2, "400.00")], SelectionRules(D("1000.00")))
    assert (exactly.awarded, exactly.left) == (D("1000.00"), D("0.00"))
    over = propose([bid(1, "600.00"), bid(2, "400.01")], SelectionRules(D("1000.00")))
    assert result(over) == [("B1", "awarded"), ("B2", "pool")]
    assert over.decisions[1].sentence == "不予立项：资助总额 ¥1,000.00 已用 ¥600.00，剩余 ¥400.00，不足 ¥400.01。"
    assert over.decisions[0].sentence == "予以立项：第 1 名，在资助总额 ¥1,000.00 内（累计 ¥600.00），资助 ¥600.00。"


def test_skip_goes_on_and_stop_ends_the_queue() -> None:
    bids = [bid(1, "600.00"), bid(2, "500.00"), bid(3, "400.00")]
    assert result(propose(bids, SelectionRules(D("1000.00")))) == [("B1", "awarded"), ("B2", "pool"), ("B3", "awarded")]
    stopped = propose(bids, SelectionRules(D("1000.00"), when_full=WhenFull.STOP))
    assert result(stopped) == [("B1", "awarded"), ("B2", "pool"), ("B3", "stopped")]
    assert "“B2”" in stopped.decisions[2].sentence


def test_a_full_organisation_does_not_end_the_queue_under_stop() -> None:
    rules = SelectionRules(D("1000.00"), when_full=WhenFull.STOP, awards_per_organisation=1)
    bids = [bid(1, "100.00", org="X"), bid(2, "100.00", org="X"), bid(3, "100.00")]
    proposal = propose(bids, rules)
    assert result(proposal) == [("B1", "awarded"), ("B2", "organisation"), ("B3", "awarded")]
    assert "（B1）" in proposal.decisions[1].sentence


def test_below_the_line_and_unranked_are_never_funded_even_with_money_left() -> None:
    bids = [bid(1, "1.00", score="70.00"), bid(2, "1.00", score="69.99"), bid(None, "1.00")]
    proposal = propose(bids, SelectionRules(D("1000.00"), pass_line=D(70)))
    assert result(proposal) == [("B1", "awarded"), ("B2", "below_line"), ("BNone", "unranked")]
    assert proposal.left == D("999.00")


SHARED = (Category("old", "为老", reserve=D("500.00")), Category("young", "儿童", reserve=D("500.00")))


def test_a_lower_bid_is_funded_from_its_own_sub_quota_before_others_take_it() -> None:
    bids = [bid(1, "400.00", "old"), bid(2, "400.00", "old"), bid(3, "400.00", "young")]
    proposal = propose(bids, SelectionRules(D("1000.00"), SHARED))
    assert result(proposal) == [("B1", "awarded_reserved"), ("B2", "pool"), ("B3", "awarded_reserved")]
    assert "在“为老”子额度 ¥500.00 内（累计 ¥400.00）" in proposal.decisions[0].sentence


def test_what_a_category_leaves_goes_to_others_in_score_order() -> None:
    bids = [bid(1, "400.00", "old"), bid(2, "500.00", "old"), bid(3, "100.00", "young")]
    proposal = propose(bids, SelectionRules(D("1000.00"), SHARED))
    assert result(proposal) == [("B1", "awarded_reserved"), ("B2", "awarded"), ("B3", "awarded_reserved")]
    assert proposal.locked == {}


@pytest.mark.parametrize("rollover", [Rollover.NEXT_YEAR, Rollover.RETURN])
def test_what_may_not_go_to_others_stays_locked_and_is_said(rollover: Rollover) -> None:
    kept = (SHARED[0], replace(SHARED[1], rollover=rollover))
    bids = [bid(1, "400.00", "old"), bid(2, "500.00", "old"), bid(3, "100.00", "young")]
    proposal = propose(bids, SelectionRules(D("1000.00"), kept))
    assert result(proposal) == [("B1", "awarded_reserved"), ("B2", "pool"), ("B3", "awarded_reserved")]
    assert proposal.locked == {"young": D("400.00")}
    assert "未用完且不调剂的子额度 ¥400.00，剩余 ¥100.00" in proposal.decisions[1].sentence


def test_places_of_a_category_that_does_not_roll_over_are_a_limit_and_are_kept() -> None:
    """Sample call 4: six places of 200,000 in three fields; an empty field's places wait for next year."""
    fields = tuple(Category(c, c, places=2, rollover=Rollover.NEXT_YEAR) for c in ("care", "law", "hospice"))
    rules = SelectionRules(D("1200000.00"), fields, cap=D("200000.00"))
    bids = [bid(n, "150000.00", "care") for n in range(1, 5)] + [bid(5, "200000.00", "law")]
    proposal = propose(bids, rules)
    assert [r for _, r in result(proposal)] == ["awarded_reserved"] * 2 + ["places"] * 2 + ["awarded_reserved"]
    assert proposal.locked == {"law": D("200000.00"), "hospice": D("400000.00")}
    assert "名额 2 个已满" in proposal.decisions[2].sentence


def test_places_that_roll_over_may_be_filled_by_others() -> None:
    fields = (Category("care", "医疗", places=1), Category("law", "法援", places=1))
    rules = SelectionRules(D("400.00"), fields, cap=D("200.00"))
    proposal = propose([bid(1, "200.00", "care"), bid(2, "200.00", "care")], rules)
    assert result(proposal) == [("B1", "awarded_reserved"), ("B2", "awarded")]


def test_ceilings_tracks_and_most_awards() -> None:
    rules = SelectionRules(
        D("1000.00"), (Category("old", "为老", ceiling=D("300.00")),), (Track("B", "备案组", amount=D("150.00")),), awards_max=3
    )
    bids = [
        bid(1, "300.00", "old"), bid(2, "0.01", "old"), bid(3, "150.00", track="B"), bid(4, "0.01", track="B"),
        bid(5, "1.00"), bid(6, "1.00"),
    ]  # fmt: skip
    proposal = propose(bids, rules)
    assert [r for _, r in result(proposal)] == ["awarded", "ceiling", "awarded", "ceiling", "awarded", "awards_max"]
    assert "“备案组”额度 ¥150.00" in proposal.decisions[3].sentence


def test_stop_in_a_track_ends_that_track_only() -> None:
    rules = SelectionRules(D("1000.00"), tracks=(Track("B", "备案组", amount=D("100.00")),), when_full=WhenFull.STOP)
    bids = [bid(1, "101.00", track="B"), bid(2, "50.00", track="B"), bid(3, "50.00")]
    assert result(propose(bids, rules)) == [("B1", "ceiling"), ("B2", "stopped"), ("B3", "awarded")]


LOTTERY = (FundSource("lottery", "福彩公益金", D("400.00"), frozenset({"old"})), FundSource("fiscal", "财政资金", D("600.00")))


def test_a_source_serves_its_purposes_only() -> None:
    bids = [bid(1, "600.00", "art"), bid(2, "100.00", "art"), bid(3, "400.00", "old")]
    proposal = propose(bids, SelectionRules(D("1000.00"), sources=LOTTERY))
    assert result(proposal) == [("B1", "awarded"), ("B2", "source"), ("B3", "awarded")]
    assert "（财政资金）合计 ¥600.00，已用 ¥600.00，剩余 ¥0.00" in proposal.decisions[1].sentence


def test_a_category_no_source_serves_is_refused() -> None:
    only = (replace(LOTTERY[0], amount=D("1000.00")),)
    proposal = propose([bid(1, "1.00", "art")], SelectionRules(D("1000.00"), sources=only))
    assert result(proposal) == [("B1", "source")]


def test_amounts_by_recommendation_band_and_caps() -> None:
    by_panel = SelectionRules(D("1000.00"), amount_by=AmountBy.RECOMMENDED, cap=D("200.00"))
    bids = [bid(1, "300.00", recommended=D("150.00")), bid(2, "300.00", recommended=D("250.00")), bid(3, "300.00")]
    assert [(d.amount, d.rule) for d in propose(bids, by_panel).decisions] == [
        (D("150.00"), "awarded"), (D("200.00"), "awarded"), (D("0.00"), "no_amount"),
    ]  # fmt: skip
    bands = (AmountBand("一档", D(90), D("20.00")), AmountBand("二档", D(80), D("10.00")))
    graded = SelectionRules(D("1000.00"), amount_by=AmountBy.BAND, bands=bands)
    scored = [bid(1, "99.00", score="90.00"), bid(2, "5.00", score="89.99"), bid(3, "99.00", score="79.99")]
    assert [d.amount for d in propose(scored, graded).decisions] == [D("20.00"), D("5.00"), D("0.00")]


def test_contradictory_rules_are_refused_before_anything_is_proposed() -> None:
    cases: list[tuple[list[Candidate], SelectionRules, str]] = [
        ([bid(1, "1.00"), bid(1, "1.00")], SelectionRules(D(10)), "twice"),
        ([], SelectionRules(D("999.99"), SHARED), "reserves"),
        ([], SelectionRules(D("1000.01"), sources=LOTTERY), "sources"),
        ([bid(1, "1.00", recommended=D("1.01"))], SelectionRules(D(10)), "over_ask"),
        ([], SelectionRules(D(10), (Category("x", "x", places=2),), cap=D(6)), "reserves"),
    ]
    for bids, rules, rule in cases:
        with pytest.raises(RulesContradict) as refusal:
            propose(bids, rules)
        assert refusal.value.rule == rule
    with pytest.raises(NotMoney):
        propose([bid(1, "1.005")], SelectionRules(D(10)))


fens = st.integers(1, 40000).map(lambda n: D(n).scaleb(-2))
categories = st.sampled_from(["old", "young", "art"])


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[Candidate], SelectionRules]:
    rows = draw(
        st.lists(st.tuples(fens, categories, st.sampled_from("XYZ"), st.integers(50, 99), st.sampled_from("AB")), max_size=12)
    )
    rows.sort(key=lambda r: -r[3])
    bids = [Candidate(f"B{n}", o, n, D(s), a, c, t) for n, (a, c, o, s, t) in enumerate(rows, start=1)]
    rollover = draw(st.sampled_from(list(Rollover)))
    reserves = [draw(st.integers(0, 30000)) for _ in range(2)]
    pool = D(sum(reserves) + draw(st.integers(0, 50000))).scaleb(-2)
    cats = tuple(
        Category(c, c, reserve=D(r).scaleb(-2), rollover=rollover) for c, r in zip(("old", "young"), reserves, strict=True)
    )
    narrow = D(draw(st.integers(0, int(pool * 100)))).scaleb(-2)
    sources = (FundSource("l", "福彩", narrow, frozenset({"old"})), FundSource("f", "财政", pool - narrow))
    return bids, SelectionRules(
        pool,
        cats,
        (Track("B", "B", amount=draw(st.one_of(st.none(), fens))),),
        draw(st.sampled_from([(), sources])),
        pass_line=D(60),
        awards_per_organisation=draw(st.sampled_from([None, 1, 2])),
        awards_max=draw(st.sampled_from([None, 3])),
        when_full=draw(st.sampled_from(list(WhenFull))),
    )


@given(calls())
def test_limits_hold_to_the_fen_whatever_comes(case: tuple[list[Candidate], SelectionRules]) -> None:
    bids, rules = case
    proposal = propose(bids, rules)
    won = {d.bid: d.amount for d in proposal.decisions if d.awarded}
    by_bid = {b.bid: b for b in bids}
    assert [d.bid for d in proposal.decisions] == [b.bid for b in bids]
    assert all(
        d.sentence.startswith("予以立项" if d.awarded else "不予立项") and "%" not in d.sentence for d in proposal.decisions
    )
    assert proposal.awarded == total(list(won.values())) == rules.pool - proposal.left
    assert proposal.awarded + total(list(proposal.locked.values())) <= rules.pool
    assert all(won[b] == by_bid[b].ask for b in won)
    assert all(by_bid[b].score >= 60 for b in won)  # type: ignore[operator]
    if rules.tracks[0].amount is not None:
        assert total([a for b, a in won.items() if by_bid[b].track == "B"]) <= rules.tracks[0].amount
    if rules.awards_per_organisation:
        held = [by_bid[b].organisation for b in won]
        assert all(held.count(o) <= rules.awards_per_organisation for o in "XYZ")
    if rules.sources:
        assert total([a for b, a in won.items() if by_bid[b].category != "old"]) <= rules.sources[1].amount


@given(calls(), st.randoms())
def test_the_order_of_the_input_changes_nothing(case: tuple[list[Candidate], SelectionRules], chance: object) -> None:
    bids, rules = case
    mixed = list(bids)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert propose(mixed, rules) == propose(bids, rules)


@given(calls())
def test_nobody_better_and_no_dearer_is_passed_over_in_their_own_category(case: tuple[list[Candidate], SelectionRules]) -> None:
    """Money alone never puts a funded bid before a better one of the same category and track that asks no more (skip)."""
    bids, rules = case
    rules = replace(rules, awards_per_organisation=None, awards_max=None, when_full=WhenFull.SKIP)
    proposal = propose(bids, rules)
    won = {d.bid for d in proposal.decisions if d.awarded}
    for better in bids:
        for worse in bids:
            same = (better.category, better.track) == (worse.category, worse.track)
            if same and better.place < worse.place and better.ask <= worse.ask and worse.bid in won:  # type: ignore[operator]
                assert better.bid in won
