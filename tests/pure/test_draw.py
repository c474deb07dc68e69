"""公开抽取: anybody with a hash function gets the same draw; quotas hold; everybody passed over is logged."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from review.draw import Candidate, Counting, DrawImpossible, Seats, draw, draw_seed, replace_member, shuffled

ZERO_SEED = bytes(32)
POOL = [Candidate(f"E{n:02d}", "finance" if n % 5 == 0 else "sector") for n in range(15)]
PANEL = Seats(7, minimum={"finance": 2}, maximum={"finance": 2})


def test_the_published_words_of_the_generator() -> None:
    source = Counting(ZERO_SEED)
    assert [f"{source.word():016x}" for _ in range(4)] == [
        "2c34ce1df23b838c", "08e00266fff0aacc", "975674ca07642178", "20b73cd81b2b7071",
    ]  # fmt: skip


def test_the_published_seeds_and_order() -> None:
    assert draw_seed().hex() == hashlib.sha256(b"GY-DRAW-1\0").hexdigest()
    expected = hashlib.sha256(b"GY-DRAW-1\0" + bytes(7) + b"\x01a" + bytes(7) + b"\x02bc").hexdigest()
    assert draw_seed(b"a", b"bc").hex() == expected == "5527114e04a0594d241907c2bc963061bbd01668ae4a0cf8213ad58a84022019"
    assert "".join(shuffled("abcdefgh", ZERO_SEED)) == "hdagbcfe"


def test_parts_cannot_slide_into_each_other() -> None:
    assert draw_seed(b"ab", b"c") != draw_seed(b"a", b"bc") != draw_seed(b"abc")


def test_fisher_yates_by_hand() -> None:
    """The shuffle redone from the hash alone, as a court's expert would."""
    items, i = list("abcdefgh"), 0
    for last in range(7, 0, -1):
        while True:
            word = int.from_bytes(hashlib.sha256(ZERO_SEED + i.to_bytes(8, "big")).digest()[:8], "big")
            i += 1
            if word < 2**64 - 2**64 % (last + 1):
                break
        items[last], items[word % (last + 1)] = items[word % (last + 1)], items[last]
    assert tuple(items) == shuffled("hgfedcba", ZERO_SEED)


def test_words_past_the_last_whole_multiple_are_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    words = iter([2**64 - 1, 5])
    source = Counting(b"x")
    monkeypatch.setattr(source, "word", lambda: next(words))
    assert source.below(3) == 2
    monkeypatch.setattr(source, "word", lambda: 2**64 - 2)
    assert source.below(3) == (2**64 - 2) % 3


def test_bad_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="seed"):
        Counting(b"")
    with pytest.raises(ValueError, match="at least 1"):
        Counting(b"x").below(0)
    with pytest.raises(ValueError, match="twice"):
        shuffled(["a", "a"], b"x")


@given(st.sets(st.text(min_size=1), max_size=20), st.binary(min_size=1), st.randoms())
def test_the_order_of_the_input_is_no_lever(items: set[str], seed: bytes, chance: object) -> None:
    listed = list(items)
    chance.shuffle(listed)  # type: ignore[attr-defined]
    assert shuffled(listed, seed) == shuffled(sorted(items), seed)
    assert set(shuffled(listed, seed)) == items


def test_every_expert_is_as_likely_to_sit_first() -> None:
    """3,000 draws of 10: 300 expected each; a spread beyond six standard deviations would be a broken generator."""
    first = Counter(shuffled("abcdefghij", draw_seed(str(n).encode()))[0] for n in range(3000))
    assert len(first) == 10
    assert all(200 < n < 400 for n in first.values())


def test_a_panel_is_read_from_the_top_with_its_quota_and_log() -> None:
    outcome = draw(POOL, PANEL, seed=ZERO_SEED, conflicted={"E01": "与申报单位存在劳动关系"})
    assert len(outcome.seated) == 7
    assert Counter(c.seat for c in outcome.seated)["finance"] == 2
    assert [c.code for c in outcome.order] == list(shuffled((c.code for c in POOL), ZERO_SEED))
    seated = [c for c in outcome.order if c in outcome.seated]
    assert tuple(seated) == outcome.seated
    assert not {c.code for c in (*outcome.seated, *outcome.alternates)} & {"E01"}
    assert len(outcome.seated) + len(outcome.alternates) + 1 == len(POOL)
    conflict = next(s for s in outcome.skipped if s.code == "E01")
    assert "劳动关系" in conflict.sentence
    assert not conflict.alternate


def test_those_passed_over_for_a_quota_are_logged_and_wait() -> None:
    pool = [Candidate("A", "sector"), Candidate("B", "sector"), Candidate("F", "finance")]
    seed = next(s for n in range(200) if shuffled("ABF", s := draw_seed(str(n).encode()))[-1] == "F")
    outcome = draw(pool, Seats(2, minimum={"finance": 1}), seed=seed)
    assert {c.code for c in outcome.seated} == {outcome.order[0].code, "F"}
    assert [(s.code, s.rule) for s in outcome.skipped] == [(outcome.order[1].code, "seats_reserved")]
    assert outcome.alternates == (outcome.order[1],)


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=14), st.integers(1, 7), st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 4)), st.binary(min_size=1, max_size=4),
)  # fmt: skip
def test_a_feasible_draw_always_fills_every_seat_and_quota(
    kinds: list[str], size: int, low: dict[str, int], high: dict[str, int], seed: bytes
) -> None:
    pool = [Candidate(f"{n}", kind) for n, kind in enumerate(kinds)]
    seats = Seats(size, low, high)
    try:
        outcome = draw(pool, seats, seed=seed)
    except DrawImpossible:
        available = Counter(kinds)
        room = {k: min(n, seats.most(k)) for k, n in available.items()}
        assert sum(room.values()) < size or sum(low.values()) > size or any(room.get(k, 0) < n for k, n in low.items())
        return
    taken = Counter(c.seat for c in outcome.seated)
    assert len(outcome.seated) == size
    assert all(taken[k] >= n for k, n in low.items())
    assert all(taken[k] <= n for k, n in high.items())


@pytest.mark.parametrize(
    ("pool", "seats", "rule"),
    [
        (POOL[:3], Seats(7), "too_few"),
        (POOL, Seats(7, minimum={"legal": 1}), "too_few_seat"),
        (POOL, Seats(2, minimum={"finance": 2, "sector": 1}), "too_many_minimum"),
        (POOL, Seats(7, maximum={"finance": 1, "sector": 5}), "maximum_blocks"),
    ],
)
def test_an_impossible_panel_is_refused_before_the_draw(pool: list[Candidate], seats: Seats, rule: str) -> None:
    with pytest.raises(DrawImpossible) as refusal:
        draw(pool, seats, seed=ZERO_SEED)
    assert refusal.value.rule == rule


def test_the_first_alternate_who_fits_takes_a_free_place() -> None:
    outcome = draw(POOL, PANEL, seed=ZERO_SEED)
    leaving = next(c for c in outcome.seated if c.seat == "finance")
    after = replace_member(outcome, leaving.code, PANEL)
    new = set(after.seated) - set(outcome.seated)
    assert new == {next(c for c in outcome.alternates if c.seat == "finance")}
    assert leaving not in (*after.seated, *after.alternates)
    with pytest.raises(DrawImpossible, match="候补"):
        replace_member(after, next(iter(new)).code, PANEL)


def test_somebody_who_does_not_sit_cannot_be_replaced() -> None:
    outcome = draw(POOL, PANEL, seed=ZERO_SEED)
    with pytest.raises(ValueError, match="does not sit"):
        replace_member(outcome, outcome.alternates[0].code, PANEL)


@given(st.integers(0, 14))
def test_conflicts_only_ever_remove_people(n: int) -> None:
    barred = {POOL[n].code: "x"}
    assume(POOL[n].seat == "sector")
    outcome = draw(POOL, PANEL, seed=ZERO_SEED, conflicted=barred)
    free = draw(POOL, PANEL, seed=ZERO_SEED)
    assert outcome.order == free.order
    assert POOL[n] not in outcome.seated
