"""正式得分: the trimmed mean against an independent oracle, and exactly what raising one ballot can do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.awards.evidence import verify
from review.ranking import Lot, Scored, TieBy, TieStep, rank
from review.scoring import Part, Trim, mixed_score, panel_score

D = Decimal
RULE = Trim(1, 1, 5)
TIES = [TieStep(TieBy.LOWER_ASK), TieStep(TieBy.LOT)]


def by_hand(totals: Sequence[str], high: int, low: int, least: int) -> str:
    """What a pocket calculator and a pencil give: whole hundredths, crossed out, added, divided, rounded half up."""
    cents = sorted(int(t.replace(".", "")) for t in totals)
    if len(cents) >= least:
        cents = cents[low : len(cents) - high]
    quotient, rest = divmod(sum(cents), len(cents))
    quotient += 2 * rest >= len(cents)
    return f"{quotient // 100}.{quotient % 100:02}"


def test_ten_thousand_panels_as_a_pocket_calculator_counts_them() -> None:
    dice = random.Random(20260401)
    for _ in range(10_000):
        totals = [f"{(c := dice.randrange(10001)) // 100}.{c % 100:02}" for _ in range(dice.randint(1, 11))]
        high, low = dice.choice([(1, 1), (2, 2), (0, 0), (1, 0), (0, 1)])
        least = dice.choice([5, 7, 9])
        ballots = {f"e{n:02}": D(t) for n, t in enumerate(totals)}
        assert str(panel_score(ballots, Trim(high, low, least)).value) == by_hand(totals, high, low, least)


panels = st.lists(st.lists(st.integers(0, 10000), min_size=5, max_size=9), min_size=2, max_size=6)


def places(panel: Sequence[Sequence[int]]) -> dict[str, tuple[Decimal, int]]:
    bids = [
        Scored(f"b{n}", panel_score({f"e{i}": D(t).scaleb(-2) for i, t in enumerate(totals)}, RULE).value, D(1000 + n))
        for n, totals in enumerate(panel)
    ]
    return {r.bid: (r.score or D(0), r.place or 0) for r in rank(bids, TIES, lot=Lot(b"seed"))}


@given(panels, st.data())
def test_raising_one_ballot_never_lowers_that_bids_score_or_rank(panel: list[list[int]], data: st.DataObject) -> None:
    """Holds for trimming by rank of whole ballots, ties broken by anything that the ballot does not change (ask, lot).

    By how much it may rise: a ballot alone moves the score by at most its own rise over the ballots that count.
    """
    bid = data.draw(st.integers(0, len(panel) - 1))
    ballot = data.draw(st.integers(0, len(panel[bid]) - 1))
    more = data.draw(st.integers(panel[bid][ballot], 10000))
    before = places(panel)
    raised = [list(totals) for totals in panel]
    raised[bid][ballot] = more
    after = places(raised)
    (old, place), (new, now) = before[f"b{bid}"], after[f"b{bid}"]
    assert new >= old
    assert now <= place
    counts = len(panel[bid]) - 2
    assert new - old <= (D(more - panel[bid][ballot]) / 100 / counts).quantize(D("0.01"), ROUND_HALF_UP) + D("0.01")


def test_where_a_criterion_breaks_the_tie_raising_a_ballot_can_lower_the_rank() -> None:
    """The limit of the promise, by example: the criterion's mean is taken of the ballots that count, and a raised ballot may push another
    one, rich in that criterion, out at the top — the score is the same to the hundredth, the criterion lower."""
    totals = {"e0": D("60.00"), "e1": D("70.00"), "e2": D("80.00"), "e3": D("90.00"), "e4": D("90.01")}
    raised = {**totals, "e3": D("90.02")}
    before, after = panel_score(totals, RULE), panel_score(raised, RULE)
    assert (before.dropped_high, after.dropped_high) == (("e4",), ("e3",))
    assert before.value == after.value == D("80.00")
    need = {"e0": 10, "e1": 10, "e2": 10, "e3": 20, "e4": 5}
    assert sum(need[e] for e in after.kept) < sum(need[e] for e in before.kept)


@given(panels, st.randoms(use_true_random=False))
def test_neither_the_order_of_ballots_nor_of_bids_changes_anything(panel: list[list[int]], chance: random.Random) -> None:
    mixed = [chance.sample(totals, len(totals)) for totals in panel]
    assert places(panel) == places(mixed)


def test_mixes_of_real_calls_by_hand() -> None:
    """Dongguan 2011: panel 60, pledges 20, public vote 20. National contest 2016: chairs 7, jurors 3. Zhongshan 2013: bonus to 50."""
    dongguan = [
        Part("experts", "专家", D(60), D("81.35")),
        Part("pledges", "认捐", D(20), D("55.50")),
        Part("vote", "投票", D(20), D("70")),
    ]
    assert mixed_score(dongguan) == D("73.91")
    contest = [Part("experts", "组长", D(70), D("88.40")), Part("jurors", "评委", D(30), D("91.25"))]
    assert mixed_score(contest) == D("89.26")  # 61.88 + 27.375 = 89.255
    assert mixed_score([Part("experts", "专家", D(100), D("86.50"))], bonus=D("33.25"), bonus_cap=D(50)) == D("119.75")


def test_the_offline_verifier_drops_by_the_same_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack's own program has its own lines for it: from five ballots 1 + 1, from nine 2 + 2, below five none; against the official function."""
    dice, tiers = random.Random(9), (Trim(2, 2, 9), Trim(3, 2, 12))
    told = {"high": 1, "low": 1, "from_ballots": 5, "tiers": [{"from_ballots": 9, "high": 2, "low": 2}, {"from_ballots": 12, "high": 3, "low": 2}]}
    review = {"trim": told, "panel": {"min_ballots": 1}, "decimals": 2}
    monkeypatch.setattr(verify, "rules", lambda: {"review": review})
    for n in range(1, 15):
        ballots = {f"e{i:02}": D(dice.randrange(10001)).scaleb(-2) for i in range(n)}
        monkeypatch.setattr(verify, "counting", lambda _stage, given=ballots: given)
        official = panel_score(ballots, Trim(1, 1, 5, tiers))
        kept, high, low, value = verify.trimmed("document")
        assert (tuple(kept), tuple(high), tuple(low), value) == (official.kept, official.dropped_high, official.dropped_low, official.value)
        assert (len(high), len(low)) == ((0, 0) if n < 5 else (1, 1) if n < 9 else (2, 2) if n < 12 else (3, 2))
