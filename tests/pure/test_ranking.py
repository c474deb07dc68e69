"""排序: every place has a reason, equal bids are told apart only by the published rule, and the lot can be redone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.draw import shuffled
from review.ranking import Lot, RankingRefused, Scored, TieBy, TieStep, rank

D = Decimal


RULE = [TieStep(TieBy.CRITERION, "need", "需求真实性"), TieStep(TieBy.LOWER_ASK), TieStep(TieBy.LOT)]
SEED = b"ledger head"


def bid(code: str, score: str | None, need: str = "10", ask: str = "100.00", votes: int | None = None) -> Scored:
    return Scored(code, None if score is None else D(score), D(ask), {"need": D(need)}, votes)


def order(bids: list[Scored], ties: list[TieStep] | None = None) -> list[tuple[str, int | None, str]]:
    return [(r.bid, r.place, r.decided_by) for r in rank(bids, RULE if ties is None else ties, lot=Lot(SEED))]


def test_score_then_criterion_then_ask() -> None:
    bids = [bid("A", "80.00"), bid("B", "90.00"), bid("C", "80.00", need="12"), bid("D", "80.00", ask="99.99")]
    assert order(bids) == [("B", 1, "score"), ("C", 2, "criterion"), ("D", 3, "lower_ask"), ("A", 4, "lower_ask")]


def test_the_sentence_names_the_equals_and_what_decided() -> None:
    ranked = rank([bid("A", "80.00"), bid("C", "80.00", need="12")], RULE, lot=Lot(SEED))
    assert ranked[0].sentence == "综合得分 80.00 与“A”相同，“需求真实性”得分 12，列第 1 名。"
    ask = rank([bid("A", "80.00", ask="5"), bid("C", "80.00", ask="4.99")], RULE, lot=Lot(SEED))
    assert "申请金额 ¥4.99，按申请金额低者优先" in ask[0].sentence


def test_the_lot_is_the_published_shuffle_of_the_tied_codes_alone() -> None:
    bids = [bid(c, "80.00") for c in "ABCD"]
    expected = list(shuffled("ABCD", SEED))
    assert [r.bid for r in rank(bids, RULE, lot=Lot(SEED))] == expected
    assert [r.bid for r in rank([*bids, bid("Z", "70.00")], RULE, lot=Lot(SEED))][:4] == expected
    assert "经公开抽签（第 1 签）" in rank(bids, RULE, lot=Lot(SEED))[0].sentence


def test_a_lot_without_a_seed_is_refused_and_without_a_tie_needs_none() -> None:
    with pytest.raises(RankingRefused) as refusal:
        rank([bid("A", "80.00"), bid("B", "80.00")], RULE)
    assert refusal.value.rule == "lot_without_seed"
    assert len(rank([bid("A", "80.00"), bid("B", "81.00")], RULE)) == 2


def test_without_a_deciding_rule_equals_share_a_place_and_the_next_is_skipped() -> None:
    assert order([bid("A", "80.00"), bid("B", "80.00"), bid("C", "70.00")], []) == [
        ("A", 1, "shared"),
        ("B", 1, "shared"),
        ("C", 3, "score"),
    ]


def test_a_partial_tie_stays_shared_only_where_it_is() -> None:
    ties = [TieStep(TieBy.CRITERION, "need", "需求")]
    bids = [bid("A", "80.00"), bid("B", "80.00"), bid("C", "80.00", need="11")]
    assert order(bids, ties) == [("C", 1, "criterion"), ("A", 2, "shared"), ("B", 2, "shared")]


def test_the_chair_decides_where_the_rule_says_so() -> None:
    ties = [TieStep(TieBy.CHAIR)]
    assert order([bid("A", "80.00", votes=2), bid("B", "80.00", votes=5)], ties)[0] == ("B", 1, "chair")
    with pytest.raises(RankingRefused, match="组长投票"):
        order([bid("A", "80.00", votes=2), bid("B", "80.00")], ties)


def test_a_missing_criterion_is_refused_not_read_as_zero() -> None:
    with pytest.raises(RankingRefused, match="需求真实性"):
        rank([Scored("A", D(80), D(1)), Scored("B", D(80), D(1))], RULE, lot=Lot(SEED))


def test_a_bid_without_a_score_is_listed_last_and_has_no_place() -> None:
    ranked = rank([bid("A", None), bid("B", "10.00")], RULE, pass_line=D(60))
    assert [(r.bid, r.place, r.passed) for r in ranked] == [("B", 1, False), ("A", None, False)]
    assert "低于及格线 60" in ranked[0].sentence
    assert "没有有效" in ranked[1].sentence


def test_a_bid_ranked_twice_is_refused() -> None:
    with pytest.raises(RankingRefused):
        rank([bid("A", "1"), bid("A", "2")], RULE)


@given(
    st.lists(
        st.tuples(st.sampled_from(["70.00", "80.00"]), st.sampled_from(["1", "2"]), st.sampled_from(["5", "6"])), max_size=9
    ),
    st.randoms(),
)
def test_the_order_of_the_input_changes_nothing_and_with_a_lot_every_place_is_single(
    rows: list[tuple[str, str, str]], chance: object
) -> None:
    bids = [bid(f"B{n}", *row) for n, row in enumerate(rows)]
    mixed = list(bids)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    ranked = rank(bids, RULE, lot=Lot(SEED))
    assert rank(mixed, RULE, lot=Lot(SEED)) == ranked
    assert [r.place for r in ranked] == list(range(1, len(bids) + 1))
    by_code = {b.bid: b for b in bids}
    keys = [(-by_code[r.bid].score, -by_code[r.bid].criteria["need"], by_code[r.bid].ask) for r in ranked]  # type: ignore[operator]
    assert keys == sorted(keys)
    assert all(str(r.place) in r.sentence for r in ranked)
